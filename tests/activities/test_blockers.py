"""What holds an order up is noted while it is tried again, and forgotten when it moves."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from activities.blockers import claimed_attempt, recording_blocker
from activities.delivery import DeliveringActivities
from activities.orders import OrderActivities
from activities.planning import PlanningActivities
from activities.publishing import PublishingActivities
from activities.releasing import ReleasingActivities
from activities.staging import StagingActivities
from activities.validation import ValidationActivities
from models.destination import DestinationAllowlist
from models.errors import Failed, FailureCode
from models.messages import (
    BlockerNote,
    Delivered,
    OrderRef,
    Projection,
    Publication,
    Release,
    Reopening,
    SubOrderFailed,
    SubOrderInput,
    SubOrderPage,
    TimelineEntry,
)
from models.order import OrderStatus
from models.queries.blockers import BLOCKERS, BLOCKERS_OF_SUBORDERS
from models.steps import STEPS
from models.tables import Destination, Order
from storage.targets.registry import DeliveryTargets
from tests.activities.builders import (
    ATTEMPTS,
    Given,
    Result,
    Sessions,
    attempt_of,
    first_of,
    moved,
    placed,
    planned,
    run,
)
from tests.factories import make_ready
from tests.services.catalogue_sources import rows

NOTED = "SELECT suborder, code FROM troubles"
AWAY = "source_unavailable"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


async def tried(
    sessions: Sessions,
    work: Callable[[Given], Awaitable[Result]],
    message: Given,
    attempt: int = 1,
    told: list[BlockerNote] | None = None,
) -> Result:
    """Run one attempt of an activity as its worker does."""
    environment = attempt_of(attempt)
    environment.info = replace(environment.info, activity_type=work.__name__)

    async def tell(workflow_id: str, note: BlockerNote) -> None:
        if told is not None:
            told.append(note)

    async def recorded(given: Given) -> Result:
        async with recording_blocker(sessions, given, tell):
            return await work(given)

    return await environment.run(recorded, message)


async def become(sessions: Sessions, order: Order, status: OrderStatus, sequence: int) -> None:
    entry = TimelineEntry(
        sequence=sequence, at=NOON, actor="system", what="test", status_before=OrderStatus.DRAFT, status_after=status
    )
    news = Projection(order_id=order.id, entries=(entry,))
    await run(OrderActivities(sessions).record, news)


async def shown(sessions: Sessions, order: Order) -> list[Any]:
    async with sessions.begin() as session:
        found = await session.execute(BLOCKERS, {"order_ids": [order.id]})
        return [row.code for row in found]


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
            await tried(sessions, StagingActivities(sessions).stage_files, first_of(order), attempt=attempt)
        assert await rows(sessions, NOTED) == [(1, AWAY)]
        assert await shown(sessions, order) == [AWAY]
    moved(away, "archive")
    await tried(sessions, StagingActivities(sessions).stage_files, first_of(order), attempt=3)
    assert await rows(sessions, NOTED) == []


async def test_since_tells_when_the_trouble_began(sessions: Sessions, root: Path) -> None:
    order = await planned(sessions, root)
    moved(root, "away")
    since = []
    for attempt in (1, 2):
        with pytest.raises(Failed):
            await tried(sessions, StagingActivities(sessions).stage_files, first_of(order), attempt=attempt)
        since += await rows(sessions, "SELECT since FROM troubles")
    assert since[0] == since[1]


async def test_only_the_newest_attempt_may_note_its_trouble(sessions: Sessions, root: Path) -> None:
    order = await planned(sessions, root)
    moved(root, "away")
    for attempt in (1, 2):
        with pytest.raises(Failed):
            await tried(sessions, StagingActivities(sessions).stage_files, first_of(order), attempt=attempt)

    def failing(number: int) -> Callable[[SubOrderInput], Awaitable[None]]:
        async def stage_files(given: SubOrderInput) -> None:
            claimed_attempt.set(number)
            raise Failed(FailureCode.DISK_FULL, "no room")

        return stage_files

    for number, expected in ((1, AWAY), (2, "disk_full")):
        with pytest.raises(Failed):
            await tried(sessions, failing(number), first_of(order))
        assert await rows(sessions, NOTED) == [(1, expected)]


async def test_validation_says_what_it_waits_for_until_the_status_changes(sessions: Sessions, root: Path) -> None:
    order = await placed(sessions, root)
    await become(sessions, order, OrderStatus.VALIDATING, 2)
    away = moved(root, "away")
    for _ in range(2):
        with pytest.raises(Failed):
            await tried(sessions, ValidationActivities(sessions).validate_order, OrderRef(order_id=order.id))
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
        await tried(sessions, ValidationActivities(sessions).validate_order, OrderRef(order_id=order.id))
    assert await rows(sessions, NOTED) == []


async def test_what_will_not_be_tried_again_is_not_waited_for(sessions: Sessions, root: Path) -> None:
    order = await placed(sessions, root)
    await become(sessions, order, OrderStatus.VALIDATING, 2)

    async def validate_order(given: OrderRef) -> None:
        raise Failed(FailureCode.SOURCE_MISSING, "gone")

    with pytest.raises(Failed):
        await tried(sessions, validate_order, OrderRef(order_id=order.id))
    assert await rows(sessions, NOTED) == []


async def test_a_delivery_that_is_tried_again_says_what_since_when_and_when_next(
    sessions: Sessions, tmp_path: Path
) -> None:
    order = await ready_for_delivery(sessions, tmp_path)
    work, told = delivering(sessions, tmp_path), list[BlockerNote]()
    (tmp_path / "exports").rename(tmp_path / "unmounted")
    for attempt in (1, 2, 3):
        with pytest.raises(Failed):
            await tried(sessions, work, first_of(order), attempt, told)
    async with sessions.begin() as session:
        (row,) = await session.execute(BLOCKERS, {"order_ids": [order.id]})
        (same,) = await session.execute(BLOCKERS_OF_SUBORDERS, {"order_ids": [order.id]})
    assert (row.suborder, row.step, row.code, row.attempts, row.kind) == (
        1,
        "delivering",
        "destination_unavailable",
        3,
        "local",
    )
    assert row == same
    # The third pause of a policy that begins with a second and doubles.
    assert timedelta(seconds=2) < row.next_try_at - row.since
    assert [(note.number, note.step, note.failure.code) for note in told] == [(1, "delivering", row.code)]
    (tmp_path / "unmounted").rename(tmp_path / "exports")
    await tried(sessions, work, first_of(order), 4)
    assert await rows(sessions, NOTED) == []


async def test_a_delivery_that_is_given_up_waits_for_nothing(sessions: Sessions, tmp_path: Path) -> None:
    order = await ready_for_delivery(sessions, tmp_path)
    (tmp_path / "exports").rename(tmp_path / "unmounted")
    for attempt in (1, ATTEMPTS):
        with pytest.raises(Failed) as caught:
            await tried(sessions, delivering(sessions, tmp_path), first_of(order), attempt)
    assert await rows(sessions, "SELECT attempts FROM troubles") == [1]
    failed = SubOrderFailed(order_id=order.id, number=1, failure=caught.value.failure)
    await run(DeliveringActivities(sessions, DeliveryTargets()).give_up_delivery, failed)
    assert await shown(sessions, order) == []


async def test_no_activity_of_an_order_is_tried_again_in_silence(sessions: Sessions, root: Path) -> None:
    """Whatever a worker runs for an order has its step, and even a mistake of ours is told."""
    messages = (OrderRef, SubOrderInput, SubOrderFailed, Publication, Projection, Release, Reopening, SubOrderPage)
    classes: list[type] = [OrderActivities, PlanningActivities, PublishingActivities, ReleasingActivities]
    classes += [StagingActivities, ValidationActivities, DeliveringActivities]
    for kind in classes:
        for name, work in vars(kind).items():
            if hasattr(work, "__temporal_activity_definition"):
                assert name in STEPS, name
    assert all("order_id" in message.model_fields for message in messages)
    order = await placed(sessions, root)

    async def tally(given: OrderRef) -> None:
        raise RuntimeError("a mistake of ours")

    with pytest.raises(RuntimeError):
        await tried(sessions, tally, OrderRef(order_id=order.id))
    assert await shown(sessions, order) == ["internal"]


async def ready_for_delivery(sessions: Sessions, tmp_path: Path) -> Order:
    """An order whose one archive is ready, and goes to a folder."""
    (tmp_path / "exports").mkdir()
    order = await placed(sessions, tmp_path / "archive")
    folder = Destination(
        customer=order.customer, name="exports", kind="local", folder=str(tmp_path / "exports" / "maria")
    )
    async with sessions.begin() as session:
        session.add(folder)
        await session.flush()
        await session.execute(sa.update(Order).values(destination_id=folder.id, destination_name=folder.name))
    await make_ready(sessions, order)
    await become(sessions, order, OrderStatus.PROVISIONING, 2)
    return order


def delivering(sessions: Sessions, tmp_path: Path) -> Callable[[SubOrderInput], Awaitable[Delivered]]:
    allowed = DestinationAllowlist(roots=(str(tmp_path / "exports"),))
    return DeliveringActivities(sessions, DeliveryTargets(allowed)).deliver_suborder
