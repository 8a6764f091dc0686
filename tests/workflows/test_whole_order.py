"""One order with everything real: PostgreSQL, Temporal, workers and files."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.delivery import DeliveringActivities
from models.destination import DestinationLocation
from models.shop_settings import ShopSettings
from models.tables import Order
from storage.targets.protocol import ArchiveUpload, Target
from storage.targets.registry import DeliveryTargets
from temporal.start import OrderStart, start_order
from tests.activities.test_delivery import to_folder
from tests.factories import add_order, add_product
from tests.services.catalogue_sources import rows
from workflows.worker import deliveries_worker, orders_worker, packaging_worker

Sessions = async_sessionmaker[AsyncSession]
TIMELINE = "SELECT sequence, what, status_before, status_after, suborder FROM timeline ORDER BY sequence"
SUBORDERS = "SELECT number, sku, state, files_available, files_failed, archive_bytes IS NOT NULL FROM suborders"
STATUSES = "SELECT status FROM orders ORDER BY created_at"
TOTALS = "SELECT status, files_total, files_available, files_failed, bytes_total, bytes_settled, version FROM orders"


async def an_order_of_three_products(sessions: Sessions, root: Path) -> Order:
    for sku, objects in (("maps", 1), ("scenes", 5), ("texts", 2)):
        files = {f"{sku}{n}": {"data.bin": bytes([n]) * 1000 * (n + 1), "meta.xml": b"<m/>"} for n in range(objects)}
        await add_product(sessions, root / sku, sku, files)
    return await add_order(sessions, {"maps": "all", "scenes": "all", "texts": "all"})


class HungTargets(DeliveryTargets):
    """Destinations of which none takes a byte before the test is over."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.over = asyncio.Event(), Event()
        self._loop = asyncio.get_running_loop()

    def target(self, place: DestinationLocation, sealed: str | None, owner: str) -> Target:
        return self

    def deliver(self, upload: ArchiveUpload, blocks: Iterator[memoryview]) -> str:
        self._loop.call_soon_threadsafe(self.asked.set)
        self.over.wait()
        return upload.key

    def probe(self) -> None:
        """Nothing to be seen."""


async def test_deliveries_that_hang_take_no_place_from_those_who_read(
    temporal: WorkflowEnvironment, sessions: Sessions, tmp_path: Path
) -> None:
    order, _ = await to_folder(sessions, tmp_path)
    client, targets, living = temporal.client, HungTargets(), [order]
    deliver = DeliveringActivities(sessions, targets).deliver_suborder
    async with (
        orders_worker(client, sessions, ShopSettings()),
        packaging_worker(client, sessions, deliver=deliver, max_concurrent_activities=1),
        deliveries_worker(client, sessions, deliver, max_concurrent_activities=1),
    ):
        try:
            await start_order(client, OrderStart(order, ["scenes"]))
            async with asyncio.timeout(60):
                await targets.asked.wait()
            living.append(await add_order(sessions, {"scenes": "all"}, label="other"))
            await start_order(client, OrderStart(living[1], ["scenes"]))
            async with asyncio.timeout(60):
                while (statuses := await rows(sessions, STATUSES)) != ["provisioning", "fulfilled"]:
                    assert statuses[0] == "provisioning"
        finally:
            targets.over.set()
            for started in living:
                await client.get_workflow_handle(started.workflow_id).terminate()


def empty_out(root: Path) -> None:
    for file in root.glob("*/*/*"):
        file.unlink()


async def settled(sessions: Sessions) -> str:
    """The status of the one order as soon as nothing more happens by itself."""
    async with asyncio.timeout(60):
        while True:
            (status,) = await rows(sessions, "SELECT status FROM orders")
            if status in {"fulfilled", "fulfilled_with_warnings", "failed"}:
                return str(status)


async def fulfil(client: Client, sessions: Sessions, order: Order) -> Any:
    """The last status of the order, by workers as `consignor worker` runs them."""
    async with (
        orders_worker(client, sessions, ShopSettings(max_files_per_suborder=4)),
        packaging_worker(client, sessions),
    ):
        await start_order(client, OrderStart(order, ["maps", "scenes", "texts"]))
        status = await settled(sessions)
        await client.get_workflow_handle(order.workflow_id).terminate()
        return status


async def test_an_order_of_several_products_is_fulfilled(
    temporal: WorkflowEnvironment, sessions: Sessions, tmp_path: Path
) -> None:
    order = await an_order_of_three_products(sessions, tmp_path)
    assert await fulfil(temporal.client, sessions, order) == "fulfilled"
    suborders = sorted(await rows(sessions, SUBORDERS))
    assert [s[0] for s in suborders] == [1, 2, 3, 4, 5]
    assert sorted(s[1:] for s in suborders) == [
        ("maps", "ready", 2, 0, True),
        ("scenes", "ready", 2, 0, True),
        ("scenes", "ready", 4, 0, True),
        ("scenes", "ready", 4, 0, True),
        ("texts", "ready", 4, 0, True),
    ]
    size = 1000 + (1 + 2 + 3 + 4 + 5) * 1000 + (1 + 2) * 1000 + 8 * len(b"<m/>")
    assert await rows(sessions, TOTALS) == [("fulfilled", 16, 16, 0, size, size, 10)]
    states = "SELECT state, count(*), count(crc32), count(sha256) FROM order_files GROUP BY state"
    assert await rows(sessions, states) == [("available", 16, 16, 16)]


async def test_its_timeline_tells_the_whole_story_without_a_gap(
    temporal: WorkflowEnvironment, sessions: Sessions, tmp_path: Path
) -> None:
    order = await an_order_of_three_products(sessions, tmp_path)
    (tmp_path / "scenes" / "scenes3" / "data.bin").write_bytes(b"\0" * 4000)
    assert await fulfil(temporal.client, sessions, order) == "fulfilled_with_warnings"
    story = await rows(sessions, TIMELINE)
    assert [row[0] for row in story] == list(range(1, 11))
    assert [row[1:4] for row in story[:4]] == [
        ("submitted", None, "pending_payment"),
        ("payment_confirmed", "pending_payment", "payment_confirmed"),
        ("started", "payment_confirmed", "validating"),
        ("validated", "validating", "provisioning"),
    ]
    assert sorted(row[4] for row in story[4:9]) == [1, 2, 3, 4, 5]
    assert story[9][1:4] == ("settled_with_failures", "provisioning", "fulfilled_with_warnings")
    failed = "SELECT object_name, name, failure_code FROM order_files WHERE state = 'failed'"
    assert await rows(sessions, failed) == [("scenes3", "data.bin", "checksum_mismatch")]


async def test_an_order_that_cannot_be_is_refused_with_every_fault(
    temporal: WorkflowEnvironment, sessions: Sessions, tmp_path: Path
) -> None:
    order = await an_order_of_three_products(sessions, tmp_path)
    empty_out(tmp_path)
    assert await fulfil(temporal.client, sessions, order) == "failed"
    refused = "SELECT status, failure_code, jsonb_array_length(faults) FROM orders"
    assert await rows(sessions, refused) == [("failed", "source_missing", 16)]
    assert await rows(sessions, "SELECT count(*) FROM suborders") == [0]


async def test_an_order_that_is_partly_gone_delivers_what_is_there_and_tells_what_is_not(
    temporal: WorkflowEnvironment, sessions: Sessions, tmp_path: Path
) -> None:
    order = await an_order_of_three_products(sessions, tmp_path)
    (tmp_path / "scenes" / "scenes1" / "data.bin").unlink()
    await rows(sessions, "UPDATE products SET access_groups = '{friends}' WHERE sku = 'maps' RETURNING id")
    await rows(sessions, "UPDATE catalogue_objects SET changed_at = now() WHERE name = 'texts0' RETURNING id")
    texts1 = "SELECT id FROM catalogue_objects WHERE name = 'texts1'"
    await rows(sessions, f"DELETE FROM catalogue_files WHERE object_id IN ({texts1}) RETURNING id")
    assert await fulfil(temporal.client, sessions, order) == "fulfilled_with_warnings"
    told = "SELECT files_total, files_available, files_failed, files_left_out, warnings_total FROM orders"
    assert await rows(sessions, told) == [(10, 9, 1, 6, 3)]
    warned = await rows(sessions, "SELECT w->>'code' FROM orders, jsonb_array_elements(warnings) w ORDER BY 1")
    assert warned == ["catalogue_changed", "unknown_id", "unknown_id"]
    planned = await rows(sessions, "SELECT DISTINCT sku FROM suborders")
    assert planned == ["scenes"]
    validated = "SELECT reason_code, reason_text LIKE '%and 3 more faults' FROM timeline WHERE what = 'validated'"
    assert await rows(sessions, validated) == [("unknown_id", True)]
