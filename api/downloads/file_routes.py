"""Single files of an order: downloaded like archives are, and proven by their SHA-256."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.dependencies import CallerDep, ServicesDep
from api.downloads import download_content
from api.downloads.download_response import DOWNLOAD, DOWNLOADS
from api.downloads.links import order_of_link
from api.downloads.rights import right_of_caller, right_of_link
from api.http.answers import DATABASE_UNAVAILABLE, answers
from models.errors import FileFailed, LinkRefused
from models.links import file_path
from services.order_lookup import get_owned

router = APIRouter(tags=["downloads"])


@router.head(
    "/orders/{order_id}/files/{file}/content", name="measure-file", response_class=Response, responses=DOWNLOAD
)
@router.get(
    "/orders/{order_id}/files/{file}/content", name="download-file", response_class=Response, responses=DOWNLOAD
)
@answers(*DOWNLOADS, FileFailed)
async def download_file(
    order_id: UUID, file: int | UUID, request: Request, services: ServicesDep, caller: CallerDep
) -> Response:
    """A file by its number in the order (`seq`) or its id; 503 with Retry-After until it is there."""
    async with services.sessions.begin() as session:
        found = await download_content.find_file(session, await get_owned(session, caller, order_id), file)
    return await download_content.answer(request, services, found, caller.actor, right_of_caller(services, caller))


@router.head(
    "/links/{link}/orders/{order_id}/files/{seq}/content",
    name="measure-linked-file",
    response_class=Response,
    responses=DOWNLOAD,
)
@router.get(
    "/links/{link}/orders/{order_id}/files/{seq}/content",
    name="download-linked-file",
    response_class=Response,
    responses=DOWNLOAD,
)
@answers(*DOWNLOADS, FileFailed, LinkRefused, DATABASE_UNAVAILABLE)
async def download_linked_file(
    link: str, order_id: UUID, seq: int, request: Request, services: ServicesDep
) -> Response:
    """A file by a signed link, without a token."""
    async with services.sessions.begin() as session:
        order = await order_of_link(services, session, link, file_path(order_id, seq), order_id)
        found = await download_content.find_file(session, order, seq)
    right = right_of_link(services, link, order_id)
    return await download_content.answer(request, services, found, download_content.LINK_ACTOR, right)
