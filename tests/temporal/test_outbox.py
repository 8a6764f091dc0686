"""The outbox: events are signalled to the workflow or appended to the timeline, once, however often it is tried."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from models.queries import downloads as queries
from models.tables import Order, OutboxEvent
from temporal.outbox import deliver_events
from tests.activities.builders import Sessions
from tests.factories import add_order, add_product, make_ready
from tests.services.catalogue_sources import rows

TIMELINE = "SELECT sequence, what, suborder, actor, details->>'notice' IS NOT NULL FROM timeline ORDER BY sequence DESC"


@pytest.fixture
async def ready(sessions: Sessions, tmp_path: Path) -> Order:
    """An order that is ready and has no workflow."""
    await add_product(sessions, tmp_path, "scenes", {"o": {"a": b"a"}})
    order = await add_order(sessions, {"scenes": "all"})
    await make_ready(sessions, order)
    return order


async def add_event(sessions: Sessions, order: Order) -> OutboxEvent:
    event = OutboxEvent(
        order_id=order.id, suborder=1, what="suborder_downloaded", at=datetime.now(UTC), actor="customer:local"
    )
    async with sessions.begin() as session:
        session.add(event)
        await session.flush()
    return event


async def test_an_event_of_a_closed_order_is_appended_once(
    sessions: Sessions, temporal: WorkflowEnvironment, ready: Order
) -> None:
    event = await add_event(sessions, ready)
    (before,) = await rows(sessions, "SELECT version FROM orders")
    for expected in (1, 0):
        which = queries.outbox_events(id_=event.id)
        assert await deliver_events(temporal.client, sessions, which) == expected
    # A copy that was told before it could be removed.
    async with sessions.begin() as session:
        session.add(OutboxEvent(**event.model_dump()))
    assert await deliver_events(temporal.client, sessions, queries.outbox_events(id_=event.id)) == 1
    newest = (await rows(sessions, TIMELINE))[0]
    assert newest == (before + 1, "suborder_downloaded", 1, "customer:local", True)
    assert await rows(sessions, "SELECT version FROM orders") == [before + 1]


async def test_the_reconciler_leaves_events_of_this_moment_to_the_api(
    sessions: Sessions, temporal: WorkflowEnvironment, ready: Order
) -> None:
    await add_event(sessions, ready)
    now = datetime.now(UTC)
    early, late = (
        queries.outbox_events(before=now - timedelta(minutes=1)),
        queries.outbox_events(before=now + timedelta(minutes=1)),
    )
    assert await deliver_events(temporal.client, sessions, early) == 0
    assert await deliver_events(temporal.client, sessions, late) == 1
