"""Exports of orders as CSV and JSON Lines: all that match a filter, some by id, or one."""

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.dependencies import Caller, CallerDep, ReaderDep, Services, ServicesDep
from api.exporting import begun
from api.orders.filters import OrderExport, OrderFilters, OrderIds
from api.orders.routes import owned
from api.schemas import Problem
from models.listing import OrderFilter, Scope, Sort
from models.queries import exports
from services import listing

CSV, JSON_LINES = "text/csv; charset=utf-8", "application/jsonl"
_TEXT = {"schema": {"type": "string"}}
BOM = "\ufeff".encode()

AS_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": _TEXT}}}
AS_JSON_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {JSON_LINES: _TEXT}}}

router = APIRouter(tags=["exports"], responses={422: {"model": Problem}, 503: {"model": Problem}})


class Streamed(StreamingResponse):
    """A file that is written while it is sent."""


@router.get("/orders.csv", name="export-orders-csv", response_class=Streamed, responses=AS_CSV)
async def export_csv(services: ServicesDep, caller: CallerDep, query: Annotated[OrderExport, Query()]) -> Streamed:
    """Every order that matches, as CSV for spreadsheets."""
    asked = await _asked(services, caller.scope, query)
    return await _csv(services, asked, "orders", bom=query.bom)


@router.post("/orders.csv", name="export-orders-by-id-csv", response_class=Streamed, responses=AS_CSV)
async def export_ids_csv(
    services: ServicesDep, caller: ReaderDep, body: OrderIds, bom: Annotated[bool, Query()] = False
) -> Streamed:
    """The orders of these ids as CSV; ids that are none of yours are left out."""
    asked = listing.Asked(caller.scope, OrderFilter(ids=tuple(body.ids)), Sort.NEWEST)
    return await _csv(services, asked, "orders", bom=bom)


@router.get("/orders/{order_id}.csv", name="export-order-csv", response_class=Streamed, responses=AS_CSV)
async def export_one_csv(
    order_id: UUID, services: ServicesDep, caller: CallerDep, bom: Annotated[bool, Query()] = False
) -> Streamed:
    """One order as CSV."""
    async with services.sessions.begin() as session:
        number = (await owned(session, caller, order_id)).number
    asked = listing.Asked(caller.scope, OrderFilter(ids=(order_id,)), Sort.NEWEST)
    return await _csv(services, asked, number, bom=bom)


@router.get("/orders.jsonl", name="export-orders-jsonl", response_class=Streamed, responses=AS_JSON_LINES)
async def export_jsonl(services: ServicesDep, caller: CallerDep, query: Annotated[OrderFilters, Query()]) -> Streamed:
    """Every order that matches as JSON Lines, an object a line."""
    asked = await _asked(services, caller.scope, query)
    copy = exports.as_json_lines(asked.scope, asked.wanted, asked.sort)
    return Streamed(await begun(services, copy), headers=_attached("orders.jsonl"), media_type=JSON_LINES)


async def export_chosen(
    services: Services, caller: Caller, wanted: OrderFilter, ids: Collection[UUID] | None, *, bom: bool
) -> Streamed:
    """The orders of a bulk as CSV."""
    wanted = wanted if ids is None else replace(wanted, ids=tuple(ids))
    async with services.sessions.begin() as session:
        asked = await listing.prepared(session, listing.Asked(caller.scope, wanted, Sort.NEWEST))
    return await _csv(services, asked, "orders", bom=bom)


async def _asked(services: Services, scope: Scope, query: OrderFilters) -> listing.Asked:
    async with services.sessions.begin() as session:
        return await listing.prepared(session, listing.Asked(scope, query.wanted(), query.sort))


async def _csv(services: Services, asked: listing.Asked, name: str, *, bom: bool) -> Streamed:
    copy = exports.as_csv(asked.scope, asked.wanted, asked.sort)
    body = await begun(services, copy, BOM if bom else b"")
    return Streamed(body, headers=_attached(f"{name}.csv"), media_type=CSV)


def _attached(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
