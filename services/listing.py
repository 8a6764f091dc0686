"""Reads lists of orders: chooses the query that is quick for what is asked (ADR 0014)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.listing import COUNT_LIMIT, VISIBLE, OrderFilter, Position, Scope, Sort, statuses_in
from models.order import OrderStatus
from models.queries import listing as queries

INDEXED_TERM = 3
"""Letters that a word must have for the index of searches to know it."""

PLANNED_EACH_TIME = sa.text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
"""A plan for any value would be a hundred times slower for some."""


@dataclass(frozen=True)
class Asked:
    """A list as it was asked for."""

    scope: Scope
    wanted: OrderFilter
    sort: Sort


@dataclass(frozen=True)
class Counts:
    """How many orders a list has; `capped` where only the first ones have been counted."""

    by_status: dict[OrderStatus, int]
    total: int
    capped: bool


async def prepared(session: AsyncSession, asked: Asked) -> Asked:
    """The list with a whole id or number that is searched for made the order it names."""
    await session.execute(PLANNED_EACH_TIME)
    if len(asked.wanted.terms) != 1 or asked.wanted.ids is not None:
        return asked
    (term,) = asked.wanted.terms
    query = queries.named_exactly(asked.scope, _uuid(term), term.upper())
    if (found := (await session.execute(query)).scalars().first()) is None:
        return asked
    return replace(asked, wanted=replace(asked.wanted, terms=(), ids=(found,)))


def _uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


async def page(session: AsyncSession, asked: Asked, after: Position | None, limit: int) -> Sequence[sa.Row[Any]]:
    """A page of a prepared list, as rows of orders with their `sort_key`."""
    wanted, sort = asked.wanted, asked.sort
    if not statuses_in(asked.scope, wanted):
        return []
    if wanted.terms or wanted.label is not None:
        found = await _run(session, queries.page_of_walk(asked.scope, wanted, sort, after, limit))
        if len(found) >= limit:
            return found
        return await _run(session, queries.page_of_hits(asked.scope, wanted, sort, after, limit))
    if wanted.statuses is not None and sort.key == "created_at" and wanted.ids is None:
        return await _run(session, queries.page_of_statuses(asked.scope, wanted, sort, after, limit))
    return await _run(session, queries.page(asked.scope, wanted, sort, after, limit))


async def _run(session: AsyncSession, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    rows: Sequence[sa.Row[Any]] = (await session.execute(query)).all()
    return rows


async def counts(session: AsyncSession, asked: Asked) -> Counts:
    """The orders of a prepared list by status, its own filter by status left aside; and their total with it."""
    statuses = statuses_in(asked.scope, asked.wanted)
    shown = VISIBLE | statuses
    rest = replace(asked.wanted, statuses=shown)
    if rest == OrderFilter(statuses=shown):
        rows = await session.execute(queries.counted(asked.scope))
        found = {OrderStatus(status): orders for status, orders, _ in rows if orders and status in shown}
        return Counts(found, sum(found.get(status, 0) for status in statuses), capped=False)
    found = await _matches(session, replace(asked, wanted=rest))
    capped = sum(found.values()) >= COUNT_LIMIT
    total = sum(found.get(status, 0) for status in statuses)
    if capped and asked.wanted.statuses is not None:
        total = sum((await _matches(session, asked)).values())
    return Counts(found, min(total, COUNT_LIMIT), capped=total >= COUNT_LIMIT)


async def _matches(session: AsyncSession, asked: Asked) -> dict[OrderStatus, int]:
    """Up to 10,001 matches: first among the newest, which is where common words are quickly counted."""
    if asked.wanted.terms:
        found = await _by_status(session, queries.matches_in_walk(asked.scope, asked.wanted))
        if sum(found.values()) >= COUNT_LIMIT:
            return found
    return await _by_status(session, queries.matches_by_status(asked.scope, asked.wanted))


async def _by_status(session: AsyncSession, query: sa.Select[str, int]) -> dict[OrderStatus, int]:
    return {OrderStatus(status): count for status, count in await session.execute(query)}


async def version(session: AsyncSession, scope: Scope) -> int:
    """A number that grows with every change of the status of an order in scope."""
    return sum(changes for _, _, changes in await session.execute(queries.counted(scope)))
