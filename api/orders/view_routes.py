"""Saved views of lists of orders."""

from uuid import UUID

from fastapi import APIRouter, Response

from api.dependencies import AnnotatorDep, ReaderDep, ServicesDep
from api.http.answers import LOCATION, answers
from api.http.idempotency import IdempotentDep
from api.orders.view_schemas import ViewChange, ViewCreate, ViewPublic, ViewsPublic, view_fields, view_public
from api.schemas import MAX_PAGE, PageCursor, PageLimit
from models.errors import InvalidCursor, NotFound, QuotaExceeded, ViewTaken
from models.links import API
from models.queries import views as queries
from services import views

router = APIRouter(prefix="/views", tags=["views"])


@router.get("", name="list-views")
@answers(InvalidCursor)
async def list_views(
    services: ServicesDep, caller: ReaderDep, limit: PageLimit = MAX_PAGE, cursor: PageCursor = None
) -> ViewsPublic:
    """Your views, and for operators those that operators share, by name."""
    cursors = services.cursors(caller, "views")
    after = cursors.position(cursor)
    query = queries.page_of_views(caller.customer, after, limit + 1, operator=caller.sees_everything)
    async with services.sessions.begin() as session:
        page, following = cursors.cut((await session.execute(query)).all(), limit, "sort_key", "id")
        return ViewsPublic(items=[view_public(caller, view) for view, *_ in page], next_cursor=following)


@router.post("", name="create-view", status_code=201, response_model=ViewPublic)
@answers(QuotaExceeded, ViewTaken, LOCATION)
async def create_view(
    body: ViewCreate, services: ServicesDep, caller: AnnotatorDep, idempotent: IdempotentDep
) -> Response:
    """Save filter, sort and columns of a list under a name."""
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        view = view_public(caller, await views.save_view(session, caller, view_fields(body), services.now()))
        return await idempotent.respond(
            session, caller, view, {"Location": f"{services.public_url}{API}/views/{view.id}"}
        )


@router.get("/{view_id}", name="show-view")
@answers(NotFound)
async def show_view(view_id: UUID, services: ServicesDep, caller: ReaderDep) -> ViewPublic:
    """One view."""
    async with services.sessions.begin() as session:
        return view_public(caller, await views.get_view(session, caller, view_id))


@router.patch("/{view_id}", name="change-view")
@answers(NotFound, QuotaExceeded, ViewTaken)
async def change_view(view_id: UUID, body: ViewChange, services: ServicesDep, caller: AnnotatorDep) -> ViewPublic:
    """Change a view of yours; what is left out stays."""
    async with services.sessions.begin() as session:
        return view_public(caller, await views.change_view(session, caller, view_id, view_fields(body)))


@router.delete("/{view_id}", name="delete-view", status_code=204)
@answers(NotFound)
async def delete_view(view_id: UUID, services: ServicesDep, caller: AnnotatorDep) -> None:
    """Delete a view of yours."""
    async with services.sessions.begin() as session:
        await session.delete(await views.get_own_view(session, caller, view_id))
