"""Delivering: to a real folder and a bucket, twice, stopped half-way, overtaken, and refused."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.delivery import DeliveringActivities
from activities.orders import OrderActivities
from activities.releasing import ReleasingActivities
from activities.settling import AlreadySettled
from models.destination import DestinationAllowlist, DestinationKind, DestinationLocation, owner_of
from models.errors import Failed, Failure, FailureCode
from models.messages import (
    OrderRef,
    Projection,
    Reopening,
    SubOrderFailed,
    SubOrderPage,
    TimelineEntry,
)
from models.order import OrderStatus
from models.packaging import PackedFile, layout_of
from models.queries import orders
from models.tables import Destination, Order
from storage.archive.members import members_of
from storage.archive.virtual import Blocks
from storage.sources.local import LocalSource
from storage.targets.protocol import ArchiveUpload, Target
from storage.targets.registry import DeliveryTargets
from storage.vault import Vault, new_key
from tests.activities.builders import Sessions, first_of, run
from tests.buckets import CREDENTIALS, Bucket, bucket
from tests.factories import LOCAL_CALLER, Objects, add_order, add_product, make_ready
from tests.services.catalogue_sources import put, rows
from tests.workflows.fakes import NOON

SCENES: Objects = {"s1": {"a.tif": b"a" * 1000, "b.tif": b"b" * 2000}}
LARGE: Objects = {"s1": {"a.bin": bytes(range(256)) * 4096 * 20}}
"""20 MiB: more than two parts."""

DELIVERIES = "SELECT state, location, size_bytes, failure_code FROM deliveries"
VAULT = Vault([new_key()])


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


class Held(DeliveryTargets):
    """Delivers twelve blocks and holds on until it has been told to stop."""

    reached, released, released_next = Event(), Event(), False

    def target(self, place: DestinationLocation, sealed: str | None, owner: str) -> Target:
        self._inner = super().target(place, sealed, owner)
        return self

    def deliver(self, upload: ArchiveUpload, blocks: Iterator[memoryview]) -> str:
        return self._inner.deliver(upload, self._held(blocks))

    def probe(self) -> None:
        self._inner.probe()

    def _held(self, blocks: Iterator[memoryview]) -> Iterator[memoryview]:
        for number, block in enumerate(blocks, 1):
            yield block
            if number == 12:
                self.reached.set()
                assert self.released.wait(30)


async def ordered(sessions: Sessions, root: Path, files: Objects, **destination: Any) -> Order:
    """An order that is ready, of a customer who wants it delivered."""
    await add_product(sessions, root / "archive", "scenes", files)
    saved = Destination(customer=LOCAL_CALLER.customer, name="mine", prefix="{number}/{label}", **destination)
    async with sessions.begin() as session:
        session.add(saved)
    order = await add_order(sessions, {"scenes": "all"}, label="../Winter")
    async with sessions.begin() as session:
        order.destination_id, order.destination_name = saved.id, saved.name
        session.add(order)
    await make_ready(sessions, order)
    return order


async def to_folder(sessions: Sessions, root: Path, files: Objects = SCENES) -> tuple[Order, DeliveringActivities]:
    """An order for a folder below an allowed root."""
    exports = root / "exports"
    exports.mkdir()
    order = await ordered(sessions, root, files, kind=DestinationKind.LOCAL, folder=str(exports / "maria"))
    return order, DeliveringActivities(sessions, DeliveryTargets(DestinationAllowlist(roots=(str(exports),))))


async def to_bucket(
    sessions: Sessions, root: Path, server: Bucket, files: Objects = SCENES
) -> tuple[Order, DeliveringActivities]:
    """An order for a bucket."""
    sealed = VAULT.seal(CREDENTIALS.revealed(), owner_of(LOCAL_CALLER.customer, "mine"))
    order = await ordered(
        sessions, root, files, kind="s3", bucket=server.name, endpoint=server.endpoint, credentials=sealed
    )
    return order, DeliveringActivities(sessions, DeliveryTargets(server.allowed, VAULT))


async def archive_of(sessions: Sessions, root: Path, order: Order) -> bytes:
    """What a download of the first archive gives."""
    async with sessions.begin() as session:
        files = [PackedFile(*row) for row in await session.execute(orders.packed_files(order.id, 1))]
    found = bytearray()
    with Blocks(layout_of(order.number, 1, files), members_of(LocalSource(root / "archive"), files)) as blocks:
        while (block := blocks.read()) is not None:
            found += block
    return bytes(found)


def in_folder(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


async def test_an_archive_is_delivered_to_a_folder_once_with_the_bytes_of_a_download(
    sessions: Sessions, tmp_path: Path
) -> None:
    order, activities = await to_folder(sessions, tmp_path)
    expected = await archive_of(sessions, tmp_path, order)
    name = f"maria/{order.number}/.._Winter/{order.number}_Winter_1.zip"
    for _ in range(2):
        assert (await run(activities.deliver_suborder, first_of(order))).bytes == len(expected)
        assert in_folder(tmp_path / "exports") == {name: expected}
    location = str(tmp_path / "exports" / name)
    assert await rows(sessions, DELIVERIES) == [("delivered", location, len(expected), None)]
    assert await rows(sessions, "SELECT state FROM suborders") == ["downloaded"]
    assert await rows(sessions, "SELECT DISTINCT state FROM order_files") == ["downloaded"]


async def test_a_file_of_its_name_that_is_somebody_elses_stays_and_the_location_says_where_the_archive_is(
    sessions: Sessions, tmp_path: Path
) -> None:
    order, activities = await to_folder(sessions, tmp_path)
    folder = f"maria/{order.number}/.._Winter"
    put(tmp_path / "exports" / folder / f"{order.number}_Winter_1.zip", b"my diary")
    expected = await archive_of(sessions, tmp_path, order)
    for _ in range(2):
        await run(activities.deliver_suborder, first_of(order))
        # As if the worker had died between the delivery and its record.
        there = await rows(sessions, "DELETE FROM deliveries RETURNING location")
        assert there == [str(tmp_path / "exports" / folder / f"{order.number}_Winter_1 (1).zip")]
    assert in_folder(tmp_path / "exports") == {
        f"{folder}/{order.number}_Winter_1.zip": b"my diary",
        f"{folder}/{order.number}_Winter_1 (1).zip": expected,
    }


async def test_what_the_customer_took_away_is_not_delivered_again(sessions: Sessions, tmp_path: Path) -> None:
    order, activities = await to_folder(sessions, tmp_path)
    await run(activities.deliver_suborder, first_of(order))
    for path in (tmp_path / "exports").rglob("*.zip"):
        path.unlink()
    await run(activities.deliver_suborder, first_of(order))
    assert in_folder(tmp_path / "exports") == {}


async def test_an_archive_is_delivered_to_a_bucket_with_the_bytes_of_a_download(
    sessions: Sessions, tmp_path: Path, server: Bucket
) -> None:
    order, activities = await to_bucket(sessions, tmp_path, server)
    for _ in range(2):
        await run(activities.deliver_suborder, first_of(order))
        # As if the worker had died between the upload and its record.
        await rows(sessions, "DELETE FROM deliveries RETURNING suborder")
    key = f"{order.number}/.._Winter/{order.number}_Winter_1.zip"
    assert server.objects()[key] == await archive_of(sessions, tmp_path, order)
    assert server.uploads() == []


async def test_a_delivery_that_is_stopped_half_way_leaves_nothing_and_the_next_one_arrives(
    sessions: Sessions, tmp_path: Path, server: Bucket
) -> None:
    order, activities = await to_bucket(sessions, tmp_path, server, LARGE)
    before, environment, held = server.objects(), ActivityEnvironment(), Held(server.allowed, VAULT)
    heard: list[str] = []

    def heartbeat(position: str) -> None:
        heard.append(position)
        if held.released_next:
            held.released.set()
        elif held.reached.is_set():
            held.released_next = True
            environment.cancel()

    environment.on_heartbeat = heartbeat
    with pytest.raises(asyncio.CancelledError):
        await environment.run(DeliveringActivities(sessions, held).deliver_suborder, first_of(order))
    assert (server.objects(), server.uploads()) == (before, [])
    assert heard[-1] == "12.6 MB of 21.0 MB delivered"
    await run(activities.deliver_suborder, first_of(order), attempt=2)
    (key,) = server.objects().keys() - before.keys()
    assert server.objects()[key] == await archive_of(sessions, tmp_path, order)
    assert server.uploads() == []


async def refusal_of(activities: DeliveringActivities, order: Order) -> Failure:
    with pytest.raises(Failed) as caught:
        await run(activities.deliver_suborder, first_of(order))
    return caught.value.failure


async def test_what_the_operator_no_longer_allows_is_refused(sessions: Sessions, tmp_path: Path) -> None:
    order, _ = await to_folder(sessions, tmp_path)
    failure = await refusal_of(DeliveringActivities(sessions, DeliveryTargets()), order)
    assert (failure.code, failure.retryable) == (FailureCode.DESTINATION_REFUSED, False)


async def test_a_destination_that_was_removed_is_refused_by_its_name(sessions: Sessions, tmp_path: Path) -> None:
    order, activities = await to_folder(sessions, tmp_path)
    await rows(sessions, "DELETE FROM destinations RETURNING id")
    failure = await refusal_of(activities, order)
    assert (failure.code, failure.text) == (FailureCode.DESTINATION_REFUSED, "the destination mine was removed")


async def test_a_source_that_changed_is_never_delivered(sessions: Sessions, tmp_path: Path) -> None:
    order, activities = await to_folder(sessions, tmp_path)
    (tmp_path / "archive" / "s1" / "b.tif").write_bytes(b"B" * 2000)
    assert (await refusal_of(activities, order)).code is FailureCode.SOURCE_CHANGED
    assert in_folder(tmp_path / "exports") == {}


async def test_nothing_of_an_order_that_is_over_is_delivered(sessions: Sessions, tmp_path: Path) -> None:
    order, activities = await to_folder(sessions, tmp_path)
    await rows(sessions, "UPDATE suborders SET state = 'cancelled' RETURNING number")
    with pytest.raises(AlreadySettled):
        await run(activities.deliver_suborder, first_of(order))


async def open_numbers(sessions: Sessions, order: Order) -> list[tuple[int, bool, bool]]:
    page = SubOrderPage(order_id=order.id, after=0, limit=10)
    found = await run(OrderActivities(sessions).open_suborders, page)
    return [(brief.number, brief.delivers, brief.published) for brief in found.briefs]


async def test_a_delivery_that_failed_is_counted_and_a_retry_tries_it_again(sessions: Sessions, tmp_path: Path) -> None:
    order, activities = await to_folder(sessions, tmp_path)
    assert await open_numbers(sessions, order) == [(1, True, True)]
    failure = Failure(code=FailureCode.DESTINATION_FULL, text="no room")
    for _ in range(2):
        await run(activities.give_up_delivery, SubOrderFailed(order_id=order.id, number=1, failure=failure))
        assert await rows(sessions, DELIVERIES) == [("failed", None, None, "destination_full")]
    assert await open_numbers(sessions, order) == []
    tally = OrderActivities(sessions).tally
    assert (await run(tally, OrderRef(order_id=order.id))).undelivered == 1
    await run(ReleasingActivities(sessions).reopen_files, Reopening(order_id=order.id, seqs=()))
    assert await open_numbers(sessions, order) == [(1, True, True)]
    await run(activities.deliver_suborder, first_of(order))
    assert (await run(tally, OrderRef(order_id=order.id))).undelivered == 0
    await run(activities.give_up_delivery, SubOrderFailed(order_id=order.id, number=1, failure=failure))
    assert (await rows(sessions, DELIVERIES))[0][0] == "delivered", "a late failure undoes nothing"


async def test_the_timeline_says_where_to_and_no_workflow_has_to_know(sessions: Sessions, tmp_path: Path) -> None:
    order, activities = await to_folder(sessions, tmp_path)
    await run(activities.deliver_suborder, first_of(order))
    entry = TimelineEntry(
        sequence=2,
        at=NOON,
        actor="system",
        what="suborder_delivered",
        status_before=OrderStatus.PROVISIONING,
        status_after=OrderStatus.PROVISIONING,
        suborder=1,
        details={"bytes": 7},
    )
    for _ in range(2):
        await run(OrderActivities(sessions).record, Projection(order_id=order.id, entries=(entry,)))
    (details,) = await rows(sessions, "SELECT details FROM timeline WHERE sequence = 2")
    assert details["bytes"] == 7
    assert details["destination"] == "mine"
    assert details["location"].endswith(f"/{order.number}_Winter_1.zip")
