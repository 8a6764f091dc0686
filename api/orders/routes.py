"""Orders: placed, listed, shown, with their files and timelines."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import CallerDep, ServicesDep
from api.http.answers import CONDITIONS, ETAG, LOCATION, answers
from api.http.etags import tagged
from api.http.idempotency import IdempotentDep
from api.orders import presenting
from api.orders.filters import OrderListParams
from api.orders.lookup import detail_of, state_of
from api.orders.quotas import report_quotas
from api.orders.schemas import (
    OrderCreate,
    OrderDetail,
    OrderFilesPublic,
    OrdersPublic,
    SubOrdersPublic,
    TimelinesPublic,
)
from api.orders.starting import start_workflow
from api.schemas import MAX_PAGE, PageCursor, PageLimit
from models.errors import InvalidCursor, InvalidOrder, LabelTaken, NotFound, QuotaExceeded
from models.queries import orders as queries
from models.queries.blockers import BLOCKERS, BLOCKERS_OF_SUBORDERS
from services import listing
from services.names import names_for, names_of_owners
from services.order_lookup import get_owned
from services.placing import place
from services.quotas import get_quotas
from temporal.start import OrderStart

router = APIRouter(prefix="/orders", tags=["orders"])

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Not modified since the given ETag."}}


@router.post("", name="create-order", status_code=201, response_model=OrderDetail)
@answers(InvalidOrder, LabelTaken, QuotaExceeded, LOCATION)
async def create_order(
    body: OrderCreate, request: Request, services: ServicesDep, caller: CallerDep, idempotent: IdempotentDep
) -> Response:
    """Place an order. Once this has answered 201 the order is never lost, whatever fails afterwards."""
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        quotas = (await services.shop_settings(session)).quotas
        order = await place(session, caller, body.to_request(), services.now(), quotas, services.storage_check)
        detail = await detail_of(session, services, order, caller)
        report_quotas(request, await get_quotas(session, quotas, caller.customer, services.now()))
        answer = await idempotent.respond(session, caller, detail, {"Location": detail.links.self})
    await start_workflow(services, OrderStart(order, detail.products))
    return answer


@router.get("", name="list-orders", response_model=OrdersPublic, responses=NOT_MODIFIED)
@answers(InvalidCursor, ETAG, *CONDITIONS)
async def list_orders(
    request: Request, services: ServicesDep, caller: CallerDep, query: Annotated[OrderListParams, Query()]
) -> Response:
    """The orders you may see, newest first unless sorted otherwise."""
    cursors = services.cursors(caller, query.name)
    after = cursors.position(query.cursor)
    async with services.sessions.begin() as session:
        orders = await listing.resolve(session, listing.OrderQuery(caller.visibility, query.to_filter(), query.sort))
        found = await listing.page(session, orders, after, query.limit + 1)
        counts = await listing.counts(session, orders) if after is None else None
        version = await listing.version(session, caller.visibility)
        page, following = cursors.cut(found, query.limit, "sort_key", "id")
        ids = [order.id for order in page]
        states = presenting.states(await session.execute(queries.suborder_states(ids)))
        blockers = presenting.blockers(await session.execute(BLOCKERS, {"order_ids": ids}))
        names = await names_of_owners(session, caller, {order.customer for order in page})
    health = services.operations.temporal_health
    machinery = health.machinery(services.now())
    body = OrdersPublic(
        items=[
            presenting.order_public(
                o, states.get(o.id, {}), services.public_url, caller, names, blockers.get(o.id), machinery
            )
            for o in page
        ],
        next_cursor=following,
        counts=counts.by_status if counts else None,
        total=counts.total if counts else None,
        total_capped=counts.capped if counts else None,
        version=version,
        degraded=health.unavailable,
    )
    return tagged(request, body)


@router.get("/{order_id}", name="show-order", response_model=OrderDetail, responses=NOT_MODIFIED)
@answers(NotFound, ETAG, *CONDITIONS)
async def show_order(request: Request, order_id: UUID, services: ServicesDep, caller: CallerDep) -> Response:
    """One order."""
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        detail = await detail_of(session, services, order, caller)
    return tagged(request, detail, state_of(order))


@router.get("/{order_id}/suborders", name="list-suborders-for-order")
@answers(InvalidCursor, NotFound)
async def list_suborders(
    order_id: UUID, services: ServicesDep, caller: CallerDep, limit: PageLimit = MAX_PAGE, cursor: PageCursor = None
) -> SubOrdersPublic:
    """The sub-orders of an order, in the order they become ready; empty until it is planned."""
    cursors = services.cursors(caller, f"sub-orders of {order_id}")
    after = cursors.number(cursor)
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        found = (await session.execute(queries.suborders_of(order_id, after=after, limit=limit + 1))).scalars().all()
        blockers = presenting.suborder_blockers(await session.execute(BLOCKERS_OF_SUBORDERS, {"order_ids": [order_id]}))
    page, following = cursors.cut(found, limit, "number")
    items = [
        presenting.suborder_public(part, services.archive_url(order, part.number), blockers.get(part.number))
        for part in page
    ]
    return SubOrdersPublic(items=items, next_cursor=following)


@router.get("/{order_id}/files", name="list-files-for-order")
@answers(InvalidCursor, NotFound)
async def list_files(
    order_id: UUID, services: ServicesDep, caller: CallerDep, limit: PageLimit = 100, cursor: PageCursor = None
) -> OrderFilesPublic:
    """The files of an order; empty until it is planned."""
    cursors = services.cursors(caller, f"files of {order_id}")
    after = cursors.number(cursor)
    async with services.sessions.begin() as session:
        await get_owned(session, caller, order_id)
        found = (await session.execute(queries.files_of(order_id, after=after, limit=limit + 1))).scalars().all()
    page, following = cursors.cut(found, limit, "seq")
    return OrderFilesPublic(items=[presenting.file_public(file) for file in page], next_cursor=following)


@router.get("/{order_id}/timeline", name="list-timeline-for-order")
@answers(InvalidCursor, NotFound)
async def list_timeline(
    order_id: UUID, services: ServicesDep, caller: CallerDep, limit: PageLimit = MAX_PAGE, cursor: PageCursor = None
) -> TimelinesPublic:
    """Everything that happened to an order."""
    cursors = services.cursors(caller, f"timeline of {order_id}")
    after = cursors.number(cursor)
    async with services.sessions.begin() as session:
        await get_owned(session, caller, order_id)
        found = (await session.execute(queries.timeline_of(order_id, after=after, limit=limit + 1))).scalars().all()
        page, following = cursors.cut(found, limit, "sequence")
        names = await names_for(session, caller, {presenting.person_of(row.actor) for row in page})
    return TimelinesPublic(items=[presenting.timeline_public(row, names) for row in page], next_cursor=following)
