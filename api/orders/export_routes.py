"""Exports of orders as CSV and JSON Lines: all that match a filter, some by id, or one."""

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.types import Receive, Scope, Send

from api.dependencies import Caller, CallerDep, ReaderDep, Services, ServicesDep
from api.http.answers import CACHE_CONTROL, CONTENT_DISPOSITION, answers
from api.http.lasting import LastingResponse, LastingRight
from api.identity.rights import right_to_read
from api.orders.filters import OrderExportParams, OrderFilterParams, OrderIds
from models.errors import NotFound, ServerBusy, TooManyExports
from models.listing import OrderFilter, Sort, Visibility
from models.queries import exports
from services import listing
from services.exporting import Export, make_export
from services.order_lookup import get_owned

CSV, JSON_LINES = "text/csv; charset=utf-8", "application/jsonl"
_TEXT = {"schema": {"type": "string"}}
BOM = "\ufeff".encode()

AS_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": _TEXT}}}
AS_JSON_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {JSON_LINES: _TEXT}}}

router = APIRouter(tags=["exports"])


class ExportResponse(LastingResponse):
    """An export on its way, which counts against its customer's number until it has ended."""

    def __init__(
        self,
        export: Export,
        right: LastingRight,
        room: ExitStack,
        *,
        name: str,
        media_type: str,
        status_code: int = 200,  # FastAPI reads it here for the contract
    ) -> None:
        headers = _attached(name, export.size)
        super().__init__(export.blocks(), right, status_code=status_code, headers=headers, media_type=media_type)
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and give its room back however that ends."""
        with self._room:
            await super().__call__(scope, receive, send)


@router.get("/orders.csv", name="export-orders-csv", response_class=ExportResponse, responses=AS_CSV)
@answers(TooManyExports, ServerBusy, CACHE_CONTROL, CONTENT_DISPOSITION)
async def export_csv(
    services: ServicesDep, caller: CallerDep, query: Annotated[OrderExportParams, Query()]
) -> ExportResponse:
    """Every order that matches, as CSV for spreadsheets."""
    orders = await _resolve(services, caller.visibility, query)
    return await _csv(services, caller, orders, "orders", bom=query.bom)


@router.post("/orders.csv", name="export-orders-by-id-csv", response_class=ExportResponse, responses=AS_CSV)
@answers(TooManyExports, ServerBusy, CACHE_CONTROL, CONTENT_DISPOSITION)
async def export_ids_csv(
    services: ServicesDep, caller: ReaderDep, body: OrderIds, bom: Annotated[bool, Query()] = False
) -> ExportResponse:
    """The orders of these ids as CSV; ids that are none of yours are left out."""
    orders = listing.OrderQuery(caller.visibility, OrderFilter(ids=tuple(body.ids)), Sort.NEWEST)
    return await _csv(services, caller, orders, "orders", bom=bom)


@router.get("/orders/{order_id}.csv", name="export-order-csv", response_class=ExportResponse, responses=AS_CSV)
@answers(NotFound, TooManyExports, ServerBusy, CACHE_CONTROL, CONTENT_DISPOSITION)
async def export_one_csv(
    order_id: UUID, services: ServicesDep, caller: CallerDep, bom: Annotated[bool, Query()] = False
) -> ExportResponse:
    """One order as CSV."""
    async with services.sessions.begin() as session:
        number = (await get_owned(session, caller, order_id)).number
    orders = listing.OrderQuery(caller.visibility, OrderFilter(ids=(order_id,)), Sort.NEWEST)
    return await _csv(services, caller, orders, number, bom=bom)


@router.get("/orders.jsonl", name="export-orders-jsonl", response_class=ExportResponse, responses=AS_JSON_LINES)
@answers(TooManyExports, ServerBusy, CACHE_CONTROL, CONTENT_DISPOSITION)
async def export_jsonl(
    services: ServicesDep, caller: CallerDep, query: Annotated[OrderFilterParams, Query()]
) -> ExportResponse:
    """Every order that matches as JSON Lines, an object a line."""
    orders = await _resolve(services, caller.visibility, query)
    copy = exports.as_json_lines(orders.visibility, orders.criteria, orders.sort)
    return await _export(services, caller, copy, "orders.jsonl", JSON_LINES)


async def export_chosen(
    services: Services, caller: Caller, criteria: OrderFilter, ids: Collection[UUID] | None, *, bom: bool
) -> ExportResponse:
    """The orders of a bulk as CSV."""
    criteria = criteria if ids is None else replace(criteria, ids=tuple(ids))
    async with services.sessions.begin() as session:
        orders = await listing.resolve(session, listing.OrderQuery(caller.visibility, criteria, Sort.NEWEST))
    return await _csv(services, caller, orders, "orders", bom=bom)


async def _resolve(services: Services, visibility: Visibility, query: OrderFilterParams) -> listing.OrderQuery:
    async with services.sessions.begin() as session:
        return await listing.resolve(session, listing.OrderQuery(visibility, query.to_filter(), query.sort))


async def _csv(
    services: Services, caller: Caller, orders: listing.OrderQuery, name: str, *, bom: bool
) -> ExportResponse:
    copy = exports.as_csv(orders.visibility, orders.criteria, orders.sort)
    return await _export(services, caller, copy, f"{name}.csv", CSV, BOM if bom else b"")


async def _export(
    services: Services, caller: Caller, copy: exports.Copy, name: str, media_type: str, head: bytes = b""
) -> ExportResponse:
    """Raises TooManyExports or ServerBusy."""
    right = right_to_read(services, caller, begun_at=services.now())
    with ExitStack() as room:
        room.enter_context(services.exports.room(caller.customer))
        export = await make_export(services.sessions, services.export_slots, copy, head)
        room.callback(export.close)
        return ExportResponse(export, right, room.pop_all(), name=name, media_type=media_type)


def _attached(name: str, size: int) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
