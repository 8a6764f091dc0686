"""What holds an order up is noted while it is tried again, and forgotten when it moves."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.blockers import BlockerScope, recording_blocker
from activities.orders import OrderActivities
from activities.staging import StagingActivities
from activities.validation import ValidationActivities
from models.errors import Failed, FailureCode
from models.messages import OrderRef, OrderTimeouts, Projection, TimelineEntry
from models.order import OrderStatus
from models.queries.blockers import BLOCKERS
from models.tables import Order
from tests.activities.builders import Sessions, first_of, moved, placed, planned, run
from tests.services.catalogue_sources import rows

NOTED = "SELECT suborder, code FROM troubles"
AWAY = "source_unavailable"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


async def become(sessions: Sessions, order: Order, status: OrderStatus, sequence: int) -> None:
    entry = TimelineEntry(
        sequence=sequence, at=NOON, actor="system", what="test", status_before=OrderStatus.DRAFT, status_after=status
    )
    news = Projection(order_id=order.id, entries=(entry,))
    await run(OrderActivities(sessions, OrderTimeouts()).record, news)


async def shown(sessions: Sessions, order: Order) -> list[Any]:
    async with sessions.begin() as session:
        found = await session.execute(BLOCKERS, {"order_ids": [order.id]})
        return [row[1] for row in found]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


async def test_a_sub_order_whose_storage_is_away_says_so_until_a_file_has_settled(
    sessions: Sessions, root: Path
) -> None:
    order = await planned(sessions, root)
    await become(sessions, order, OrderStatus.PROVISIONING, 2)
    away = moved(root, "away")
    for attempt in (1, 2):
        with pytest.raises(Failed):
            await run(StagingActivities(sessions).stage_files, first_of(order), attempt=attempt)
        assert await rows(sessions, NOTED) == [(1, AWAY)]
        assert await shown(sessions, order) == [AWAY]
    moved(away, "archive")
    await run(StagingActivities(sessions).stage_files, first_of(order), attempt=3)
    assert await rows(sessions, NOTED) == []


async def test_since_tells_when_the_trouble_began(sessions: Sessions, root: Path) -> None:
    order = await planned(sessions, root)
    moved(root, "away")
    since = []
    for attempt in (1, 2):
        with pytest.raises(Failed):
            await run(StagingActivities(sessions).stage_files, first_of(order), attempt=attempt)
        since += await rows(sessions, "SELECT since FROM troubles")
    assert since[0] == since[1]


async def test_only_the_newest_attempt_may_note_its_trouble(sessions: Sessions, root: Path) -> None:
    order = await planned(sessions, root)
    moved(root, "away")
    for attempt in (1, 2):
        with pytest.raises(Failed):
            await run(StagingActivities(sessions).stage_files, first_of(order), attempt=attempt)
    late = Failed(FailureCode.DISK_FULL, "no room")
    for number, expected in ((1, AWAY), (2, "disk_full")):
        with pytest.raises(Failed):
            async with recording_blocker(sessions, BlockerScope(order.id, 1, number)):
                raise late
        assert await rows(sessions, NOTED) == [(1, expected)]


async def test_validation_says_what_it_waits_for_until_the_status_changes(sessions: Sessions, root: Path) -> None:
    order = await placed(sessions, root)
    await become(sessions, order, OrderStatus.VALIDATING, 2)
    away = moved(root, "away")
    for _ in range(2):
        with pytest.raises(Failed):
            await run(ValidationActivities(sessions).validate_order, OrderRef(order_id=order.id))
        assert await rows(sessions, NOTED) == [(0, AWAY)]
        assert await shown(sessions, order) == [AWAY]
    moved(away, "archive")
    await become(sessions, order, OrderStatus.PROVISIONING, 3)
    assert await rows(sessions, NOTED) == []


async def test_a_late_validation_of_an_order_that_went_on_notes_nothing(sessions: Sessions, root: Path) -> None:
    order = await placed(sessions, root)
    await become(sessions, order, OrderStatus.PAUSED, 2)
    moved(root, "away")
    with pytest.raises(Failed):
        await run(ValidationActivities(sessions).validate_order, OrderRef(order_id=order.id))
    assert await rows(sessions, NOTED) == []


async def test_what_will_not_be_tried_again_is_not_waited_for(sessions: Sessions, root: Path) -> None:
    order = await placed(sessions, root)
    await become(sessions, order, OrderStatus.VALIDATING, 2)
    with pytest.raises(Failed):
        async with recording_blocker(sessions, BlockerScope(order.id)):
            raise Failed(FailureCode.SOURCE_MISSING, "gone")
    assert await rows(sessions, NOTED) == []
