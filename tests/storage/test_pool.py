"""Pools of threads: whatever hangs at one bulkhead holds at most half of one pool, and others go on."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from models.destination import DestinationKind, DestinationLocation
from models.errors import Failed, FailureCode
from storage.bulkheads import Bulkhead
from storage.pool import Held, StoragePool

HUNG, GOOD = Bulkhead("/archive/hung"), Bulkhead("/archive/good")


@pytest.fixture
def hanging() -> Iterator[Event]:
    """What hangs until this is set."""
    answers = Event()
    yield answers
    answers.set()


def at_once() -> str:
    return "read"


async def test_what_hangs_holds_half_of_a_pool_and_the_others_have_the_rest(hanging: Event) -> None:
    pool = StoragePool("reads", 4)
    calls = [pool.submit(hanging.wait, HUNG) for _ in range(18)]
    assert pool.held() == {HUNG: Held(running=2, waiting=16)}
    for _ in range(10):
        assert await pool.at(GOOD).call(at_once) == "read"
    hanging.set()
    assert all(await asyncio.gather(*map(asyncio.wrap_future, calls)))
    assert pool.held() == {}


async def test_two_that_hang_hold_all_of_a_pool_only_until_they_are_given_up(hanging: Event) -> None:
    pool = StoragePool("reads", 4)
    calls = [pool.submit(hanging.wait, one) for one in (HUNG, Bulkhead("/archive/other")) for _ in range(2)]
    waiting = pool.submit(at_once, GOOD)
    assert pool.held()[GOOD] == Held(waiting=1)
    calls[0].place.leave()
    assert await asyncio.wrap_future(waiting) == "read"
    assert pool.held()[HUNG] == Held(running=1, given_up=1)


async def test_what_does_not_answer_is_given_up_and_then_refused_at_once(hanging: Event) -> None:
    pool = StoragePool("reads", 4, patience=0.01)
    for _ in range(2):
        with pytest.raises(Failed, match="the storage hung does not answer") as caught:
            await pool.at(HUNG).call(hanging.wait)
        assert caught.value.failure.code is FailureCode.SOURCE_UNAVAILABLE
    assert pool.held() == {HUNG: Held(given_up=2)}
    with pytest.raises(Failed, match="the last 2 that asked it wait to this moment"):
        pool.submit(at_once, HUNG)
    assert await pool.at(GOOD).call(at_once) == "read"


async def test_a_bulkhead_that_answers_again_has_its_threads_back(hanging: Event) -> None:
    pool = StoragePool("reads", 2, patience=0.01)
    call = pool.submit(hanging.wait, HUNG)
    call.place.leave()
    hanging.set()
    assert await asyncio.wrap_future(call)
    assert await pool.at(HUNG).call(at_once, within=5) == "read"
    assert pool.held() == {}


async def test_who_is_cancelled_gives_its_thread_up_and_who_waits_leaves_the_queue(hanging: Event) -> None:
    pool = StoragePool("reads", 2)
    running, waiting = (asyncio.create_task(pool.at(HUNG).call(hanging.wait)) for _ in range(2))
    await asyncio.sleep(0)
    assert pool.held() == {HUNG: Held(running=1, waiting=1)}
    for task in (running, waiting):
        task.cancel()
    await asyncio.wait({running, waiting})
    assert pool.held() == {HUNG: Held(given_up=1)}


async def test_more_than_there_is_room_for_is_refused_as_busy(hanging: Event) -> None:
    pool = StoragePool("reads", 4, room=3)
    places = [pool.ask(HUNG) for _ in range(3)]
    with pytest.raises(Failed) as caught:
        pool.ask(HUNG)
    assert caught.value.failure.code is FailureCode.SOURCE_BUSY
    places[0].leave()
    assert places[2].granted.done()
    pool.ask(HUNG)


async def test_who_waits_is_quiet_only_where_those_ahead_are(hanging: Event) -> None:
    pool = StoragePool("reads", 2)
    held, waiting = pool.ask(HUNG), pool.ask(HUNG)
    pool.note_movement((HUNG,), 0.0)
    await asyncio.sleep(0.02)
    assert waiting.quiet >= 0.01
    held.moved()
    assert waiting.quiet < held.quiet + 0.01
    elsewhere = StoragePool("reads", 1)
    elsewhere.ask(GOOD)
    assert elsewhere.ask(HUNG).quiet == 0


async def test_work_at_two_bulkheads_counts_for_both(hanging: Event) -> None:
    pool = StoragePool("deliveries", 4)
    there = Bulkhead("/deliveries", FailureCode.DESTINATION_UNAVAILABLE)
    for _ in range(3):
        pool.submit(hanging.wait, HUNG, there)
    assert pool.held() == {HUNG: Held(running=2, waiting=1), there: Held(running=2, waiting=1)}
    assert await pool.at(GOOD).call(at_once) == "read"


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Whatever is in a circle stays."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
async def test_the_block_of_a_call_that_is_over_is_free_at_once() -> None:
    pool = StoragePool("reads", 2)
    call = pool.submit(at_once, GOOD)
    assert await asyncio.wrap_future(call) == "read"
    left = weakref.ref(call)
    del call
    async with asyncio.timeout(30):
        while left() is not None:  # noqa: ASYNC110 - its thread may hold it for a moment
            await asyncio.sleep(0.001)


async def test_what_a_call_raises_is_raised_on() -> None:
    def broken() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await StoragePool("reads", 1).at(GOOD).call(broken)


def test_a_bulkhead_is_what_is_mounted_else_the_location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "36 22 0:30 / /mnt/my\\040archive rw - nfs4 server:/a rw\n"
        "37 36 0:31 / /mnt/my\\040archive/tape rw - fuse tape rw\n"
    )
    monkeypatch.setattr("storage.bulkheads._MOUNTS", mounts)
    assert Bulkhead.of_source("/mnt/my archive/scenes").key == "/mnt/my archive"
    assert Bulkhead.of_source("file:///mnt/my%20archive/tape/x").key == "/mnt/my archive/tape"
    assert Bulkhead.of_source("/mnt/my archives/x").key == "/mnt/my archives/x"
    assert Bulkhead.of_source("s3://bucket/scenes").key == "s3://bucket"
    mounts.unlink()
    assert Bulkhead.of_source("/data/x") == Bulkhead("/data/x")
    assert Bulkhead.of_source("/data/x").name == "the storage x"


def test_a_destination_hangs_with_its_root_or_its_server() -> None:
    folder = DestinationLocation(kind=DestinationKind.LOCAL, folder="/deliveries/maria")
    there = Bulkhead.of_destination(folder, "/deliveries")
    assert (there.key, there.name) == ("/deliveries", "the destination deliveries")
    bucket = DestinationLocation(kind=DestinationKind.S3, bucket="b", endpoint="https://s3.example.org")
    assert Bulkhead.of_destination(bucket, None).name == "the destination s3.example.org"
    assert there.unavailable().failure.code is FailureCode.DESTINATION_UNAVAILABLE
