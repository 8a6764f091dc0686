"""Archives: downloaded whole or in parts, streamed from the files they consist of."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from api import ranges
from api.downloads import under_way
from api.routes.orders import owned
from api.schemas import Problem
from api.services import CallerDep, Services, ServicesDep
from models.archive import Layout
from models.errors import Failed, Gone, NotFound, NotReady
from models.naming import archive_filename, content_disposition
from models.order import OrderStatus
from models.packaging import PackedFile, delivered, layout_of
from models.queries import orders as queries
from models.suborder import SubOrderState
from models.tables import Order, SubOrder
from storage.places import source_at
from storage.source import FileVersion
from storage.virtual import Member, stream

log = structlog.get_logger()

router = APIRouter(prefix="/orders/{order_id}/suborders/{number}", tags=["archives"])

_THERE = {SubOrderState.READY, SubOrderState.DOWNLOADED}
_UNPLANNED = {OrderStatus.PENDING_PAYMENT, OrderStatus.PAYMENT_CONFIRMED, OrderStatus.VALIDATING, OrderStatus.PAUSED}
_OVER = {SubOrderState.EXPIRED, SubOrderState.CANCELLED}

_ZIP: dict[str, Any] = {"content": {"application/zip": {}}}
_PROBLEM: dict[str, Any] = {"model": Problem}

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _ZIP,
    206: {**_ZIP, "description": "The range asked for"},
    304: {"description": "The archive you have is the one that is here"},
    404: _PROBLEM,
    410: _PROBLEM,
    416: {"description": "The range lies behind the end"},
    422: _PROBLEM,
    503: _PROBLEM,
}


@dataclass(frozen=True)
class _Archive:
    """A sealed archive and the files it is streamed from."""

    order_number: str
    suborder: SubOrder
    files: list[PackedFile]

    def layout(self) -> Layout:
        """Where everything lies; the same as when it was sealed, or it is not served."""
        layout = layout_of(self.order_number, self.suborder.number, self.files)
        if layout.etag != self.suborder.archive_etag:
            raise RuntimeError(f"archive {self.order_number}/{self.suborder.number} is not as it was sealed")
        return layout

    def members(self) -> list[Member]:
        """Where the bytes come from."""
        source = source_at(self.suborder.location)
        return [Member(source, f.href, FileVersion(f.size_bytes, f.modified_ns)) for f in delivered(self.files)]


@router.head("/archive", name="measure-archive", responses=RESPONSES, response_class=Response)
@router.get("/archive", name="download-archive", responses=RESPONSES, response_class=Response)
async def download_archive(
    order_id: UUID, number: int, request: Request, services: ServicesDep, caller: CallerDep
) -> Response:
    """The zip of a sub-order; Range and If-Range resume it, HEAD tells its length."""
    async with services.sessions.begin() as session:
        order = await owned(session, caller, order_id)
        suborder = await _ready(session, order, number)
        headers = _headers(order, suborder)
        if ranges.matches(request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers={"ETag": headers["ETag"]})
        files = []
        if request.method != "HEAD":
            files = [PackedFile(*row) for row in await session.execute(queries.packed_files(order_id, number))]
    archive = _Archive(order.number, suborder, files)
    return await _answer(request, services, archive, headers)


async def _ready(session: AsyncSession, order: Order, number: int) -> SubOrder:
    """The sub-order, if it can be downloaded. Raises NotFound, Gone or NotReady."""
    if not 0 < number < 2**31:
        raise NotFound("sub-order", number)
    suborder = (await session.execute(queries.suborder(order.id, number))).scalar_one_or_none()
    if suborder is None and order.status in _UNPLANNED:
        raise NotReady(f"{order.number} is {order.status}: its sub-orders are not planned yet")
    if suborder is None:
        raise NotFound("sub-order", number)
    if suborder.state in _OVER:
        raise Gone(f"sub-order {number} is {suborder.state}; order its files again to get them")
    if suborder.state == SubOrderState.FAILED:
        raise Gone(f"sub-order {number} has failed: none of its files could be delivered")
    if suborder.state not in _THERE or suborder.archive_etag is None:
        raise NotReady(f"sub-order {number} is not ready yet")
    return suborder


def _headers(order: Order, suborder: SubOrder) -> dict[str, str]:
    name = archive_filename(order.number, order.label, suborder.number)
    headers = {
        "ETag": suborder.archive_etag or "",
        "Accept-Ranges": "bytes",
        "Content-Disposition": content_disposition(name),
        "Cache-Control": "private, no-transform",
        "X-Content-Type-Options": "nosniff",
    }
    if suborder.state_at is not None:
        headers["Last-Modified"] = format_datetime(suborder.state_at, usegmt=True)
    return headers


async def _answer(
    request: Request,
    services: Services,
    archive: _Archive,
    headers: dict[str, str],
) -> Response:
    size = archive.suborder.archive_bytes or 0
    asked = request.headers
    try:
        span = ranges.wanted(asked.get("range"), asked.get("if-range"), etag=headers["ETag"], size=size)
    except ranges.Unsatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    start, stop = span or (0, size)
    status = 206 if span else 200
    headers = {**headers, "Content-Length": str(stop - start)}
    if span:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type="application/zip")
    layout = await asyncio.to_thread(archive.layout)
    blocks = stream(layout, archive.members(), services.readers, start, stop)
    body = await _begun(blocks, services, archive)
    return StreamingResponse(body, status_code=status, headers=headers, media_type="application/zip")


async def _begun(
    blocks: AsyncGenerator[memoryview, None], services: Services, archive: _Archive
) -> AsyncIterator[memoryview]:
    """The stream with its first block read, so that a source that is away is answered, not cut."""
    first = await anext(blocks)

    async def body() -> AsyncIterator[memoryview]:
        try:
            async with under_way(services, archive.suborder.order_id, archive.suborder.number):
                yield first
                async for block in blocks:
                    yield block
        except Failed as failed:
            # Raised on, so that the connection is cut: half an archive must never look whole.
            log.warning("archive cut", order=archive.order_number, failure=failed.failure.text)
            raise
        finally:
            await blocks.aclose()

    return body()
