"""The empty folders of an order: what neither a list of files nor a Metalink can hold."""

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import CallerDep, ServicesDep
from api.downloads.links import mixed_folders, side_by_side
from api.downloads.schemas import FolderPublic, FoldersPublic
from api.http.answers import answers
from api.schemas import PageCursor, PageLimit
from models.errors import InvalidCursor, NotFound
from models.queries import orders as queries
from services.order_lookup import get_owned

router = APIRouter(prefix="/orders/{order_id}", tags=["downloads"])


@router.get("/folders", name="list-folders-for-order")
@answers(InvalidCursor, NotFound)
async def list_folders(
    order_id: UUID, services: ServicesDep, caller: CallerDep, limit: PageLimit = 100, cursor: PageCursor = None
) -> FoldersPublic:
    """The folders of an order that no file is in; empty until it is planned.

    Archives have them. Who downloads file by file, as with a Metalink, makes them by this list.
    """
    cursors = services.cursors(caller, f"folders of {order_id}")
    after = cursors.number(cursor)
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        found = (await session.execute(queries.folders_of(order_id, after=after, limit=limit + 1))).scalars().all()
        mixed = await mixed_folders(session, order) if found else set()
    page, following = cursors.cut(found, limit, "seq")
    items = [
        FolderPublic(suborder=f.suborder, object=f.object_name, path=side_by_side(order, f.suborder, f.path, mixed))
        for f in page
    ]
    return FoldersPublic(items=items, next_cursor=following)
