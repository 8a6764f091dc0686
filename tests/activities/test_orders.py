"""The projection of an order: news are recorded once, in whatever order and however often they come."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from activities.orders import OrderActivities, TimelineConflict
from activities.planning import PlanningActivities
from activities.staging import StagingActivities
from models.errors import Failure, FailureCode, Fault
from models.messages import OrderBrief, OrderRef, Projection, SubOrderFailed, SubOrderPage, TimelineEntry
from models.order import OrderStatus
from models.splitting import Limits
from models.tables import Order
from tests.activities.builders import Sessions, everything, placed, planned, run
from tests.factories import a_shop
from tests.services.catalogue_sources import rows

S = OrderStatus
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
ORDER = "SELECT version, status, status_at, failure_code, failure_text, faults FROM orders"
MISSING = Failure(code=FailureCode.SOURCE_MISSING, text="a.tif is not there")
FAULTS = (Fault(field="a.tif", code="source_missing", text="a.tif is not there"),)


@pytest.fixture
async def order(sessions: Sessions, tmp_path: Path) -> Order:
    return await placed(sessions, tmp_path)


def entry(sequence: int, before: OrderStatus, after: OrderStatus, **more: Any) -> TimelineEntry:
    return TimelineEntry(
        sequence=sequence,
        at=NOON + timedelta(minutes=sequence),
        actor="system",
        what=f"step_{sequence}",
        status_before=before,
        status_after=after,
        **more,
    )


CONFIRMED = entry(2, S.PENDING_PAYMENT, S.PAYMENT_CONFIRMED, reason_code="free", reason_text="Nothing to pay")
STARTED = entry(3, S.PAYMENT_CONFIRMED, S.VALIDATING)
REFUSED = entry(4, S.VALIDATING, S.FAILED, failure=MISSING, faults=FAULTS)


async def record(sessions: Sessions, order: Order, entries: Sequence[TimelineEntry]) -> None:
    await run(OrderActivities(sessions).record, Projection(order_id=order.id, entries=tuple(entries)))


async def test_the_workflow_is_told_what_it_has_to_know(sessions: Sessions, order: Order) -> None:
    for _ in range(2):
        brief = await run(OrderActivities(sessions).open_order, OrderRef(order_id=order.id))
        assert brief == OrderBrief(
            number=order.number, status=S.PENDING_PAYMENT, version=1, is_free=True, status_at=order.status_at
        )


async def test_a_later_workflow_is_told_where_the_order_stands(sessions: Sessions, order: Order) -> None:
    end = NOON + timedelta(days=7)
    refused = entry(4, S.VALIDATING, S.FAILED, failure=MISSING).model_copy(
        update={"what": "refused", "expires_at": end}
    )
    reminder = entry(5, S.FAILED, S.FAILED).model_copy(update={"what": "expiry_reminder"})
    await record(sessions, order, [CONFIRMED, STARTED, refused, reminder])
    for _ in range(2):
        brief = await run(OrderActivities(sessions).open_order, OrderRef(order_id=order.id))
        assert (brief.status, brief.origin, brief.version) == (S.FAILED, S.VALIDATING, 5)
        assert (brief.status_at, brief.expires_at, brief.reminded) == (refused.at, end, True)


async def test_an_order_with_a_price_is_not_free(sessions: Sessions, tmp_path: Path) -> None:
    order = await placed(sessions, tmp_path, price=Decimal("0.01"))
    assert not (await run(OrderActivities(sessions).open_order, OrderRef(order_id=order.id))).is_free


async def test_other_news_under_numbers_that_are_taken_are_refused_and_change_nothing(
    sessions: Sessions, order: Order
) -> None:
    await record(sessions, order, [CONFIRMED, STARTED])
    once = await everything(sessions)
    otherwise = REFUSED.model_copy(update={"sequence": 3})
    for entries in ([otherwise], [otherwise, REFUSED], [CONFIRMED, otherwise, REFUSED]):
        with pytest.raises(TimelineConflict, match="as after a reset"):
            await record(sessions, order, entries)
        assert await everything(sessions) == once


async def test_news_that_are_told_again_later_are_the_same_news(sessions: Sessions, order: Order) -> None:
    await record(sessions, order, [CONFIRMED, STARTED])
    once = await everything(sessions)
    later = STARTED.model_copy(update={"at": STARTED.at + timedelta(minutes=1)})
    await record(sessions, order, [later])
    assert await everything(sessions) == once


async def test_news_recorded_twice_are_recorded_once(sessions: Sessions, order: Order) -> None:
    await record(sessions, order, [CONFIRMED, STARTED])
    once = await everything(sessions)
    await record(sessions, order, [CONFIRMED, STARTED])
    assert await everything(sessions) == once
    assert await rows(sessions, ORDER) == [(3, "validating", STARTED.at, None, None, [])]
    columns = "sequence, at, actor, what, status_before, status_after, reason_code, reason_text"
    assert (await rows(sessions, f"SELECT {columns} FROM timeline ORDER BY sequence"))[1:] == [
        (2, CONFIRMED.at, "system", "step_2", "pending_payment", "payment_confirmed", "free", "Nothing to pay"),
        (3, STARTED.at, "system", "step_3", "payment_confirmed", "validating", None, None),
    ]


async def test_news_that_come_late_fill_the_timeline_and_leave_the_status(sessions: Sessions, order: Order) -> None:
    await record(sessions, order, [STARTED])
    newest = await rows(sessions, ORDER)
    await record(sessions, order, [CONFIRMED])
    assert await rows(sessions, ORDER) == newest
    assert await rows(sessions, "SELECT sequence FROM timeline ORDER BY sequence") == [1, 2, 3]


async def test_late_news_do_not_clear_why_an_order_failed(sessions: Sessions, order: Order) -> None:
    await record(sessions, order, [CONFIRMED, STARTED, REFUSED])
    failed = await rows(sessions, ORDER)
    await record(sessions, order, [STARTED])
    assert await rows(sessions, ORDER) == failed


async def test_a_failed_order_carries_why_with_every_fault(sessions: Sessions, order: Order) -> None:
    await record(sessions, order, [CONFIRMED, STARTED, REFUSED])
    faults = [{"field": "a.tif", "code": "source_missing", "text": "a.tif is not there"}]
    assert await rows(sessions, ORDER) == [(4, "failed", REFUSED.at, "source_missing", MISSING.text, faults)]
    why = "SELECT reason_code, reason_text, details FROM timeline WHERE sequence = 4"
    assert await rows(sessions, why) == [("source_missing", MISSING.text, {"category": "configuration", "faults": 1})]


async def test_a_note_on_a_failed_order_leaves_why_it_failed(sessions: Sessions, order: Order) -> None:
    note = entry(5, S.FAILED, S.FAILED)
    await record(sessions, order, [CONFIRMED, STARTED, REFUSED, note])
    assert await rows(sessions, "SELECT version, failure_code FROM orders") == [(5, "source_missing")]
    await record(sessions, order, [entry(6, S.FAILED, S.FAILED)])
    assert await rows(sessions, "SELECT version, failure_code FROM orders") == [(6, "source_missing")]


async def test_an_order_that_goes_on_is_no_longer_failed(sessions: Sessions, order: Order) -> None:
    await record(sessions, order, [CONFIRMED, STARTED, REFUSED])
    again = entry(5, S.FAILED, S.VALIDATING)
    await record(sessions, order, [again])
    assert await rows(sessions, ORDER) == [(5, "validating", again.at, None, None, [])]


async def test_a_note_does_not_move_the_instant_of_the_status(sessions: Sessions, order: Order) -> None:
    await record(sessions, order, [CONFIRMED, STARTED])
    note = entry(4, S.VALIDATING, S.VALIDATING, suborder=1, details={"available": 3})
    await record(sessions, order, [note])
    assert await rows(sessions, "SELECT version, status_at FROM orders") == [(4, STARTED.at)]
    noted = "SELECT suborder, details FROM timeline WHERE sequence = 4"
    assert await rows(sessions, noted) == [(1, {"available": 3})]


async def test_sub_orders_come_in_pages_without_the_settled_ones(sessions: Sessions, order: Order) -> None:
    one_file_each = Limits(max_files=1)
    ref = OrderRef(order_id=order.id)
    assert await run(PlanningActivities(sessions, a_shop(one_file_each)).plan_suborders, ref) == 2
    page = SubOrderPage(order_id=order.id, after=0, limit=1)
    for _ in range(2):
        (brief,) = (await run(OrderActivities(sessions).open_suborders, page)).briefs
        assert (brief.number, brief.sku, brief.files, brief.bytes) == (1, "scenes", 1, 3000)
    rest = await run(OrderActivities(sessions).open_suborders, page.model_copy(update={"after": 1}))
    assert [b.number for b in rest.briefs] == [2]
    await rows(sessions, "UPDATE suborders SET state = 'ready' WHERE number = 1 RETURNING number")
    unsettled = await run(OrderActivities(sessions).open_suborders, page.model_copy(update={"limit": 10}))
    assert [b.number for b in unsettled.briefs] == [2]


async def test_the_tally_counts_all_files_and_names_the_commonest_failure(sessions: Sessions, tmp_path: Path) -> None:
    order = await planned(sessions, tmp_path)
    (tmp_path / "s1" / "a.tif").unlink()
    (tmp_path / "s1" / "b.tif").write_bytes(b"b")
    (tmp_path / "s2" / "c.tif").write_bytes(b"c")
    failed = SubOrderFailed(order_id=order.id, number=1, failure=MISSING)
    staging = StagingActivities(sessions)
    tally = await run(OrderActivities(sessions).tally, OrderRef(order_id=order.id))
    assert (tally.files, tally.failed, tally.bytes, tally.failure) == (3, 0, 6000, None)
    await run(staging.give_up_files, failed)
    for _ in range(2):
        tally = await run(OrderActivities(sessions).tally, OrderRef(order_id=order.id))
        assert (tally.files, tally.failed, tally.bytes, tally.failure) == (3, 3, 6000, MISSING)


@pytest.mark.parametrize(
    ("limit", "left_out", "told"), [(66, 0, "2 of 3 files (66.67 %)"), (67, 0, None), (67, 1, "3 of 4 files (75 %)")]
)
async def test_the_tally_tells_where_more_has_failed_than_the_order_allows(
    sessions: Sessions, tmp_path: Path, limit: int, left_out: int, told: str | None
) -> None:
    order = await planned(sessions, tmp_path)
    policy = f"max_failed_percent = {limit}, files_left_out = {left_out}"
    await rows(sessions, f"UPDATE orders SET {policy} RETURNING id")
    await rows(sessions, "UPDATE suborders SET files_failed = 2 RETURNING number")
    tally = await run(OrderActivities(sessions).tally, OrderRef(order_id=order.id))
    assert (tally.too_many and tally.too_many.text.partition(" cannot")[0]) == told
