"""Bulks: one action for many orders, and what became of each."""

from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Response
from fastapi import Body as JsonBody
from temporalio.service import RPCError

from api.dependencies import Caller, CallerDep, Services, ServicesDep
from api.http.answers import CACHE_CONTROL, CONTENT_DISPOSITION, LOCATION, answers
from api.http.idempotency import IdempotentDep
from api.identity.authenticate import AuthenticatedCaller
from api.orders.bulk_schemas import (
    BulkCreate,
    BulkDryRun,
    BulkExportCreate,
    BulkOrderPublic,
    BulkOrdersPublic,
    BulkPublic,
    BulksPublic,
    bulk_public,
    dry_run_public,
)
from api.orders.export_routes import CSV, export_chosen
from api.schemas import PageCursor, PageLimit
from models.access import Permission
from models.bulk import ItemResult
from models.errors import (
    BulkIsOver,
    IllegalTransition,
    InvalidBulk,
    InvalidCursor,
    NotFound,
    QuotaExceeded,
    SelectionChanged,
    ServerBusy,
    TemporalUnavailable,
    TooManyExports,
)
from models.links import API
from models.queries import bulk as queries
from models.tables import Bulk
from services import bulks
from temporal.start import start_bulk

log = structlog.get_logger()

router = APIRouter(tags=["bulks"])

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": BulkDryRun,
        "content": {CSV: {}},
        "description": "A dry run: what would be done. Or the export.",
    },
    202: {"description": "Accepted; it is never lost, whatever fails afterwards."},
}


@router.post("/orders:bulk", name="create-bulk", status_code=202, response_model=BulkPublic, responses=ANSWERS)
@answers(
    IllegalTransition,
    InvalidBulk,
    InvalidCursor,
    QuotaExceeded,
    ServerBusy,
    SelectionChanged,
    TooManyExports,
    CACHE_CONTROL,
    CONTENT_DISPOSITION,
    LOCATION,
)
async def create_bulk(
    services: ServicesDep,
    caller: AuthenticatedCaller,
    body: Annotated[BulkCreate, JsonBody()],
    idempotent: IdempotentDep,
    limit: PageLimit = 100,
    cursor: PageCursor = None,
) -> Response:
    """Do something to many orders. `limit` and `cursor` are for the pages of a dry run."""
    request = body.to_request()
    caller.require(request.permission)
    if body.dry_run:
        # It shows orders, and a token may be for commands alone.
        caller.require(Permission.READ)
        return await _dry_run(services, caller, body, cursor, limit)
    if isinstance(body, BulkExportCreate):
        async with services.sessions.begin() as session:
            await bulks.check_export(session, caller, request)
        return await export_chosen(services, caller, body.criteria, body.ids, bom=body.bom)
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        bulk = await bulks.accept_bulk(session, caller, request)
        where = {"Location": _url(services, bulk.id)}
        answer = await idempotent.respond(session, caller, _shown(services, bulk), where, status=202)
    await _start(services, bulk)
    return answer


@router.get("/bulks", name="list-bulks")
@answers(InvalidCursor)
async def list_bulks(
    services: ServicesDep, caller: CallerDep, limit: PageLimit = 50, cursor: PageCursor = None
) -> BulksPublic:
    """Your bulks, everybody's for those who see everything; the newest first."""
    cursors = services.cursors(caller, "bulks")
    after = cursors.id(cursor)
    async with services.sessions.begin() as session:
        found = (await session.execute(queries.bulks_of(caller.visibility, after, limit + 1))).scalars().all()
    page, following = cursors.cut(found, limit, "id")
    return BulksPublic(items=[_shown(services, bulk) for bulk in page], next_cursor=following)


@router.get("/bulks/{bulk_id}", name="show-bulk")
@answers(NotFound)
async def show_bulk(bulk_id: UUID, services: ServicesDep, caller: CallerDep) -> BulkPublic:
    """One bulk, and how far it has come."""
    async with services.sessions.begin() as session:
        return _shown(services, await bulks.get_own_bulk(session, caller, bulk_id))


@router.get("/bulks/{bulk_id}/orders", name="list-orders-for-bulk")
@answers(InvalidCursor, NotFound)
async def list_bulk_orders(
    bulk_id: UUID,
    services: ServicesDep,
    caller: CallerDep,
    outcome: Annotated[list[ItemResult | Literal["pending"]], Query(max_length=10, default_factory=list)],
    limit: PageLimit = 100,
    cursor: PageCursor = None,
) -> BulkOrdersPublic:
    """What became of each order; `outcome` may be repeated for several."""
    outcomes = sorted(set(map(str, outcome)))
    cursors = services.cursors(caller, f"orders of bulk {bulk_id} {outcomes}")
    after = cursors.id(cursor)
    async with services.sessions.begin() as session:
        await bulks.get_own_bulk(session, caller, bulk_id)
        found = (await session.execute(queries.items_of(bulk_id, outcomes, after, limit + 1))).all()
    items = [
        BulkOrderPublic(
            order_id=item.order_id,
            number=number,
            outcome=ItemResult(item.result) if item.result else "pending",
            code=item.code,
            text=item.text,
        )
        for item, number in found
    ]
    page, following = cursors.cut(items, limit, "order_id")
    return BulkOrdersPublic(items=list(page), next_cursor=following)


@router.post("/bulks/{bulk_id}/cancel", name="cancel-bulk")
@answers(BulkIsOver, NotFound)
async def cancel_bulk(bulk_id: UUID, services: ServicesDep, caller: CallerDep) -> BulkPublic:
    """Have a bulk stop before its next order; what it has done stays."""
    async with services.sessions.begin() as session:
        bulk = await bulks.get_own_bulk(session, caller, bulk_id)
        await session.execute(queries.cancel(bulk_id, services.now()))
        await session.refresh(bulk)
        if bulk.cancelled_at is None:
            raise BulkIsOver
    return _shown(services, bulk)


async def _dry_run(services: Services, caller: Caller, body: BulkCreate, cursor: str | None, limit: int) -> Response:
    # The cursors of one request are those of no other.
    digest = sha256(body.model_dump_json().encode()).hexdigest()
    cursors = services.cursors(caller, f"dry run {digest}")
    async with services.sessions.begin() as session:
        found = await bulks.dry_run(session, caller, body.to_request(), cursors.id(cursor), limit)
    following = cursors.after(found.page[-1].order.id) if found.has_more else None
    return Response(dry_run_public(body.action, found, following).model_dump_json(), media_type="application/json")


def _shown(services: Services, bulk: Bulk) -> BulkPublic:
    return bulk_public(bulk, _url(services, bulk.id), degraded=services.operations.temporal_health.unavailable)


def _url(services: Services, bulk_id: UUID) -> str:
    return f"{services.public_url}{API}/bulks/{bulk_id}"


async def _start(services: Services, bulk: Bulk) -> None:
    """Start the workflow now if Temporal is there; if not, the bulk is accepted all the same."""
    if bulk.finished_at is not None:
        return
    try:
        async with services.operations.temporal_health.required():
            await start_bulk(services.temporal, bulk)
    except (TemporalUnavailable, RPCError, RuntimeError, TimeoutError) as error:
        log.warning("temporal away, the reconciler will start it", bulk=str(bulk.id), error=str(error))
        return
    async with services.sessions.begin() as session:
        await session.execute(queries.mark_started(bulk.id, services.now()))
        session.add(bulk)
        await session.refresh(bulk)
