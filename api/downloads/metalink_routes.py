"""Metalinks: all files of an order for download tools, also before they are there."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from api.dependencies import CallerDep, Services, ServicesDep
from api.downloads.links import linked_files, order_of_link, signed_metalink
from api.downloads.rights import right_of_caller, right_of_link
from api.http.answers import CACHE_CONTROL, CONTENT_DISPOSITION, DATABASE_UNAVAILABLE, LINK, answers
from api.http.lasting import LastingResponse, LastingRight
from models.errors import Gone, LinkRefused, LinksUnavailable, NotFound, NotReady
from models.links import grant_in, metalink_path
from models.metalink import FILES_PER_DOCUMENT, MEDIA_TYPES, Head, Metalink, metalink_filename, part_of
from models.naming import content_disposition
from models.tables import Order
from services.download_lookup import link_grant, require_planned
from services.order_lookup import get_owned

AS_METALINK: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES.values()}}
}

router = APIRouter(tags=["downloads"], responses=AS_METALINK)

Part = Annotated[int, Query(ge=1, lt=2**31, description=f"Each part has at most {FILES_PER_DOCUMENT:,} files.")]
Which = Annotated[str, Path(pattern=r"^(metalink|\.metalink)$")]
_VERSIONS = {"metalink": 4, ".metalink": 3}


@router.head("/orders/{order_id}/metalink", name="look-for-metalink", response_class=Response)
@router.get("/orders/{order_id}/metalink", name="download-metalink", response_class=Response)
@answers(Gone, LinksUnavailable, NotFound, NotReady, CACHE_CONTROL, CONTENT_DISPOSITION, LINK)
async def download_metalink(
    order_id: UUID, request: Request, services: ServicesDep, caller: CallerDep, part: Part = 1
) -> Response:
    """Metalink 4 (RFC 5854); the URLs in it need no token."""
    return await _of_caller(request, services, caller, order_id, part, 4)


@router.head("/orders/{order_id}/.metalink", name="look-for-metalink-3", response_class=Response)
@router.get("/orders/{order_id}/.metalink", name="download-metalink-3", response_class=Response)
@answers(Gone, LinksUnavailable, NotFound, NotReady, CACHE_CONTROL, CONTENT_DISPOSITION, LINK)
async def download_metalink_3(
    order_id: UUID, request: Request, services: ServicesDep, caller: CallerDep, part: Part = 1
) -> Response:
    """Metalink 3 for older tools."""
    return await _of_caller(request, services, caller, order_id, part, 3)


@router.head("/links/{link}/orders/{order_id}/{which}", name="look-for-linked-metalink", response_class=Response)
@router.get("/links/{link}/orders/{order_id}/{which}", name="download-linked-metalink", response_class=Response)
@answers(
    Gone,
    LinkRefused,
    LinksUnavailable,
    NotFound,
    NotReady,
    DATABASE_UNAVAILABLE,
    CACHE_CONTROL,
    CONTENT_DISPOSITION,
    LINK,
)
async def download_linked_metalink(
    link: str, order_id: UUID, which: Which, request: Request, services: ServicesDep, part: Part = 1
) -> Response:
    """A Metalink by a signed link, without a token; the link opens all parts."""
    version = _VERSIONS[which]
    path = metalink_path(order_id, version=version)
    async with services.sessions.begin() as session:
        order = await order_of_link(services, session, link, path, order_id)
        await require_planned(session, order)
    right = right_of_link(services, link, order_id)
    return _answer(request, services, order, part, version, grant_in(link), right)


async def _of_caller(
    request: Request, services: Services, caller: CallerDep, order_id: UUID, part: int, version: int
) -> Response:
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        await require_planned(session, order)
        grant = await link_grant(session, caller, order)
    return _answer(request, services, order, part, version, grant, right_of_caller(services, caller))


def _answer(
    request: Request, services: Services, order: Order, part: int, version: int, grant: str, right: LastingRight
) -> Response:
    """The document, streamed from the rows as they come."""
    count = part_of(order.files_total, services.files_per_metalink)
    if part > count:
        raise NotFound("part", part)
    urls = {
        n: signed_metalink(services, order, version, grant, n) for n in {1, part - 1, part, part + 1, count} if n > 0
    }
    headers = {
        "Content-Type": MEDIA_TYPES[version],
        "Content-Disposition": content_disposition(metalink_filename(order.number, version, part, count)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if count > 1:
        headers["Link"] = ", ".join(_relations(urls, part, count))
    if request.method == "HEAD":
        # How long it is, only its end tells; a Content-Length of 0 would say that nothing is in it.
        head = Response(headers=headers)
        del head.headers["content-length"]
        return head
    return LastingResponse(_document(services, order, part, version, urls[part], grant), right, headers=headers)


def _relations(urls: Mapping[int, str], part: int, count: int) -> list[str]:
    """The other parts (RFC 8288)."""
    found = {"first": 1, "prev": part - 1, "next": part + 1, "last": count}
    return [f'<{urls[n]}>; rel="{name}"' for name, n in found.items() if 1 <= n <= count]


async def _document(
    services: Services, order: Order, part: int, version: int, url: str, grant: str
) -> AsyncIterator[bytes]:
    after = (part - 1) * services.files_per_metalink
    document = Metalink(version, Head("Consignor", services.now(), url, order.number))
    yield document.start
    async for page in linked_files(services, order, grant, after=after, upto=after + services.files_per_metalink):
        yield document.entries(file for _, file in page)
    yield document.end
