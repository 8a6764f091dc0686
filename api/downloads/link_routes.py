"""Signed links of an order: what its owner may hand to a download tool."""

from uuid import UUID

from fastapi import APIRouter, Depends

from api.dependencies import CallerDep, ServicesDep
from api.downloads.links import linked_files, signed, signed_metalink
from api.downloads.schemas import ArchiveLink, FileLink, LinksListing
from api.http.answers import answers
from api.http.policy import never_stored
from api.schemas import PageCursor, PageLimit
from models.download_urls import named
from models.errors import Gone, InvalidCursor, LinksUnavailable, NotFound, NotReady
from models.links import archive_path
from models.queries import orders as queries
from models.status_facts import AVAILABLE_SUBORDERS
from services.download_lookup import link_grant, require_planned
from services.order_lookup import get_owned

router = APIRouter(prefix="/orders/{order_id}", tags=["downloads"])


@router.get("/links", name="list-links-for-order", dependencies=[Depends(never_stored)])
@answers(Gone, InvalidCursor, LinksUnavailable, NotFound, NotReady)
async def list_links(
    order_id: UUID,
    services: ServicesDep,
    caller: CallerDep,
    limit: PageLimit = 100,
    cursor: PageCursor = None,
) -> LinksListing:
    """Links that need no token and open one thing each, until the order expires or they are revoked; files are paged.

    Archives are listed when they are ready, files and Metalinks as soon as they are planned.
    """
    cursors = services.cursors(caller, f"links {order_id}")
    after = cursors.number(cursor)
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        await require_planned(session, order)
        grant = await link_grant(session, caller, order)
        suborders = (await session.execute(queries.suborders_of(order_id))).scalars().all()
    files = [
        FileLink(
            seq=seq, path=file.name, size=file.size, sha256=file.sha256.hex() if file.sha256 else None, url=file.url
        )
        async for page in linked_files(services, order, grant, after=after, upto=after + limit)
        for seq, file in page
    ]
    archives = [
        ArchiveLink(
            suborder=part.number,
            filename=(name := services.archive_name(order, part.number)),
            size=part.archive_bytes,
            url=signed(services, path := archive_path(order_id, part.number), named(path, name), grant),
        )
        for part in suborders
        if part.state in AVAILABLE_SUBORDERS
    ]
    return LinksListing(
        expires_at=order.expires_at,
        metalink=signed_metalink(services, order, 4, grant),
        metalink3=signed_metalink(services, order, 3, grant),
        archives=archives,
        files=files,
        next_cursor=cursors.after(after + limit) if after + limit < order.files_total else None,
    )


@router.post("/links:revoke", name="revoke-links-for-order", status_code=204)
@answers(NotFound)
async def revoke_links(order_id: UUID, services: ServicesDep, caller: CallerDep) -> None:
    """Refuse every link of an order that was made until now; what is listed from now on opens again."""
    async with services.sessions.begin() as session:
        await get_owned(session, caller, order_id)
        await session.execute(queries.revoke_links(order_id, services.now()))
