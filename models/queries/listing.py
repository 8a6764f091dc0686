"""Lists of orders: filtered, sorted, paged by position, counted. Each query is a value; `services.listing` chooses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from models.listing import COUNT_LIMIT, OrderFilter, Position, Sort, Visibility, statuses_in
from models.order import OrderStatus
from models.queries.delivery_status import Columns, could_wait_for_user, delivery_status, waiting_for_user, word
from models.tables import Delivery, Order, OrderCount, OrderFile
from models.tables.listing import IN_NUMBERS_ORDER, NEVER
from models.text import tidied

ORDERS: sa.Table = Order.__table__  # type: ignore[attr-defined]

WALK = 20_000
"""Orders that a search reads in list order before it falls back on the trigram index."""

_NOT_SHOWN = {
    *("search", "product_names", "started_at", "workflow_id", "warnings", "warnings_total", "files_left_out"),
    *("subtotal", "discount", "tax", "tax_included", "discounts", "taxes", "country", "coupon"),
}
_SHOWN = [column for column in ORDERS.columns if column.name not in _NOT_SHOWN]

Page = sa.Select[*tuple[Any, ...]]


def page(visibility: Visibility, criteria: OrderFilter, sort: Sort, after: Position | None, limit: int) -> Page:
    """A page of the orders that match, after a position, by whatever plan the planner chooses."""
    where = (*visible(ORDERS.c, visibility, criteria), *matching(ORDERS.c, criteria), *_after(ORDERS.c, sort, after))
    return sa.select(*_SHOWN, _key(ORDERS.c, sort)).where(*where).order_by(*in_order(ORDERS.c, sort)).limit(limit)


def page_of_statuses(
    visibility: Visibility, criteria: OrderFilter, sort: Sort, after: Position | None, limit: int
) -> Page:
    """The same, merged from a page of each status, each read from its index only as far as needed."""
    where = (*_owned(ORDERS.c, visibility), *matching(ORDERS.c, criteria), *_after(ORDERS.c, sort, after))
    return _merged("status", sorted(statuses_in(visibility, criteria)), where, sort, limit)


def _merged(
    column: str, values: Sequence[str], where: Sequence[sa.ColumnElement[bool]], sort: Sort, limit: int
) -> Page:
    """A page of what has one of these values, from an index that begins with the column."""
    each = sa.select(sa.func.unnest(sa.literal(values, ARRAY(sa.Text))).label("value")).subquery("each")
    part = (
        sa.select(*_SHOWN, _key(ORDERS.c, sort))
        .where(ORDERS.c[column] == each.c.value, *where)
        .order_by(*in_order(ORDERS.c, sort))
        .limit(limit)
        .lateral("part")
    )
    return sa.select(part).select_from(each.join(part, sa.true())).order_by(*in_order(part.c, sort)).limit(limit)


def page_of_walk(visibility: Visibility, criteria: OrderFilter, sort: Sort, after: Position | None, limit: int) -> Page:
    """The part of a page that is found among the next `WALK` orders of the list."""
    where = (*visible(ORDERS.c, visibility, criteria), *_after(ORDERS.c, sort, after))
    walked = sa.select(ORDERS).where(*where).order_by(*in_order(ORDERS.c, sort)).limit(WALK).subquery("walked")
    shown = [walked.c[column.name] for column in _SHOWN]
    found = sa.select(*shown, _key(walked.c, sort)).where(*matching(walked.c, criteria))
    return found.order_by(*in_order(walked.c, sort)).limit(limit)


def page_of_hits(visibility: Visibility, criteria: OrderFilter, sort: Sort, after: Position | None, limit: int) -> Page:
    """A page of all matches, which are materialized first so that the planner cannot walk the list instead."""
    where = (*visible(ORDERS.c, visibility, criteria), *matching(ORDERS.c, criteria), *_after(ORDERS.c, sort, after))
    hits = sa.select(*_SHOWN).where(*where).cte("hits").prefix_with("MATERIALIZED", dialect="postgresql")
    return sa.select(hits, _key(hits.c, sort)).order_by(*in_order(hits.c, sort)).limit(limit)


def counts_by_status(visibility: Visibility) -> sa.Select[str, int, int]:
    """Orders and changes by status, from the counters."""
    orders, changes = (
        sa.cast(sa.func.sum(column), sa.BigInteger) for column in (OrderCount.orders, OrderCount.changes)
    )
    return (
        sa.select(col(OrderCount.status), orders, changes)
        .where(col(OrderCount.customer) == (visibility.customer or ""))
        .group_by(col(OrderCount.status))
    )


def matches_by_status(visibility: Visibility, criteria: OrderFilter) -> sa.Select[str, int]:
    """The first 10,001 matches by status."""
    some = sa.select(ORDERS.c.status).where(*visible(ORDERS.c, visibility, criteria), *matching(ORDERS.c, criteria))
    return _by_status(some.limit(COUNT_LIMIT))


def matches_in_walk(visibility: Visibility, criteria: OrderFilter) -> sa.Select[str, int]:
    """The first 10,001 matches among some of the orders, whichever are quickest to read, by status."""
    walked = sa.select(ORDERS).where(*visible(ORDERS.c, visibility, criteria)).limit(2 * WALK).subquery("walked")
    return _by_status(sa.select(walked.c.status).where(*matching(walked.c, criteria)).limit(COUNT_LIMIT))


def _by_status(some: sa.Select[Any]) -> sa.Select[str, int]:
    found = some.subquery("found")
    return sa.select(found.c.status, sa.func.count()).group_by(found.c.status)


def order_named(visibility: Visibility, order_id: UUID | None, number: str) -> sa.Select[UUID]:
    """The order of this id or number."""
    names = [ORDERS.c.number == number] + ([ORDERS.c.id == order_id] if order_id else [])
    return sa.select(ORDERS.c.id).where(sa.or_(*names), *visible(ORDERS.c, visibility, OrderFilter()))


def visible(o: Columns, visibility: Visibility, criteria: OrderFilter) -> list[sa.ColumnElement[bool]]:
    """Conditions on customer and status."""
    statuses = statuses_in(visibility, criteria)
    hidden = sorted(set(OrderStatus) - statuses)
    if len(hidden) == 1:
        return [*_owned(o, visibility), o["status"] != word(hidden[0])]
    return [*_owned(o, visibility), o["status"] == sa.any_(sa.literal(sorted(statuses), ARRAY(sa.Text)))]


def _owned(o: Columns, visibility: Visibility) -> list[sa.ColumnElement[bool]]:
    return [] if visibility.customer is None else [o["customer"] == visibility.customer]


def matching(o: Columns, criteria: OrderFilter) -> list[sa.ColumnElement[bool]]:
    """Conditions of every filter but those of `visible`."""
    tests = [contains(o["search"], term) for term in criteria.terms]
    if criteria.label is not None:
        # The index of searches finds the label; the comparison then settles it.
        label = tidied(criteria.label)
        tests += [contains(o["search"], label), sa.func.folded(o["label"]) == sa.func.folded(label)]
    if criteria.ids is not None:
        tests.append(o["id"] == sa.any_(sa.literal(list(criteria.ids), ARRAY(sa.Uuid))))
    if criteria.products:
        tests.append(o["skus"].op("&&")(sa.literal(list(criteria.products), ARRAY(sa.Text))))
    if criteria.tags:
        # The index has the orders with tags only, and the planner has to be told that these are such.
        tests += [
            sa.func.folded_all(o["tags"]).op("&&")(
                sa.func.folded_all(sa.literal([tidied(tag) for tag in criteria.tags], ARRAY(sa.Text)))
            ),
            o["tags"] != sa.text("'{}'::text[]"),
        ]
    if criteria.customers:
        tests.append(o["customer"] == sa.any_(sa.literal(list(criteria.customers), ARRAY(sa.Text))))
    if criteria.delivery is not None:
        tests.append(delivery_status(o).in_([word(shown) for shown in sorted(criteria.delivery)]))
    if criteria.waiting_for_user is not None:
        waiting = waiting_for_user(o)
        tests += [waiting, *could_wait_for_user(o)] if criteria.waiting_for_user else [~waiting]
    if criteria.has_errors is not None:
        tests.append(o["files_failed"] > 0 if criteria.has_errors else o["files_failed"] == 0)
    if criteria.failures is not None:
        tests.append(_failed_by(o, sa.any_(sa.literal(sorted(criteria.failures), ARRAY(sa.Text)))))
    return tests + _between(o, criteria)


def _failed_by(o: Columns, codes: sa.CollectionAggregate[Any]) -> sa.ColumnElement[bool]:
    """Whether an order has failed by one of the codes, or a file or a delivery of one that has not failed as a whole.

    Each part has an index of its own, so that no order is looked at that nothing of has failed.
    """
    file = sa.exists().where(col(OrderFile.order_id) == o["id"], col(OrderFile.failure_code) == codes)
    delivery = sa.exists().where(col(Delivery.order_id) == o["id"], col(Delivery.failure_code) == codes)
    with_warnings = o["status"] == word(OrderStatus.FULFILLED_WITH_WARNINGS)
    return sa.or_(o["failure_code"] == codes, sa.and_(o["files_failed"] > 0, file), sa.and_(with_warnings, delivery))


def _between(o: Columns, criteria: OrderFilter) -> list[sa.ColumnElement[bool]]:
    expiry = expires_at(o)
    bounds = [
        (criteria.created_after, o["created_at"].__ge__),
        (criteria.created_before, o["created_at"].__lt__),
        (criteria.expires_after, expiry.__ge__),
        (criteria.expires_before, expiry.__lt__),
        (criteria.min_bytes, o["bytes_total"].__ge__),
        (criteria.max_bytes, o["bytes_total"].__le__),
    ]
    return [test(_bound(bound)) for bound, test in bounds if bound is not None]


def _bound(bound: datetime | int) -> sa.ColumnElement[Any]:
    return sa.literal(bound, sa.BigInteger) if isinstance(bound, int) else sa.literal(bound, sa.DateTime(timezone=True))


def contains(search: sa.ColumnElement[Any], term: str) -> sa.ColumnElement[bool]:
    """Whether a column of folded text has a term somewhere."""
    escaped = term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return search.like(sa.func.folded(sa.literal(f"%{escaped}%", sa.Text)))


def expires_at(o: Columns) -> sa.ColumnElement[Any]:
    """When an order expires; `infinity` where it never does."""
    return sa.literal_column(NEVER.replace("expires_at", str(o["expires_at"])), sa.DateTime(timezone=True))


def _sort_key(o: Columns, sort: Sort) -> sa.ColumnElement[Any]:
    if sort.key == "expires_at":
        return expires_at(o)
    if sort.key == "number":
        return sa.literal_column(IN_NUMBERS_ORDER.replace("number", str(o["number"])), sa.Text)
    return o["bytes_total" if sort.key == "bytes" else sort.key]


def _key(o: Columns, sort: Sort) -> sa.ColumnElement[str]:
    """The sort key as text, without loss, for the position of the next page."""
    return sa.cast(_sort_key(o, sort), sa.Text).label("sort_key")


def in_order(o: Columns, sort: Sort) -> list[sa.ColumnElement[Any]]:
    """The columns a list is sorted by."""
    keys = _sort_key(o, sort), o["id"]
    return [key.desc() if sort.descending else key.asc() for key in keys]


def _after(o: Columns, sort: Sort, after: Position | None) -> list[sa.ColumnElement[bool]]:
    if after is None:
        return []
    key = _sort_key(o, sort)
    here = sa.tuple_(key, o["id"])
    there = sa.tuple_(sa.cast(sa.literal(after.key, sa.Text), key.type), sa.literal(after.id, sa.Uuid))
    return [here < there if sort.descending else here > there]
