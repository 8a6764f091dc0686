"""Finds objects of the catalogue a page at a time, with what became of the caller's orders of them (ADR 0018)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.catalogue_search import ItemStatus, ObjectFilter, item_status
from models.listing import Position
from models.order import OrderStatus
from models.queries import catalogue_search as queries
from models.queries.results import READY, THERE
from models.suborder import SubOrderState
from models.tables import OrderFile, Product
from services.listing import PLANNED_EACH_TIME


class Size(NamedTuple):
    """What an object holds."""

    files: int
    bytes: int


@dataclass(frozen=True)
class Ordered:
    """What an order of an object has come to: `files` are those that can be had, each with its kind."""

    status: ItemStatus = ItemStatus.ORDERABLE
    order: sa.Row[Any] | None = None
    files: Sequence[tuple[OrderFile, str]] = ()


@dataclass(frozen=True)
class Found:
    """An object with its product, size and order."""

    row: sa.Row[Any]
    product: Product
    size: Size
    ordered: Ordered = field(default_factory=Ordered)


class FoundPage(NamedTuple):
    """A page of objects; `after` is the position behind it, None where nothing more comes."""

    found: list[Found]
    after: Position | None


async def products(session: AsyncSession, caller: Caller, skus: Collection[str] | None = None) -> list[Product]:
    """The products that the caller may see, by SKU; only those of these SKUs, where given."""
    return list((await session.execute(queries.products(caller.admitted, skus))).scalars())


async def find(
    session: AsyncSession,
    caller: Caller,
    among: Sequence[Product],
    wanted: ObjectFilter,
    after: Position | None,
    limit: int,
) -> FoundPage:
    """A page of what is wanted of these products, newest first."""
    if not among:
        return FoundPage([], None)
    await session.execute(PLANNED_EACH_TIME)
    rows = await _rows(session, [product.id for product in among], wanted, after, limit + 1)
    page = rows[:limit]
    by_id = {product.id: product for product in among}
    ids = [row.id for row in page]
    sizes = {row[0]: Size(row[1], row[2]) for row in await session.execute(queries.SIZES, {"objects": ids})}
    orders = await _orders(session, caller, ids)
    found = [
        Found(row, by_id[row.product_id], sizes.get(row.id, Size(0, 0)), orders.get(row.id, Ordered())) for row in page
    ]
    return FoundPage(found, Position(page[-1].sort_key, page[-1].id) if len(rows) > limit else None)


async def _rows(
    session: AsyncSession, among: Sequence[int], wanted: ObjectFilter, after: Position | None, limit: int
) -> Sequence[sa.Row[Any]]:
    if wanted.names is None and (wanted.box is not None or wanted.begins is not None):
        rows = (await session.execute(queries.page_of_walk(among, wanted, after, limit))).all()
        if len(rows) >= limit:
            return rows
        return (await session.execute(queries.page_of_hits(among, wanted, after, limit))).all()
    return (await session.execute(queries.page(among, wanted, after, limit))).all()


async def _orders(session: AsyncSession, caller: Caller, objects: Sequence[UUID]) -> Mapping[UUID, Ordered]:
    """What the caller's own orders of these objects have come to."""
    where = {"objects": objects, "customer": caller.customer}
    orders = {row.object_id: row for row in await session.execute(queries.ORDERS_OF_OBJECTS, where)}
    if not orders:
        return {}
    states: dict[UUID, set[SubOrderState]] = defaultdict(set)
    there: dict[UUID, list[tuple[OrderFile, str]]] = defaultdict(list)
    pairs = queries.files_of_orders([*orders], [row.id for row in orders.values()])
    for object_id, kind, state, file in await session.execute(pairs):
        states[object_id].add(SubOrderState(state))
        if state in READY and file.state in THERE:
            there[object_id].append((file, kind))
    return {
        key: Ordered(item_status(OrderStatus(row.status), states[key], files_there=bool(there[key])), row, there[key])
        for key, row in orders.items()
    }
