"""Routes of an order's results, as STAC: a collection, a catalogue for each sub-order, an item for each object."""

from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import CallerDep, ServicesDep
from api.http.answers import CACHE_CONTROL, answers
from api.orders.stac_results import Results
from api.schemas import PageCursor, PageLimit
from api.stac_elements import GEOJSON
from api.stac_schemas import AS_CATALOG, AS_COLLECTION, AS_ITEM, AS_ITEMS
from models.errors import Gone, InvalidCursor, NotFound, NotReady
from models.queries import orders as orders_queries
from models.queries import results as queries
from models.status_facts import AVAILABLE_SUBORDERS, UNAVAILABLE_SUBORDERS
from models.tables import SubOrder
from services.order_lookup import get_owned

router = APIRouter(prefix="/orders/{order_id}/stac", tags=["results"])


@router.get("", name="show-results", response_class=Response, responses=AS_COLLECTION)
@answers(NotFound, CACHE_CONTROL)
async def show_results(order_id: UUID, services: ServicesDep, caller: CallerDep) -> Response:
    """An order's results as a STAC collection; it grows as sub-orders become ready."""
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        found = (await session.execute(orders_queries.suborders_of(order_id))).scalars().all()
        oldest, newest = (await session.execute(queries.time_span(order_id))).one()
    ready = [suborder for suborder in found if suborder.state in AVAILABLE_SUBORDERS]
    return _answer(Results(order, services.public_url).collection(ready, oldest, newest))


@router.get("/suborders/{number}", name="show-results-of-suborder", response_class=Response, responses=AS_CATALOG)
@answers(Gone, NotFound, NotReady, CACHE_CONTROL)
async def show_part(order_id: UUID, number: int, services: ServicesDep, caller: CallerDep) -> Response:
    """The objects of a sub-order as a STAC catalogue."""
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        suborder = await _suborder(session, order_id, number)
        objects = [(row[0], row[2]) for row in await session.execute(queries.objects_there(order_id, suborder=number))]
    return _answer(Results(order, services.public_url).part(suborder, objects))


@router.get("/items", name="list-result-items", response_class=Response, responses=AS_ITEMS)
@answers(InvalidCursor, NotFound, CACHE_CONTROL)
async def list_items(
    order_id: UUID, services: ServicesDep, caller: CallerDep, limit: PageLimit = 100, cursor: PageCursor = None
) -> Response:
    """All objects of an order as STAC items, a page at a time."""
    cursors = services.cursors(caller, f"results {order_id}")
    after = cursors.number(cursor)
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        query = queries.objects_there(order_id, after=after, limit=limit + 1)
        found = [(row[0], row[1], row[2]) for row in await session.execute(query)]
        items = await _items(session, Results(order, services.public_url), order_id, found[:limit])
    following = f"?limit={limit}&cursor={cursors.after(found[limit - 1][0])}" if len(found) > limit else None
    here = f"?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
    return _answer(Results(order, services.public_url).page(items, here, following), GEOJSON)


@router.get("/items/{seq}", name="show-result-item", response_class=Response, responses=AS_ITEM)
@answers(Gone, NotFound, NotReady, CACHE_CONTROL)
async def show_item(order_id: UUID, seq: int, services: ServicesDep, caller: CallerDep) -> Response:
    """One object as a STAC item, named by the number of its first file."""
    if not 0 < seq < 2**63:
        raise NotFound("item", seq)
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        found = (await session.execute(queries.object_at(order_id, seq))).one_or_none()
        if found is None:
            await _raise_unless_missing(session, order_id, seq)
            raise NotFound("item", seq)
        (item,) = await _items(session, Results(order, services.public_url), order_id, [(found[0], found[1], found[2])])
    return _answer(item, GEOJSON)


async def _items(
    session: AsyncSession, results: Results, order_id: UUID, objects: list[tuple[int, int, str]]
) -> list[dict[str, Any]]:
    if not objects:
        return []
    names = [(suborder, name) for _, suborder, name in objects]
    files = [(row[0], row[1]) for row in await session.execute(queries.files_of_objects(order_id, names))]
    suborders = (await session.execute(orders_queries.suborders_of(order_id))).scalars()
    return results.items(files, {suborder.number: suborder.sku for suborder in suborders})


async def _raise_unless_missing(session: AsyncSession, order_id: UUID, seq: int) -> None:
    """Raise NotReady or Gone for an item that is not there yet, or not any more."""
    file = (await session.execute(orders_queries.files_of(order_id, after=seq - 1, limit=1))).scalar_one_or_none()
    if file is not None and file.seq == seq:
        await _suborder(session, order_id, file.suborder)


async def _suborder(session: AsyncSession, order_id: UUID, number: int) -> SubOrder:
    """A sub-order that is ready. Raises NotFound, Gone or NotReady."""
    if not 0 < number < 2**31:
        raise NotFound("sub-order", number)
    found = (await session.execute(orders_queries.suborder(order_id, number))).scalar_one_or_none()
    if found is None:
        raise NotFound("sub-order", number)
    if found.state in UNAVAILABLE_SUBORDERS:
        raise Gone(f"sub-order {number} is {found.state}")
    if found.state not in AVAILABLE_SUBORDERS:
        raise NotReady(f"sub-order {number} is not ready yet")
    return found


def _answer(document: dict[str, Any], media_type: str = "application/json") -> Response:
    return Response(orjson.dumps(document), media_type=media_type, headers={"Cache-Control": "private, no-cache"})
