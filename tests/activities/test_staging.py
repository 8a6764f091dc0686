"""Staging: every file is read and proven once, whatever happens to those who do it."""

import asyncio
import os
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from temporalio.exceptions import ApplicationError

from activities.settling import AlreadySettled, SettledFile, Superseded, settle_files
from activities.staging import StagingActivities
from models.errors import Failed, Failure, FailureCode
from models.messages import StagedFiles, SubOrderFailed
from models.tables import Order
from services.catalogue import precompute_checksums
from storage.sources.registry import Sources
from tests.activities.builders import (
    ATTEMPTS,
    SCENES,
    Sessions,
    attempt_of,
    everything,
    files_in,
    first_of,
    moved,
    no_further_file,
    planned,
    remove_all,
    run,
    staged,
)
from tests.services.catalogue_sources import rows

COUNTS = "files_available, files_failed, bytes_settled"
BIG = 3 * 1024**3 // 2
"""Takes longer to read than the half second after which progress is written, and no room: it is all hole."""

AWAY = Failure(code=FailureCode.SOURCE_UNAVAILABLE, text="the storage does not answer")


@pytest.fixture
async def order(sessions: Sessions, tmp_path: Path) -> Order:
    """Three files of 6,000 bytes in one sub-order."""
    return await planned(sessions, tmp_path)


@pytest.fixture
async def long_order(sessions: Sessions, tmp_path: Path) -> Order:
    """Two small files, and one that takes a while."""
    files = {"o": {"1.tif": b"1", "2.tif": b"2", "3.tif": b""}}
    (tmp_path / "o").mkdir()
    order = await planned(sessions, tmp_path, files, checksums=False)
    os.truncate(tmp_path / "o" / "3.tif", BIG)
    version = f"size_bytes = {BIG}, modified_ns = {(tmp_path / 'o' / '3.tif').stat().st_mtime_ns}"
    await rows(sessions, f"UPDATE order_files SET {version} WHERE name = '3.tif' RETURNING seq")
    return order


async def counts(sessions: Sessions) -> list[Any]:
    """What order and sub-order say has settled; they have to agree."""
    ours = await rows(sessions, f"SELECT {COUNTS} FROM orders")
    assert ours == await rows(sessions, f"SELECT {COUNTS} FROM suborders")
    return ours


async def give_up(sessions: Sessions, order: Order) -> StagedFiles:
    failed = SubOrderFailed(order_id=order.id, number=1, failure=AWAY)
    return await run(StagingActivities(sessions).give_up_files, failed)


async def test_every_file_is_read_and_proven(sessions: Sessions, order: Order) -> None:
    assert await staged(sessions, order) == StagedFiles(attempt=1, available=3, failed=0, bytes=6000)
    contents = [content for files in SCENES.values() for content in files.values()]
    proofs = [("available", sha256(content).digest(), crc32(content)) for content in contents]
    assert await files_in(sessions, "state, sha256, crc32") == proofs
    assert await counts(sessions) == [(3, 0, 6000)]
    assert await rows(sessions, "SELECT state, attempt FROM suborders") == [("staging", 1)]


async def test_staging_twice_reads_and_counts_once(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    await staged(sessions, order)
    files = await files_in(sessions, "*")
    remove_all(tmp_path)
    assert await staged(sessions, order) == StagedFiles(attempt=2, available=3, failed=0, bytes=6000)
    assert await files_in(sessions, "*") == files
    assert await counts(sessions) == [(3, 0, 6000)]


async def test_a_flipped_byte_is_a_checksum_mismatch_and_the_others_are_there(
    sessions: Sessions, tmp_path: Path, order: Order
) -> None:
    (tmp_path / "s1" / "b.tif").write_bytes(b"b" * 1999 + b"B")
    result = await staged(sessions, order)
    assert (result.available, result.failed, result.bytes) == (2, 1, 6000)
    (a, b, c) = await files_in(sessions, "state, failure_code, failure_text")
    assert (a, c) == (("available", None, None), ("available", None, None))
    assert b[:2] == ("failed", "checksum_mismatch")
    assert sha256(b"b" * 2000).hexdigest() in b[2]
    assert await counts(sessions) == [(2, 1, 6000)]


async def test_each_wrong_file_is_told_why(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    (tmp_path / "s1" / "a.tif").unlink()
    (tmp_path / "s1" / "b.tif").write_bytes(b"short")
    (tmp_path / "s2" / "c.tif").unlink()
    (tmp_path / "s2" / "c.tif").symlink_to("/etc/passwd")
    for attempt in (1, 2):
        assert await staged(sessions, order) == StagedFiles(attempt=attempt, available=0, failed=3, bytes=6000)
        codes = await files_in(sessions, "failure_code")
        assert codes == ["source_missing", "size_mismatch", "source_forbidden"]


async def test_what_nothing_is_known_of_is_taken_as_it_is_unless_it_was_written_to(
    sessions: Sessions, tmp_path: Path
) -> None:
    order = await planned(sessions, tmp_path, checksums=False)
    same, written = tmp_path / "s1" / "a.tif", tmp_path / "s1" / "b.tif"
    was = same.stat().st_mtime_ns
    same.write_bytes(b"A" * 1000)
    os.utime(same, ns=(was, was))
    os.utime(written, ns=(5, 5))
    assert (await staged(sessions, order)).failed == 1
    (a, b, _) = await files_in(sessions, "sha256, modified_ns, failure_code, failure_text")
    assert a == (sha256(b"A" * 1000).digest(), was, None, None)
    assert b[2] == "source_changed"
    assert b[3] == (
        "s1/b.tif was written to since it was catalogued, and has no checksum to prove it is the same; import it again"
    )


@pytest.mark.parametrize("checksums", [True, False])
async def test_a_file_that_was_written_to_is_read_again_and_delivered_if_it_is_the_same(
    sessions: Sessions, tmp_path: Path, checksums: bool
) -> None:
    order = await planned(sessions, tmp_path, checksums=checksums)
    if not checksums:
        await precompute_checksums(sessions, Sources(), "scenes")
    os.utime(tmp_path / "s1" / "a.tif", ns=(5, 5))
    (tmp_path / "s1" / "b.tif").write_bytes(b"B" * 2000)
    os.utime(tmp_path / "s1" / "b.tif", ns=(7, 7))
    assert (await staged(sessions, order)).available == 2
    (a, b, _) = await files_in(sessions, "state, modified_ns, failure_code, failure_text")
    assert a == ("available", 5, None, None)
    assert b[2] == "checksum_mismatch"
    assert sha256(b"B" * 2000).hexdigest() in b[3]
    assert sha256(b"b" * 2000).hexdigest() in b[3]
    assert ("was written to" in b[3]) is not checksums


async def test_a_storage_that_is_away_fails_no_file(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    before = await files_in(sessions, "*")
    away = moved(tmp_path, "away")
    with pytest.raises(Failed, match="does not answer"):
        await run(StagingActivities(sessions).stage_files, first_of(order), attempt=ATTEMPTS)
    assert await files_in(sessions, "*") == before
    moved(away, tmp_path.name)
    assert (await staged(sessions, order)).available == 3


async def test_a_file_that_cannot_be_read_just_now_is_left_for_the_next_attempt(
    sessions: Sessions, tmp_path: Path, order: Order
) -> None:
    (tmp_path / "s1" / "a.tif").unlink()
    with no_further_file(), pytest.raises(Failed, match="too many files are open") as caught:
        await staged(sessions, order)
    assert caught.value.failure.retryable
    assert await files_in(sessions, "state") == ["pending"] * 3
    result = await run(StagingActivities(sessions).stage_files, first_of(order), attempt=2)
    assert (result.attempt, result.available, result.failed) == (2, 2, 1)


async def test_the_last_attempt_records_what_it_still_cannot_read(sessions: Sessions, order: Order) -> None:
    with no_further_file():
        result = await run(StagingActivities(sessions).stage_files, first_of(order), attempt=ATTEMPTS)
    assert (result.available, result.failed) == (0, 3)
    assert set(await files_in(sessions, "failure_code")) == {"too_many_open_files"}
    assert await counts(sessions) == [(0, 3, 6000)]


async def test_a_cancelled_attempt_keeps_what_it_proved_and_the_next_reads_only_the_rest(
    sessions: Sessions, tmp_path: Path, long_order: Order
) -> None:
    said: list[str] = []
    environment = attempt_of(1)

    def cancel(position: str) -> None:
        said.append(position)
        environment.cancel()

    environment.on_heartbeat = cancel
    with pytest.raises(asyncio.CancelledError):
        await environment.run(StagingActivities(sessions).stage_files, first_of(long_order))
    assert {position.split(" · ")[0] for position in said} == {"o/3.tif"}
    assert await files_in(sessions, "state") == ["available", "available", "pending"]
    assert await counts(sessions) == [(2, 0, 2)]
    (tmp_path / "o" / "1.tif").unlink()
    os.truncate(tmp_path / "o" / "3.tif", 3)
    result = await run(StagingActivities(sessions).stage_files, first_of(long_order), attempt=2)
    assert (result.attempt, result.available, result.failed) == (2, 2, 1)
    assert await files_in(sessions, "failure_code") == [None, None, "size_mismatch"]


async def test_a_zombie_that_reads_to_the_end_writes_nothing_any_more(sessions: Sessions, long_order: Order) -> None:
    alive = asyncio.Event()
    environment = attempt_of(1)
    environment.on_heartbeat = lambda _: alive.set()
    zombie = asyncio.create_task(environment.run(StagingActivities(sessions).stage_files, first_of(long_order)))
    await alive.wait()
    await give_up(sessions, long_order)
    fenced = await everything(sessions)
    with pytest.raises(Superseded):
        await zombie
    assert await everything(sessions) == fenced
    assert await files_in(sessions, "failure_code") == [None, None, "source_unavailable"]


async def test_a_superseded_attempt_cannot_settle_a_file(sessions: Sessions, order: Order) -> None:
    with no_further_file(), pytest.raises(Failed):
        await staged(sessions, order)
    with no_further_file(), pytest.raises(Failed):
        await staged(sessions, order)
    before = await everything(sessions)
    settled = [SettledFile.failed(1, 1000, AWAY)]
    with pytest.raises(Superseded) as caught:
        async with sessions.begin() as session:
            await settle_files(session, order.id, 1, 1, settled)
    assert isinstance(caught.value, ApplicationError)
    assert not caught.value.non_retryable, "the other may be a zombie: this one tries again under a new number"
    assert await everything(sessions) == before
    async with sessions.begin() as session:
        await settle_files(session, order.id, 1, 2, settled)
    assert await counts(sessions) == [(0, 1, 1000)]


async def test_giving_up_fails_what_is_pending_and_leaves_what_is_proven(
    sessions: Sessions, tmp_path: Path, order: Order
) -> None:
    (tmp_path / "s1" / "a.tif").write_bytes(b"short")
    await staged(sessions, order)
    await rows(sessions, "UPDATE order_files SET state = 'pending' WHERE name = 'b.tif' RETURNING seq")
    for table in ("orders", "suborders"):
        undone = "files_available = files_available - 1, bytes_settled = bytes_settled - 2000"
        await rows(sessions, f"UPDATE {table} SET {undone} RETURNING 1")
    for attempt in (2, 3):
        assert await give_up(sessions, order) == StagedFiles(attempt=attempt, available=1, failed=2, bytes=6000)
        codes = await files_in(sessions, "state, failure_code")
        assert codes == [("failed", "size_mismatch"), ("failed", "source_unavailable"), ("available", None)]
        assert await counts(sessions) == [(1, 2, 6000)]


@pytest.mark.parametrize("state", ["cancelled", "expired"])
async def test_a_sub_order_that_is_over_is_not_staged(sessions: Sessions, order: Order, state: str) -> None:
    await rows(sessions, f"UPDATE suborders SET state = '{state}' RETURNING number")
    before = await everything(sessions)
    with pytest.raises(AlreadySettled):
        await staged(sessions, order)
    assert await everything(sessions) == before
