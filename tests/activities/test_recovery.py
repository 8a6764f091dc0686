"""Starting the workflow of an order: any number of times, once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.runtime import MetricBuffer
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.meters import REVIVED
from activities.meters import STARTED as STARTED_WORKFLOWS
from activities.recovery import GRACE, RecoveryActivities
from cli.dev.ports import any_free
from models.tables import Order
from temporal import search_attributes as attributes
from temporal.converter import DATA_CONVERTER
from temporal.search_attributes import opaque
from temporal.start import OrderStart, start_order
from tests.activities.builders import Sessions
from tests.activities.metering import counted, metered
from tests.factories import add_order, add_product, make_ready
from tests.services.catalogue_sources import rows

STARTED = "SELECT label, started_at IS NOT NULL FROM orders ORDER BY label"


@pytest.fixture
async def client(temporal: WorkflowEnvironment) -> AsyncIterator[Client]:
    """A client of the test server; no worker runs, and what was started is gone afterwards."""
    yield temporal.client
    async for execution in temporal.client.list_workflows("ExecutionStatus = 'Running'"):
        await temporal.client.get_workflow_handle(execution.id).terminate()


@pytest.fixture
async def unreachable() -> Client:
    """A client of a Temporal that is not there."""
    return await Client.connect(f"127.0.0.1:{any_free()}", data_converter=DATA_CONVERTER, lazy=True)


async def order_of(sessions: Sessions, label: str, age: timedelta = GRACE * 2) -> Order:
    now = datetime.now(UTC)
    return await add_order(sessions, {"scenes": "all"}, label=label, now=now - age)


@pytest.fixture
async def order(sessions: Sessions, tmp_path: Path) -> Order:
    await add_product(sessions, tmp_path, "scenes", {"o": {"a.tif": b"12345", "b.tif": b"1"}})
    return await order_of(sessions, "old")


def workflow_of(client: Client, order: Order) -> WorkflowHandle[Any, Any]:
    return client.get_workflow_handle(order.workflow_id)


async def start_missing(sessions: Sessions, client: Client, environment: ActivityEnvironment | None = None) -> int:
    environment = environment or ActivityEnvironment()
    return await environment.run(RecoveryActivities(sessions, client).start_missing_orders)


async def test_starting_twice_starts_once(client: Client, order: Order) -> None:
    await start_order(client, OrderStart(order, ["scenes"]))
    run = (await workflow_of(client, order).describe()).run_id
    await start_order(client, OrderStart(order, ["scenes"]))
    assert (await workflow_of(client, order).describe()).run_id == run


async def test_an_order_whose_workflow_has_ended_is_not_started_again(client: Client, order: Order) -> None:
    await start_order(client, OrderStart(order, ["scenes"]))
    await workflow_of(client, order).terminate()
    await start_order(client, OrderStart(order, ["scenes"]))
    assert (await workflow_of(client, order).describe()).status is WorkflowExecutionStatus.TERMINATED


async def test_an_order_of_before_workflows_had_numbers_is_found_under_its_old_id(
    sessions: Sessions, client: Client, order: Order
) -> None:
    assert order.workflow_id == f"{order.number}/{order.id}"
    await changed(sessions, kept_workflow_id=None, started_at=datetime.now(UTC) - GRACE * 2)
    order.kept_workflow_id = None
    await start_order(client, OrderStart(order, ["scenes"]))
    assert (await client.get_workflow_handle(f"order-{order.id}").describe()).status is WorkflowExecutionStatus.RUNNING
    assert await start_missing(sessions, client) == 0


async def test_an_order_can_be_found_and_read_in_the_temporal_ui(client: Client, order: Order) -> None:
    await start_order(client, OrderStart(order, ["scenes"]))
    there = await workflow_of(client, order).describe()
    assert there.workflow_type == "order"
    assert await there.static_summary() == f"{order.number} · 2 files · 6 B · scenes"
    found = there.typed_search_attributes
    assert (found[attributes.STATUS], found[attributes.NUMBER]) == ("pending_payment", order.number)
    assert (found[attributes.SKUS], found[attributes.BYTES], found[attributes.ERRORS]) == (["scenes"], 6, 0)
    assert found[attributes.CUSTOMER] == opaque(order.customer)


def test_a_customer_is_always_the_same_stranger_to_temporal() -> None:
    assert opaque("maria@example.org") == opaque("maria@example.org")
    assert opaque("maria@example.org") != opaque("mario@example.org")
    assert "maria" not in opaque("maria@example.org")


async def test_accepted_orders_without_a_workflow_are_started(sessions: Sessions, client: Client, order: Order) -> None:
    another = await order_of(sessions, "older", GRACE * 3)
    young = await order_of(sessions, "young", timedelta(0))
    buffer = MetricBuffer(100)
    assert await start_missing(sessions, client, metered(buffer)) == 2
    assert counted(buffer) == {(STARTED_WORKFLOWS, None): 2}
    assert await rows(sessions, STARTED) == [("old", True), ("older", True), ("young", False)]
    for started in (order, another):
        assert (await workflow_of(client, started).describe()).status is WorkflowExecutionStatus.RUNNING
    with pytest.raises(RPCError, match="not found"):
        await workflow_of(client, young).describe()
    assert await start_missing(sessions, client) == 0


async def test_one_that_has_its_workflow_already_is_only_marked(
    sessions: Sessions, client: Client, order: Order
) -> None:
    await start_order(client, OrderStart(order, ["scenes"]))
    run = (await workflow_of(client, order).describe()).run_id
    assert await start_missing(sessions, client) == 1
    assert await rows(sessions, STARTED) == [("old", True)]
    assert (await workflow_of(client, order).describe()).run_id == run


async def test_nothing_is_lost_while_temporal_is_unreachable(
    sessions: Sessions, client: Client, unreachable: Client, order: Order
) -> None:
    for _ in range(2):
        with pytest.raises((RPCError, RuntimeError, TimeoutError)):
            await start_missing(sessions, unreachable)
        assert await rows(sessions, STARTED) == [("old", False)]
    assert await start_missing(sessions, client) == 1
    assert await rows(sessions, STARTED) == [("old", True)]


async def changed(sessions: Sessions, **values: Any) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).values(values))


@pytest.mark.parametrize("known", [True, False])
async def test_an_order_whose_workflow_was_lost_goes_on_once(
    sessions: Sessions, client: Client, order: Order, known: bool
) -> None:
    if known:
        await start_order(client, OrderStart(order, ["scenes"]))
        await workflow_of(client, order).terminate()
    await changed(sessions, status="provisioning", started_at=datetime.now(UTC) - GRACE)
    buffer = MetricBuffer(100)
    assert await start_missing(sessions, client, metered(buffer)) == 1
    assert counted(buffer) == {(REVIVED, None): 1}
    revived = await workflow_of(client, order).describe()
    assert revived.status is WorkflowExecutionStatus.RUNNING
    assert revived.typed_search_attributes[attributes.STATUS] == "provisioning"
    assert await start_missing(sessions, client) == 0
    assert (await workflow_of(client, order).describe()).run_id == revived.run_id


@pytest.mark.parametrize(
    ("status", "left", "needs"),
    [
        *((status, None, True) for status in ("draft", "paused", "failed")),
        *((status, None, False) for status in ("cancelled", "expired", "deleted")),
        *((status, timedelta(days=1), True) for status in ("fulfilled", "fulfilled_with_warnings")),
        *((status, -timedelta(days=1), False) for status in ("fulfilled", "fulfilled_with_warnings")),
    ],
)
async def test_an_open_or_kept_order_needs_a_workflow(
    sessions: Sessions, client: Client, order: Order, status: str, left: timedelta | None, needs: bool
) -> None:
    now = datetime.now(UTC)
    await changed(sessions, status=status, started_at=now - GRACE, expires_at=left and now + left)
    assert await start_missing(sessions, client) == int(needs)


async def test_an_order_whose_time_is_up_with_something_not_downloaded_needs_a_workflow_to_expire(
    sessions: Sessions, client: Client, order: Order
) -> None:
    await make_ready(sessions, order)
    past = datetime.now(UTC) - GRACE
    await changed(sessions, status="fulfilled", started_at=past, expires_at=past)
    assert await start_missing(sessions, client) == 1
