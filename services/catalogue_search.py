"""Searches the catalogue a page at a time, with what became of the caller's orders of the objects (ADR 0018)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from anyio import to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.catalogue_search import ObjectFilter, ObjectSort, SearchTerm, item_status
from models.listing import Position
from models.order import OrderStatus
from models.queries import catalogue_search as queries
from models.queries.object_tests import Lead, leads
from models.status_facts import AVAILABLE_FILES, AVAILABLE_SUBORDERS, ItemStatus
from models.suborder import SubOrderState
from models.tables import OrderFile, Product
from models.text import folded
from models.written_names import names_meant, possible_names
from services.catalogue_areas import AreaMatcher, LocatedRow
from services.listing import FORCE_CUSTOM_PLAN

MIN_CHUNK, MAX_CHUNK = 50, 250
"""How many objects are read and compared with an area at a time."""


@dataclass(frozen=True)
class ObjectOrder:
    """The status of an object in an order: `files` are those that can be downloaded, each with its kind."""

    status: ItemStatus = ItemStatus.ORDERABLE
    order: sa.Row[Any] | None = None
    files: Sequence[tuple[OrderFile, str]] = ()


@dataclass(frozen=True)
class CatalogueHit:
    """An object with its product and order."""

    row: sa.Row[Any]
    product: Product
    ordered: ObjectOrder = field(default_factory=ObjectOrder)


MAX_COUNTED = 10_000
"""More matches than these are not counted."""


GUESSED = 20
"""How many times as many as PostgreSQL guesses may meet a condition of which it has no statistics."""


class CataloguePage(NamedTuple):
    """A page of objects; `after` is the position behind it, None where nothing more comes.

    `matched` is how many there are on all pages, where that is cheap to know.
    """

    hits: list[CatalogueHit]
    after: Position | None
    matched: int | None = None


async def visible_products(session: AsyncSession, caller: Caller, skus: Collection[str] | None = None) -> list[Product]:
    """The products that the caller may see, by SKU; only those of these SKUs, where given."""
    return list((await session.execute(queries.products(caller.admitted, skus))).scalars())


async def products_meant(session: AsyncSession, caller: Caller, pieces: Sequence[str]) -> list[Product]:
    """The products that the caller may see, of those whose SKUs are written with commas between them."""
    found = await visible_products(session, caller, possible_names(pieces))
    meant = names_meant(pieces, frozenset(product.sku for product in found))
    return [product for product in found if product.sku in meant]


async def objects_meant(session: AsyncSession, among: Sequence[Product], criteria: ObjectFilter) -> ObjectFilter:
    """Have criteria whose names were written with commas between them name the objects that are meant."""
    if criteria.names is None or len(criteria.names) == 1 or not among:
        return criteria
    query = queries.names_known([product.id for product in among], possible_names(criteria.names))
    known = frozenset((await session.execute(query)).scalars())
    return replace(criteria, names=tuple(names_meant(criteria.names, known)))


def searched_for(q: str, among: Sequence[Product]) -> ObjectFilter:
    """What a text is searched for: a whole id, or words that objects have or their products are called by."""
    words = list(dict.fromkeys(q.split()))
    if len(words) == 1 and (named := _uuid(words[0])):
        return ObjectFilter(ids=(named,))
    called = {product.id: _called(product) for product in among}
    terms = [SearchTerm(word, tuple(key for key, text in called.items() if folded(word) in text)) for word in words]
    # What each of the products is called tells none apart.
    return ObjectFilter(terms=tuple(term for term in terms if len(term.products) < len(called)))


def _called(product: Product) -> str:
    return folded("\n".join([product.sku, product.name, *product.titles.values()]))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def search(
    session: AsyncSession,
    caller: Caller,
    among: Sequence[Product],
    criteria: ObjectFilter,
    after: Position | None,
    limit: int,
    *,
    sort: ObjectSort = ObjectSort.NEWEST,
    walk: int = queries.WALK,
    counted: bool = True,
) -> CataloguePage:
    """A page of the matching objects of these products, with how many there are where that is `counted`."""
    if not among:
        return CataloguePage([], None, 0)
    await session.execute(FORCE_CUSTOM_PLAN)
    rows = await _rows(session, [product.id for product in among], criteria, after, limit + 1, sort, walk)
    page = rows[:limit]
    by_id = {product.id: product for product in among}
    orders = await _orders(session, caller, [row.id for row in page])
    hits = [CatalogueHit(row, by_id[row.product_id], orders.get(row.id, ObjectOrder())) for row in page]
    following = Position(page[-1].sort_key, page[-1].id) if len(rows) > limit else None
    if after is None and following is None:
        return CataloguePage(hits, None, len(hits))
    return CataloguePage(hits, following, await _count(session, among, criteria) if counted else None)


async def _count(session: AsyncSession, among: Sequence[Product], criteria: ObjectFilter) -> int | None:
    """How many match; None where they are too many, or an index alone cannot tell."""
    if not _is_plain(criteria):
        return None
    query = queries.matches([product.id for product in among], criteria, None).limit(MAX_COUNTED + 1)
    found = (await session.execute(queries.count_of(query))).scalar_one()
    return found if found <= MAX_COUNTED else None


def _is_plain(criteria: ObjectFilter) -> bool:
    """Whether the index of an order of objects, or of their names, finds what matches."""
    if criteria.names is not None or criteria.ids is not None:
        return criteria.area is None
    return criteria == ObjectFilter(ends=criteria.ends)


async def _rows(
    session: AsyncSession,
    among: Sequence[int],
    criteria: ObjectFilter,
    after: Position | None,
    limit: int,
    sort: ObjectSort,
    walk: int,
) -> Sequence[sa.Row[Any]]:
    if criteria.names is not None or _is_plain(criteria):
        return await _matching(session, queries.matches(among, criteria, after, sort), criteria, limit)
    for length in (walk, queries.LONG_WALK * walk):
        page = queries.next_matches(among, criteria, after, sort, walk=length)
        rows = await _matching(session, page, criteria, limit)
        # So few promise no page of a longer walk; so few are quickly found and sorted, too.
        if len(rows) >= limit or len(rows) * queries.LONG_WALK < limit:
            break
    if len(rows) >= limit:
        return rows
    lead, _ = await best_lead(session, criteria)
    return await _matching(session, queries.all_matches(among, criteria, after, sort, lead=lead), criteria, limit)


async def best_lead(session: AsyncSession, criteria: ObjectFilter) -> tuple[Lead | None, int]:
    """The condition that the fewest objects meet, by PostgreSQL's statistics, and how many; None without any."""
    found = leads(criteria)
    if not found:
        return None, 0
    counts = [
        queries.estimated((await session.execute(queries.Estimate(lead.counted_by))).scalar_one()) for lead in found
    ]
    weighed = [n * GUESSED if lead.is_guess else n for lead, n in zip(found, counts, strict=True)]
    fewest = weighed.index(min(weighed))
    return found[fewest], counts[fewest]


async def _matching(
    session: AsyncSession, query: queries.Page, criteria: ObjectFilter, limit: int
) -> Sequence[sa.Row[Any]]:
    """The first objects of a query that are in the area, too, of which it knows only boxes."""
    if criteria.area is None:
        return (await session.execute(query.limit(limit))).all()
    matcher, found = AreaMatcher(criteria.area), list[sa.Row[Any]]()
    # Page after page would sort all matches again for each; so one query is read until there is enough.
    size = min(max(limit, MIN_CHUNK), MAX_CHUNK)
    candidates = await session.stream(query, execution_options={"max_row_buffer": MAX_CHUNK})
    while len(found) < limit and (rows := await candidates.fetchmany(size)):
        found += await in_area(matcher, rows)
        size = min(2 * size, MAX_CHUNK)
    await candidates.close()
    return found[:limit]


async def in_area(matcher: AreaMatcher, rows: Sequence[LocatedRow]) -> list[LocatedRow]:
    """Those of the objects that are in an area, computed beside the event loop."""
    return await to_thread.run_sync(matcher.among, rows)


async def _orders(session: AsyncSession, caller: Caller, objects: Sequence[UUID]) -> Mapping[UUID, ObjectOrder]:
    """The caller's own orders of these objects."""
    where = {"objects": objects, "customer": caller.customer}
    orders = {row.object_id: row for row in await session.execute(queries.ORDERS_OF_OBJECTS, where)}
    if not orders:
        return {}
    states: dict[UUID, set[SubOrderState]] = defaultdict(set)
    there: dict[UUID, list[tuple[OrderFile, str]]] = defaultdict(list)
    pairs = queries.files_of_orders([*orders], [row.id for row in orders.values()])
    for object_id, kind, state, file in await session.execute(pairs):
        states[object_id].add(SubOrderState(state))
        if state in AVAILABLE_SUBORDERS and file.state in AVAILABLE_FILES:
            there[object_id].append((file, kind))
    return {
        key: ObjectOrder(
            item_status(OrderStatus(row.status), states[key], files_there=bool(there[key])), row, there[key]
        )
        for key, row in orders.items()
    }
