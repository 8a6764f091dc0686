"""Destinations: saved, listed, tested and removed; and what became of an order's deliveries."""

from operator import attrgetter
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Path, Response

from api.deliveries.schemas import (
    DeliveriesPublic,
    DestinationCreate,
    DestinationPublic,
    DestinationsPublic,
    DestinationTested,
    credentials_of,
    delivery_public,
    destination_public,
    location_of,
    pending_delivery,
)
from api.dependencies import CallerDep, ReaderDep, ServicesDep
from api.http.answers import LOCATION, answers
from api.http.idempotency import IdempotentDep
from api.orders.presenting import failure_public, suborder_blockers
from api.schemas import MAX_PAGE, PageCursor, PageLimit
from models.errors import (
    Failed,
    FailureCode,
    InvalidCursor,
    InvalidDestination,
    NameTaken,
    NotFound,
    QuotaExceeded,
    TooManyTests,
)
from models.links import API
from models.queries import destinations as queries
from models.queries.blockers import BLOCKERS_OF_SUBORDERS
from services.destinations import get_own_destination, save_destination
from services.order_lookup import get_owned
from storage.bulkheads import Bulkhead

PROBE_TIMEOUT = 15.0
"""Seconds a destination has for its test."""

router = APIRouter(tags=["destinations"])

Key = Annotated[str, Path(max_length=100, description="The destination's id or name.")]


@router.post("/destinations", name="create-destination", status_code=201, response_model=DestinationPublic)
@answers(InvalidDestination, NameTaken, QuotaExceeded, LOCATION)
async def create_destination(
    body: Annotated[DestinationCreate, Body()],
    services: ServicesDep,
    caller: CallerDep,
    idempotent: IdempotentDep,
) -> Response:
    """Save a destination for deliveries. Whether it works, its `test` tells."""
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        destination = await save_destination(
            session,
            services.delivery_targets,
            caller.customer,
            body.name,
            location_of(body),
            body.prefix,
            credentials_of(body),
        )
        saved = destination_public(destination)
        where = {"Location": f"{services.public_url}{API}/destinations/{saved.id}"}
        return await idempotent.respond(session, caller, saved, where)


@router.get("/destinations", name="list-destinations")
@answers(InvalidCursor)
async def list_destinations(
    services: ServicesDep, caller: CallerDep, limit: PageLimit = MAX_PAGE, cursor: PageCursor = None
) -> DestinationsPublic:
    """Your destinations, by name."""
    cursors = services.cursors(caller, "destinations")
    query = queries.page_of_destinations(caller.customer, cursors.position(cursor), limit + 1)
    async with services.sessions.begin() as session:
        page, following = cursors.cut((await session.execute(query)).all(), limit, "sort_key", "id")
        return DestinationsPublic(items=[destination_public(row) for row, *_ in page], next_cursor=following)


@router.get("/destinations/{key:name}", name="show-destination")
@answers(NotFound)
async def show_destination(key: Key, services: ServicesDep, caller: CallerDep) -> DestinationPublic:
    """One destination."""
    async with services.sessions.begin() as session:
        return destination_public(await get_own_destination(session, caller.customer, key))


@router.delete("/destinations/{key:name}", name="delete-destination", status_code=204)
@answers(NotFound)
async def delete_destination(key: Key, services: ServicesDep, caller: CallerDep) -> None:
    """Remove a destination and its credentials; what has yet to be delivered there can still be downloaded."""
    async with services.sessions.begin() as session:
        await session.delete(await get_own_destination(session, caller.customer, key))


@router.post("/destinations/{key:name}/test", name="test-destination")
@answers(NotFound, TooManyTests)
async def test_destination(
    key: Key,
    services: ServicesDep,
    caller: CallerDep,
    _reader: ReaderDep,  # noqa: PT019 - no test of pytest's
) -> DestinationTested:
    """Write something small to a destination, read it back and delete it; what came of it is all there is to it.

    One that has not answered within 15 s has failed. Only some tests of one server run at a time.
    """
    async with services.sessions.begin() as session:
        found = await get_own_destination(session, caller.customer, key)
    try:
        target = services.delivery_targets.target(found.place, found.credentials, found.owner)
        place = Bulkhead.of_destination(found.place, services.delivery_targets.root_of(found.place, found.owner))
        await services.probes.at(place).call(target.probe, PROBE_TIMEOUT)
    except Failed as failed:
        if failed.failure.code is FailureCode.SOURCE_BUSY:
            raise TooManyTests from failed
        return DestinationTested(ok=False, failure=failure_public(failed.failure.code, failed.failure.text))
    return DestinationTested(ok=True, failure=None)


@router.get("/orders/{order_id}/deliveries", name="list-deliveries-for-order")
@answers(InvalidCursor, NotFound)
async def list_deliveries(
    order_id: UUID, services: ServicesDep, caller: CallerDep, limit: PageLimit = MAX_PAGE, cursor: PageCursor = None
) -> DeliveriesPublic:
    """Where an order's archives go, and what became of each, or what its delivery waits for."""
    cursors = services.cursors(caller, f"deliveries of {order_id}")
    after = cursors.number(cursor)
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        rows = (await session.execute(queries.deliveries_of(order_id, after=after, limit=limit + 1))).scalars()
        items = [delivery_public(row, failure_public(row.failure_code, row.failure_text)) for row in rows]
        blockers = suborder_blockers(await session.execute(BLOCKERS_OF_SUBORDERS, {"order_ids": [order_id]}))
        pending = queries.undelivered_suborders(order_id, after=after, limit=limit + 1)
        open_ = (await session.execute(pending)).scalars()
        items += [pending_delivery(suborder, blockers.get(suborder.number)) for suborder in open_]
    page, following = cursors.cut(sorted(items, key=attrgetter("suborder")), limit, "suborder")
    return DeliveriesPublic(destination=order.destination_name, items=list(page), next_cursor=following)
