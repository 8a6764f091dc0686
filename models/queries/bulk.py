"""Bulks: their frozen lists, what is still to do, and what became of each order."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from models.bulk import MAX_ORDERS, NOT_FOUND, ItemResult
from models.listing import OrderFilter, Visibility
from models.messages import BULK_DETAIL
from models.queries.listing import ORDERS, matching, visible
from models.tables import Bulk, BulkItem, TimelineRow

RECORD = sa.text(
    """
    WITH written AS (
        UPDATE bulk_items SET result = :result, code = :code, text = :text
        WHERE bulk_id = :bulk_id AND order_id = :order_id AND result IS NULL
        RETURNING result
    )
    UPDATE bulks SET done = done + (SELECT count(*) FROM written WHERE result = 'done'),
        skipped = skipped + (SELECT count(*) FROM written WHERE result = 'skipped'),
        failed = failed + (SELECT count(*) FROM written WHERE result = 'failed')
    WHERE id = :bulk_id
    """
).bindparams(sa.bindparam("code", type_=sa.Text), sa.bindparam("text", type_=sa.Text))
"""Write what became of an order, and count it; what has a result keeps it."""

CLOSE = sa.text(
    """
    WITH stopped AS (
        UPDATE bulk_items SET result = 'skipped', code = :code, text = :text
        WHERE bulk_id = :bulk_id AND result IS NULL
            AND EXISTS (SELECT FROM bulks WHERE id = :bulk_id AND cancelled_at IS NOT NULL)
        RETURNING result
    )
    UPDATE bulks SET skipped = skipped + (SELECT count(*) FROM stopped), finished_at = coalesce(finished_at, :now)
    WHERE id = :bulk_id
    """
)
"""End a bulk; what a cancelled one did not come to is skipped."""


def chosen(visibility: Visibility, criteria: OrderFilter, ids: Collection[UUID] | None) -> sa.Subquery:
    """The orders of a bulk: those of the ids, or those that match. Other ids have no status."""
    columns = (ORDERS.c.number, ORDERS.c.customer, ORDERS.c.status, ORDERS.c.label)
    where = (*visible(ORDERS.c, visibility, criteria), *matching(ORDERS.c, criteria))
    if ids is None:
        return sa.select(ORDERS.c.id, *columns).where(*where).subquery("chosen")
    named = (
        sa.func.unnest(sa.literal(sorted(set(ids)), ARRAY(sa.Uuid))).table_valued("id", name="named").render_derived()
    )
    named_id = sa.type_coerce(named.c.id, sa.Uuid)
    joined = named.outerjoin(ORDERS, sa.and_(ORDERS.c.id == named_id, *where))
    return sa.select(named_id.label("id"), *columns).select_from(joined).subquery("chosen")


def by_status(orders: sa.Subquery, customer: str) -> sa.Select[str | None, bool, int]:
    """How many orders of each status, this customer's told from others'; of very many one more than a bulk may have."""
    some = sa.select(orders.c.status, orders.c.customer).limit(MAX_ORDERS + 1).subquery("some")
    mine = sa.func.coalesce(some.c.customer == customer, sa.false()).label("mine")
    return sa.select(some.c.status, mine, sa.func.count()).group_by(some.c.status, mine)


def page_of_chosen(orders: sa.Subquery, after: UUID | None, limit: int) -> sa.Select[*tuple[Any, ...]]:
    """Some of the orders, by their ids."""
    query = sa.select(orders).order_by(orders.c.id).limit(limit)
    return query if after is None else query.where(orders.c.id > after)


def freeze(bulk_id: UUID, orders: sa.Subquery) -> sa.Insert:
    """Write the list of a bulk; what is not there is skipped from the beginning."""
    missing = orders.c.status.is_(None)
    columns = {
        "bulk_id": sa.literal(bulk_id, sa.Uuid),
        "order_id": orders.c.id,
        "result": sa.case((missing, sa.literal(ItemResult.SKIPPED.value, sa.Text))),
        "code": sa.case((missing, sa.literal(NOT_FOUND.code, sa.Text))),
        "text": sa.case((missing, sa.literal(NOT_FOUND.text, sa.Text))),
    }
    rows = sa.select(*(column.label(name) for name, column in columns.items())).limit(MAX_ORDERS + 1)
    return sa.insert(BulkItem).from_select(list(columns), rows)


def count_items(bulk_id: UUID) -> sa.Update:
    """Have a new bulk say how many orders it has, and how many of them are not there."""
    mine = col(BulkItem.bulk_id) == bulk_id
    total = sa.select(sa.func.count()).select_from(BulkItem).where(mine)
    skipped = total.where(col(BulkItem.result) == ItemResult.SKIPPED)
    return (
        sa.update(Bulk)
        .where(col(Bulk.id) == bulk_id)
        .values(total=total.scalar_subquery(), skipped=skipped.scalar_subquery())
    )


def bulk_by_id(bulk_id: UUID) -> sa.Select[Bulk]:
    """One bulk, of any customer."""
    return sa.select(Bulk).where(col(Bulk.id) == bulk_id)


def bulk_of(visibility: Visibility, bulk_id: UUID) -> sa.Select[Bulk]:
    """One bulk that is visible."""
    found = bulk_by_id(bulk_id)
    return found if visibility.customer is None else found.where(col(Bulk.customer) == visibility.customer)


def bulks_of(visibility: Visibility, after: UUID | None, limit: int) -> sa.Select[Bulk]:
    """The visible bulks, the newest first."""
    query = sa.select(Bulk).order_by(col(Bulk.id).desc()).limit(limit)
    if visibility.customer is not None:
        query = query.where(col(Bulk.customer) == visibility.customer)
    return query if after is None else query.where(col(Bulk.id) < after)


def items_of(bulk_id: UUID, results: Collection[str], after: UUID | None, limit: int) -> sa.Select[*tuple[Any, ...]]:
    """Items with the number of their orders, by their ids; `pending` are those without a result.

    What its caller may not see has no number: it may be somebody else's.
    """
    there = col(BulkItem.code).is_distinct_from(NOT_FOUND.code)
    query = (
        sa.select(BulkItem, ORDERS.c.number)
        .outerjoin(ORDERS, sa.and_(ORDERS.c.id == col(BulkItem.order_id), there))
        .where(col(BulkItem.bulk_id) == bulk_id)
        .order_by(col(BulkItem.order_id))
        .limit(limit)
    )
    if results:
        named = col(BulkItem.result).in_([result for result in results if result != "pending"])
        query = query.where(sa.or_(named, col(BulkItem.result).is_(None)) if "pending" in results else named)
    return query if after is None else query.where(col(BulkItem.order_id) > after)


def to_do(bulk_id: UUID, after: UUID | None, limit: int) -> sa.Select[UUID]:
    """The next orders to act on, by their ids."""
    query = (
        sa.select(col(BulkItem.order_id))
        .join(Bulk, col(Bulk.id) == col(BulkItem.bulk_id))
        .where(col(BulkItem.bulk_id) == bulk_id, *_still())
        .order_by(col(BulkItem.order_id))
        .limit(limit)
    )
    return query if after is None else query.where(col(BulkItem.order_id) > after)


def item_to_do(bulk_id: UUID, order_id: UUID) -> sa.Select[BulkItem]:
    """The item, locked, if it is still to do."""
    mine = col(BulkItem.bulk_id) == bulk_id, col(BulkItem.order_id) == order_id
    query = sa.select(BulkItem).join(Bulk, col(Bulk.id) == col(BulkItem.bulk_id))
    # Locked, so that of two attempts at once the second sees that the first has sent the command.
    return query.where(*mine, *_still()).with_for_update(of=BulkItem)


def _still() -> tuple[sa.ColumnElement[bool], ...]:
    """Without a result. Of a cancelled bulk only what had been sent: whether it was executed has yet to be learned."""
    return col(BulkItem.result).is_(None), sa.or_(col(Bulk.cancelled_at).is_(None), col(BulkItem.sent_at).is_not(None))


def was_executed(bulk_id: UUID, order_id: UUID) -> sa.Select[bool]:
    """Whether the order's timeline says that it has executed the command of this bulk."""
    by_bulk = col(TimelineRow.details)[BULK_DETAIL].as_string() == str(bulk_id)
    return sa.select(sa.exists().where(col(TimelineRow.order_id) == order_id, by_bulk))


def cancel(bulk_id: UUID, now: datetime) -> sa.Update:
    """Have a bulk stop before its next order, if it has not ended; again, it has no effect."""
    still = col(Bulk.finished_at).is_(None), col(Bulk.cancelled_at).is_(None)
    return sa.update(Bulk).where(col(Bulk.id) == bulk_id, *still).values(cancelled_at=now)


def stop(bulk_id: UUID, now: datetime, why: str) -> sa.Update:
    """The same without anybody asking for it."""
    return cancel(bulk_id, now).values(stopped_why=why)


def unfinished(*, before: datetime, limit: int) -> sa.Select[Bulk]:
    """Accepted bulks that have not ended; those that are not known to have a workflow first."""
    query = sa.select(Bulk).where(col(Bulk.finished_at).is_(None), col(Bulk.created_at) < before)
    return query.order_by(col(Bulk.started_at).nulls_first(), col(Bulk.created_at)).limit(limit)


def unfinished_counted(customer: str) -> sa.Select[int]:
    """How many bulks of a customer have not ended."""
    mine = col(Bulk.customer) == customer, col(Bulk.finished_at).is_(None)
    return sa.select(sa.func.count()).select_from(Bulk).where(*mine)


def mark_started(bulk_id: UUID, now: datetime) -> sa.Update:
    """Note that the bulk has its workflow."""
    return sa.update(Bulk).where(col(Bulk.id) == bulk_id, col(Bulk.started_at).is_(None)).values(started_at=now)
