"""Activities of the order workflow: they open an order, record what happened and count its results."""

from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import col
from temporalio import activity
from temporalio.exceptions import ApplicationError

from models.errors import Failure, FailureCode, Fault
from models.messages import (
    OrderBrief,
    OrderRef,
    Projection,
    SettlementTotals,
    SubOrderBrief,
    SubOrderPage,
    SubOrders,
    TimelineEntry,
)
from models.order import BEFORE_PAYMENT, Event, OrderStatus
from models.queries import orders as queries
from models.queries.blockers import clear_of_order
from models.queries.destinations import NAME_DELIVERIES, is_undelivered, undelivered_of
from models.queries.prices import give_back_coupon
from models.shop_settings import ShopSettings
from models.status_facts import AVAILABLE_SUBORDERS, UNSETTLED_SUBORDERS
from models.tables import Order, SubOrder, TimelineRow
from services.placing import keep_warnings
from services.shop_settings import effective_settings

log = structlog.get_logger()

_REMINDER = "expiry_reminder"
_OF_THE_END = (_REMINDER, "extended", Event.REFUSED, Event.SETTLED, Event.SETTLED_WITH_FAILURES, Event.SETTLED_FAILED)
"""What moves the end of an order's life, or reminds of it."""

_SHOWN_FAULTS = 20
"""Faults of a failed order that its workflow is told when it begins again: what the Temporal UI shows of them."""

_NAMED = {"suborder_delivered", "suborder_not_delivered"}
"""Entries that PostgreSQL completes with what no workflow may know."""


class TimelineConflict(ApplicationError):
    """The timeline has gone on otherwise than this run of the workflow knows, as after a reset in the Temporal UI.

    The run must end: it decides by a past that is not the order's. The reconciler starts another from the rows.
    """

    code = "timeline_conflict"

    def __init__(self) -> None:
        text = "the order has gone on without this run, as after a reset; another takes it up from its rows in a minute"
        super().__init__(text, type=self.code, non_retryable=True)


@dataclass(frozen=True)
class OrderActivities:
    """Activities on an order's own rows."""

    sessions: async_sessionmaker[AsyncSession]
    shop: ShopSettings = field(default_factory=ShopSettings)

    @activity.defn
    async def open_order(self, order: OrderRef) -> OrderBrief:
        """Tell the workflow of its order, and where it stands: the workflow may not be its first."""
        async with self.sessions.begin() as session:
            found = (await session.execute(queries.order_by_id(order.order_id))).scalar_one()
            origin = (await session.execute(queries.origin_of(order.order_id))).scalar_one_or_none()
            last = (await session.execute(queries.last_told(order.order_id, _OF_THE_END))).scalar_one_or_none()
            shop = await effective_settings(session, self.shop)
        return OrderBrief(
            number=found.number,
            status=OrderStatus(found.status),
            version=found.version,
            is_free=found.total_price == 0,
            terms=shop.values.terms,
            status_at=found.status_at,
            origin=OrderStatus(origin) if origin else None,
            expires_at=found.expires_at,
            reminded=last == _REMINDER,
            failed_files=found.files_failed,
            failure=_failure_of(found),
            faults=tuple(Fault.model_validate(fault) for fault in found.faults[:_SHOWN_FAULTS]),
        )

    @activity.defn
    async def record(self, news: Projection) -> None:
        """Project a status and its timeline rows; news that came before leave everything as it is.

        Raises TimelineConflict where other news have these numbers already.
        """
        newest = news.entries[-1]
        rows = [{"order_id": news.order_id, **_row(entry)} for entry in news.entries]
        async with self.sessions.begin() as session:
            if warnings := _warnings(news):
                order = (await session.execute(queries.order_by_id(news.order_id).with_for_update())).scalar_one()
                if order.version < newest.sequence:
                    keep_warnings(order, warnings)
                    await session.flush()
            await session.execute(
                sa.update(Order)
                .where(col(Order.id) == news.order_id, col(Order.version) < newest.sequence)
                .values(
                    version=newest.sequence,
                    status=newest.status_after,
                    **_since(news),
                    **_expiry(news),
                    **_failure(news),
                )
            )
            if any(_ends_unpaid(entry) for entry in news.entries):
                await session.execute(give_back_coupon(news.order_id))
            if _since(news):
                await session.execute(clear_of_order(news.order_id))
            inserted = insert(TimelineRow).values(rows).on_conflict_do_nothing().returning(col(TimelineRow.sequence))
            if len((await session.scalars(inserted)).all()) < len(rows):
                await _require_same(session, news)
            if sequences := [entry.sequence for entry in news.entries if entry.what in _NAMED]:
                where = {"order_id": news.order_id, "sequences": sequences}
                await session.execute(NAME_DELIVERIES, where)
        for entry in news.entries:
            _log(entry)

    @activity.defn
    async def open_suborders(self, page: SubOrderPage) -> SubOrders:
        """The next sub-orders that have not settled, or whose archive has yet to be delivered."""
        query = (
            queries.suborders_of(page.order_id)
            .where(
                col(SubOrder.number) > page.after,
                sa.or_(col(SubOrder.state).in_(UNSETTLED_SUBORDERS), is_undelivered()),
            )
            .limit(page.limit)
        )
        async with self.sessions.begin() as session:
            order = (await session.execute(queries.order_by_id(page.order_id))).scalar_one()
            found = (await session.execute(query)).scalars()
            briefs = [_brief(s, order.destination_id is not None) for s in found]
            total, settled, size, done = (await session.execute(queries.settled_suborders_of(page.order_id))).one()
        return SubOrders(briefs=tuple(briefs), total=total, settled=settled, bytes=size, bytes_settled=done)

    @activity.defn
    async def tally(self, order: OrderRef) -> SettlementTotals:
        """Count what all sub-orders came to."""
        async with self.sessions.begin() as session:
            files, failed, size = (await session.execute(queries.tally_of(order.order_id))).one()
            worst = (await session.execute(queries.commonest_failure_of(order.order_id))).one_or_none()
            undelivered = (await session.execute(undelivered_of(order.order_id))).scalar_one()
            found = (await session.execute(queries.order_by_id(order.order_id))).scalar_one()
        failure = Failure(code=FailureCode(worst[0] or ""), text=worst[1] or "") if worst else None
        left_out = found.files_left_out
        return SettlementTotals(
            files=files,
            failed=failed,
            bytes=size,
            failure=failure,
            undelivered=undelivered,
            left_out=left_out,
            # Where none is left, the commonest failure says more.
            too_many=found.failure_policy.too_many(failed + left_out, files + left_out) if failed < files else None,
        )


def _ends_unpaid(entry: TimelineEntry) -> bool:
    """Whether an order is over before it was paid."""
    return entry.status_before in BEFORE_PAYMENT and entry.status_after is OrderStatus.CANCELLED


async def _require_same(session: AsyncSession, news: Projection) -> None:
    """Raise TimelineConflict unless the rows of these numbers say what these entries say.

    Their times may differ: a run that was reset to just before it told something tells it again, later.
    """
    columns = [col(getattr(TimelineRow, name)) for name in _SAID]
    query = sa.select(*columns).where(
        col(TimelineRow.order_id) == news.order_id,
        col(TimelineRow.sequence).in_([entry.sequence for entry in news.entries]),
    )
    said = {tuple(_row(entry)[name] for name in _SAID) for entry in news.entries}
    if {tuple(row) for row in await session.execute(query)} != said:
        raise TimelineConflict


_SAID = ("sequence", "what", "actor", "suborder", "status_before", "status_after", "reason_code")


def _brief(suborder: SubOrder, delivers: bool) -> SubOrderBrief:
    return SubOrderBrief(
        number=suborder.number,
        sku=suborder.sku,
        files=suborder.files_total,
        bytes=suborder.bytes_total,
        delivers=delivers,
        published=suborder.state in AVAILABLE_SUBORDERS,
    )


def _log(entry: TimelineEntry) -> None:
    """Say in the worker's log what has come of an order; who did it and what people have written stay out of it."""
    code = entry.failure.code.value if entry.failure else entry.reason_code
    by = entry.actor.partition(":")[0]
    said = {"status": entry.status_after.value, "by": by, "suborder": entry.suborder, "code": code}
    log.info(entry.what, **{**entry.details, **{name: value for name, value in said.items() if value is not None}})


def _failure_of(order: Order) -> Failure | None:
    if order.failure_code is None:
        return None
    return Failure(code=FailureCode(order.failure_code), text=order.failure_text or "")


def _since(news: Projection) -> dict[str, object]:
    """The instant of the newest change of status among the news, if there is one."""
    changes = [entry.at for entry in news.entries if entry.status_after is not entry.status_before]
    return {"status_at": changes[-1]} if changes else {}


def _expiry(news: Projection) -> dict[str, object]:
    """The newest end of the order's life among the news, if there is one."""
    ends = [entry.expires_at for entry in news.entries if entry.expires_at is not None]
    return {"expires_at": ends[-1]} if ends else {}


def _failure(news: Projection) -> dict[str, object]:
    """A failed order carries why; any other status clears it."""
    if news.entries[-1].status_after is not OrderStatus.FAILED:
        return {"failure_code": None, "failure_text": None, "faults": []}
    # Not always the newest: a note on the failed order may have come along in the same news.
    for entry in reversed(news.entries):
        if entry.failure is not None and entry.status_after is OrderStatus.FAILED:
            faults = [fault.model_dump() for fault in entry.faults]
            return {"failure_code": entry.failure.code, "failure_text": entry.failure.text, "faults": faults}
    return {}


def _warnings(news: Projection) -> list[Fault]:
    """What the catalogue has lost or changed of an order that goes on; files that fail are told by themselves."""
    faults = (fault for entry in news.entries if entry.what == Event.VALIDATED for fault in entry.faults)
    return [fault for fault in faults if fault.code in {FailureCode.UNKNOWN_ID, FailureCode.CATALOGUE_CHANGED}]


def _row(entry: TimelineEntry) -> dict[str, object]:
    """The entry as columns; a failure becomes the reason, with its category among the details."""
    row = entry.model_dump(exclude={"failure", "faults", "expires_at"})
    if entry.failure is not None:
        row |= {"reason_code": entry.failure.code, "reason_text": entry.failure.text}
        row["details"] |= {"category": entry.failure.category, "faults": len(entry.faults)}
    return row
