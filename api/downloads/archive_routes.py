"""Archives: downloaded whole or in parts, streamed from the files they consist of, and acknowledged."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.dependencies import CallerDep, ServicesDep
from api.downloads import download_content
from api.downloads.download_response import DOWNLOAD, DOWNLOADS
from api.downloads.links import order_of_link
from api.downloads.rights import right_of_caller, right_of_link
from api.http.answers import DATABASE_UNAVAILABLE, answers
from api.orders import presenting
from api.orders.schemas import SubOrderPublic
from models.errors import Gone, LinkRefused, NotFound, NotReady
from models.links import archive_path
from services.download_lookup import downloadable_archive
from services.download_tracking import acknowledge
from services.order_lookup import get_owned
from temporal.outbox import deliver_event

router = APIRouter(tags=["downloads"])


@router.head(
    "/orders/{order_id}/suborders/{number}/archive", name="measure-archive", response_class=Response, responses=DOWNLOAD
)
@router.get(
    "/orders/{order_id}/suborders/{number}/archive",
    name="download-archive",
    response_class=Response,
    responses=DOWNLOAD,
)
@answers(*DOWNLOADS)
async def download_archive(
    order_id: UUID, number: int, request: Request, services: ServicesDep, caller: CallerDep
) -> Response:
    """The zip of a sub-order; Range and If-Range resume it, HEAD tells its length."""
    async with services.sessions.begin() as session:
        found = await download_content.find_archive(
            session, await get_owned(session, caller, order_id), number, request.method
        )
    return await download_content.answer(request, services, found, caller.actor, right_of_caller(services, caller))


@router.head(
    "/links/{link}/orders/{order_id}/suborders/{number}/archive",
    name="measure-linked-archive",
    response_class=Response,
    responses=DOWNLOAD,
)
@router.get(
    "/links/{link}/orders/{order_id}/suborders/{number}/archive",
    name="download-linked-archive",
    response_class=Response,
    responses=DOWNLOAD,
)
@answers(*DOWNLOADS, LinkRefused, DATABASE_UNAVAILABLE)
async def download_linked_archive(
    link: str, order_id: UUID, number: int, request: Request, services: ServicesDep
) -> Response:
    """The zip of a sub-order by a signed link, without a token."""
    async with services.sessions.begin() as session:
        order = await order_of_link(services, session, link, archive_path(order_id, number), order_id)
        found = await download_content.find_archive(session, order, number, request.method)
    right = right_of_link(services, link, order_id)
    return await download_content.answer(request, services, found, download_content.LINK_ACTOR, right)


@router.post("/orders/{order_id}/suborders/{number}/acknowledge", name="acknowledge-suborder")
@answers(Gone, NotFound, NotReady)
async def acknowledge_suborder(order_id: UUID, number: int, services: ServicesDep, caller: CallerDep) -> SubOrderPublic:
    """Say that a sub-order has arrived, however it did; saying so again changes nothing."""
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        suborder = await downloadable_archive(session, order, number)
        event = await acknowledge(session, order_id, number, caller.actor, services.now())
        await session.refresh(suborder)
        shown = presenting.suborder_public(suborder, services.archive_url(order, number))
    await deliver_event(services.temporal, services.sessions, event)
    return shown
