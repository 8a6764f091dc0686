"""Counts what a search of the catalogue finds, in all and by facets: exactly, or as far as is quick (ADR 0039)."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.catalogue_search import Facet, ObjectFilter
from models.listing import COUNT_LIMIT
from models.queries import catalogue_counts as queries
from models.queries import catalogue_search as searches
from services.catalogue_areas import AreaMatcher
from services.catalogue_search import best_lead, in_area
from services.listing import FORCE_CUSTOM_PLAN

COMMON = 20 * COUNT_LIMIT
"""From so many on, what matches is met sooner by looking through all objects than through an index."""
GUESSED = 5 * COUNT_LIMIT
"""How many are looked through where nobody knows how often a condition is met."""
OUTLINE_LIMIT = 2_001
"""How far matches of an area are counted whose every outline has to be compared with it."""

Cell = sa.Row[Any]


@dataclass(frozen=True)
class ObjectCounts:
    """What matches: `by` each facet, its own filter left aside; `capped` where only the first have been counted."""

    objects: int
    files: int
    bytes: int
    capped: bool
    by: Mapping[Facet, Mapping[str | int, int]]


async def count(
    session: AsyncSession,
    among: Sequence[int],
    chosen: Collection[int] | None,
    criteria: ObjectFilter,
    facets: Collection[Facet],
    *,
    limit: int = COUNT_LIMIT,
) -> ObjectCounts:
    """Count the matches in the `chosen` of these products, and by each facet."""
    wide = replace(criteria, kinds=(), tiers=())
    if criteria.area is not None and not criteria.area.is_box:
        limit = min(limit, OUTLINE_LIMIT)
    narrowed = bool(criteria.kinds or criteria.tiers) or chosen is not None
    cells, capped = await _cells(session, among, wide, limit)
    counted = [cell for cell in cells if _in(cell, chosen, criteria)]
    by = {facet: _by(facet, cells, chosen, criteria) for facet in facets}
    if capped and narrowed:
        counted, capped = await _cells(session, [*among] if chosen is None else [*chosen], criteria, limit)
    total: Counter[str] = Counter()
    for cell in counted:
        total.update(objects=cell.objects, files=cell.files, bytes=cell.bytes)
    return ObjectCounts(total["objects"], total["files"], total["bytes"], capped, by)


async def _cells(
    session: AsyncSession, among: Sequence[int], criteria: ObjectFilter, limit: int
) -> tuple[list[Cell], bool]:
    """Matches by product, year, kinds and tiers, and whether there are more."""
    if not among:
        return [], False
    await session.execute(FORCE_CUSTOM_PLAN)
    if criteria == ObjectFilter():
        return list((await session.execute(queries.kept(among))).all()), False
    found: Sequence[Cell] = ()
    lead, estimate = await best_lead(session, criteria)
    if lead is None or lead.is_guess or estimate > COMMON:
        page = searches.next_matches(among, criteria, None, walk=GUESSED if lead and lead.is_guess else COMMON)
        found = (await session.execute(queries.of_matches(page, criteria.area, limit=limit))).all()
    if not found or not (capped := _candidates(found) >= limit):
        page = searches.all_matches(among, criteria, None, lead=lead)
        found = (await session.execute(queries.of_matches(page.order_by(None), criteria.area, limit=limit))).all()
        capped = _candidates(found) >= limit
    if criteria.area is None:
        return list(found), capped
    undecided = [row for row in found if row.geometry is not None]
    inside = await in_area(AreaMatcher(criteria.area), undecided)
    return [row for row in found if row.geometry is None] + inside, capped


def _candidates(rows: Iterable[Cell]) -> int:
    return sum(row.objects for row in rows)


def _in(cell: Cell, chosen: Collection[int] | None, criteria: ObjectFilter, *, aside: Facet | None = None) -> bool:
    """Whether a cell is asked for, one facet left aside."""
    return (
        (aside is Facet.PRODUCT or chosen is None or cell.product_id in chosen)
        and (aside is Facet.KIND or not criteria.kinds or not set(criteria.kinds).isdisjoint(cell.kinds))
        and (aside is Facet.TIER or not criteria.tiers or not set(criteria.tiers).isdisjoint(cell.tiers))
    )


def _by(
    facet: Facet, cells: Iterable[Cell], chosen: Collection[int] | None, criteria: ObjectFilter
) -> Mapping[str | int, int]:
    found: Counter[str | int] = Counter()
    for cell in cells:
        if _in(cell, chosen, criteria, aside=facet):
            for value in _values(facet, cell):
                found[value] += cell.objects
    return found


def _values(facet: Facet, cell: Cell) -> Collection[str | int]:
    match facet:
        case Facet.PRODUCT:
            return (cell.product_id,)
        case Facet.YEAR:
            return (cell.year,)
        case Facet.KIND:
            return cell.kinds  # type: ignore[no-any-return]
        case Facet.TIER:
            return cell.tiers  # type: ignore[no-any-return]
