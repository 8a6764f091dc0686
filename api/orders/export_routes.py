"""Exports of orders as CSV and JSON Lines: all that match a filter, some by id, or one."""

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.dependencies import Caller, CallerDep, ReaderDep, Services, ServicesDep
from api.http.answers import CACHE_CONTROL, CONTENT_DISPOSITION, answers
from api.orders.filters import OrderExportParams, OrderFilterParams, OrderIds
from models.errors import NotFound, NotReady
from models.listing import OrderFilter, Sort, Visibility
from models.queries import exports
from services import listing
from services.exporting import open_export
from services.order_lookup import get_owned

CSV, JSON_LINES = "text/csv; charset=utf-8", "application/jsonl"
_TEXT = {"schema": {"type": "string"}}
BOM = "\ufeff".encode()

AS_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": _TEXT}}}
AS_JSON_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {JSON_LINES: _TEXT}}}

router = APIRouter(tags=["exports"])


class Streamed(StreamingResponse):
    """A file that is written while it is sent."""


@router.get("/orders.csv", name="export-orders-csv", response_class=Streamed, responses=AS_CSV)
@answers(NotReady, CACHE_CONTROL, CONTENT_DISPOSITION)
async def export_csv(
    services: ServicesDep, caller: CallerDep, query: Annotated[OrderExportParams, Query()]
) -> Streamed:
    """Every order that matches, as CSV for spreadsheets."""
    orders = await _resolve(services, caller.visibility, query)
    return await _csv(services, orders, "orders", bom=query.bom)


@router.post("/orders.csv", name="export-orders-by-id-csv", response_class=Streamed, responses=AS_CSV)
@answers(NotReady, CACHE_CONTROL, CONTENT_DISPOSITION)
async def export_ids_csv(
    services: ServicesDep, caller: ReaderDep, body: OrderIds, bom: Annotated[bool, Query()] = False
) -> Streamed:
    """The orders of these ids as CSV; ids that are none of yours are left out."""
    orders = listing.OrderQuery(caller.visibility, OrderFilter(ids=tuple(body.ids)), Sort.NEWEST)
    return await _csv(services, orders, "orders", bom=bom)


@router.get("/orders/{order_id}.csv", name="export-order-csv", response_class=Streamed, responses=AS_CSV)
@answers(NotFound, NotReady, CACHE_CONTROL, CONTENT_DISPOSITION)
async def export_one_csv(
    order_id: UUID, services: ServicesDep, caller: CallerDep, bom: Annotated[bool, Query()] = False
) -> Streamed:
    """One order as CSV."""
    async with services.sessions.begin() as session:
        number = (await get_owned(session, caller, order_id)).number
    orders = listing.OrderQuery(caller.visibility, OrderFilter(ids=(order_id,)), Sort.NEWEST)
    return await _csv(services, orders, number, bom=bom)


@router.get("/orders.jsonl", name="export-orders-jsonl", response_class=Streamed, responses=AS_JSON_LINES)
@answers(NotReady, CACHE_CONTROL, CONTENT_DISPOSITION)
async def export_jsonl(
    services: ServicesDep, caller: CallerDep, query: Annotated[OrderFilterParams, Query()]
) -> Streamed:
    """Every order that matches as JSON Lines, an object a line."""
    orders = await _resolve(services, caller.visibility, query)
    copy = exports.as_json_lines(orders.visibility, orders.criteria, orders.sort)
    return Streamed(
        await open_export(services.sessions, services.exports, copy),
        headers=_attached("orders.jsonl"),
        media_type=JSON_LINES,
    )


async def export_chosen(
    services: Services, caller: Caller, criteria: OrderFilter, ids: Collection[UUID] | None, *, bom: bool
) -> Streamed:
    """The orders of a bulk as CSV."""
    criteria = criteria if ids is None else replace(criteria, ids=tuple(ids))
    async with services.sessions.begin() as session:
        orders = await listing.resolve(session, listing.OrderQuery(caller.visibility, criteria, Sort.NEWEST))
    return await _csv(services, orders, "orders", bom=bom)


async def _resolve(services: Services, visibility: Visibility, query: OrderFilterParams) -> listing.OrderQuery:
    async with services.sessions.begin() as session:
        return await listing.resolve(session, listing.OrderQuery(visibility, query.to_filter(), query.sort))


async def _csv(services: Services, orders: listing.OrderQuery, name: str, *, bom: bool) -> Streamed:
    copy = exports.as_csv(orders.visibility, orders.criteria, orders.sort)
    body = await open_export(services.sessions, services.exports, copy, BOM if bom else b"")
    return Streamed(body, headers=_attached(f"{name}.csv"), media_type=CSV)


def _attached(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
