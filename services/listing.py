"""Reads lists of orders: chooses the statement that is quick for the query (ADR 0014)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.listing import COUNT_LIMIT, VISIBLE, OrderFilter, Position, Sort, Visibility, statuses_in
from models.order import OrderStatus
from models.queries import listing as queries

FORCE_CUSTOM_PLAN = sa.text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
"""Plan each statement for its values: a generic plan would be a hundred times slower for some of them."""


@dataclass(frozen=True)
class OrderQuery:
    """Which orders are listed for whom, and in which order."""

    visibility: Visibility
    criteria: OrderFilter
    sort: Sort


@dataclass(frozen=True)
class Counts:
    """How many orders a list has; `capped` where only the first ones have been counted."""

    by_status: dict[OrderStatus, int]
    total: int
    capped: bool


async def resolve(session: AsyncSession, query: OrderQuery) -> OrderQuery:
    """Prepare a query: a search for a whole id or number becomes the order of that id or number."""
    await session.execute(FORCE_CUSTOM_PLAN)
    if len(query.criteria.terms) != 1 or query.criteria.ids is not None:
        return query
    (term,) = query.criteria.terms
    named = queries.order_named(query.visibility, _uuid(term), term.upper())
    if (found := (await session.execute(named)).scalars().first()) is None:
        return query
    return replace(query, criteria=replace(query.criteria, terms=(), ids=(found,)))


def _uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


async def page(session: AsyncSession, query: OrderQuery, after: Position | None, limit: int) -> Sequence[sa.Row[Any]]:
    """A page of a resolved query, as rows of orders with their `sort_key`."""
    criteria, sort = query.criteria, query.sort
    if not statuses_in(query.visibility, criteria):
        return []
    if criteria.terms or criteria.label is not None:
        found = await _run(session, queries.page_of_walk(query.visibility, criteria, sort, after, limit))
        if len(found) >= limit:
            return found
        return await _run(session, queries.page_of_hits(query.visibility, criteria, sort, after, limit))
    if criteria.failures is not None and sort.key == "created_at" and criteria.ids is None:
        return await _run(session, queries.page_of_hits(query.visibility, criteria, sort, after, limit))
    if criteria.statuses is not None and sort.key == "created_at" and criteria.ids is None:
        return await _run(session, queries.page_of_statuses(query.visibility, criteria, sort, after, limit))
    return await _run(session, queries.page(query.visibility, criteria, sort, after, limit))


async def _run(session: AsyncSession, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    rows: Sequence[sa.Row[Any]] = (await session.execute(query)).all()
    return rows


async def counts(session: AsyncSession, query: OrderQuery) -> Counts:
    """The orders of a resolved query by status, its own filter by status left aside; and their total with it."""
    statuses = statuses_in(query.visibility, query.criteria)
    shown = VISIBLE | statuses
    rest = replace(query.criteria, statuses=shown)
    if rest == OrderFilter(statuses=shown):
        rows = await session.execute(queries.counts_by_status(query.visibility))
        found = {OrderStatus(status): orders for status, orders, _ in rows if orders and status in shown}
        return Counts(found, sum(found.get(status, 0) for status in statuses), capped=False)
    found = await _matches(session, replace(query, criteria=rest))
    capped = sum(found.values()) >= COUNT_LIMIT
    total = sum(found.get(status, 0) for status in statuses)
    if capped and query.criteria.statuses is not None:
        total = sum((await _matches(session, query)).values())
    return Counts(found, min(total, COUNT_LIMIT), capped=total >= COUNT_LIMIT)


async def _matches(session: AsyncSession, query: OrderQuery) -> dict[OrderStatus, int]:
    """Up to 10,001 matches: first among the newest, which is where common words are quickly counted."""
    if query.criteria.terms:
        found = await _by_status(session, queries.matches_in_walk(query.visibility, query.criteria))
        if sum(found.values()) >= COUNT_LIMIT:
            return found
    return await _by_status(session, queries.matches_by_status(query.visibility, query.criteria))


async def _by_status(session: AsyncSession, query: sa.Select[str, int]) -> dict[OrderStatus, int]:
    return {OrderStatus(status): count for status, count in await session.execute(query)}


async def version(session: AsyncSession, visibility: Visibility) -> int:
    """A number that grows with every change of the status of a visible order."""
    return sum(changes for _, _, changes in await session.execute(queries.counts_by_status(visibility)))
