"""The settings of the shop: what holds, and what admins change of it while everything runs."""

from fastapi import APIRouter, Request, Response

from api.dependencies import ReaderDep, ServicesDep
from api.http.answers import CONDITIONS, ETAG, IF_MATCH, answers
from api.http.etags import require_match, tagged
from api.identity.authenticate import SettingsChangerDep, SettingsReaderDep
from api.orders.routes import NOT_MODIFIED
from api.schemas import ActPublic, ActsPublic, PageCursor, PageLimit
from api.settings.schemas import SettingsPublic, ShopSettingsBody, settings_public
from models.access import Permission
from models.errors import InvalidCursor, InvalidSettings, PreconditionFailed
from models.queries.acts import acts_on
from services.shop_settings import SETTINGS, SHOP, change_settings, effective_settings, locked_version

router = APIRouter(prefix="/settings", tags=["settings"])


@router.get("", name="show-settings", response_model=SettingsPublic, responses=NOT_MODIFIED)
@answers(ETAG, *CONDITIONS)
async def show_settings(request: Request, services: ServicesDep, caller: ReaderDep) -> Response:
    """The settings that hold now: for admins all, for everybody else what pages are made of."""
    async with services.sessions.begin() as session:
        found = await effective_settings(session, services.shop)
    shown = settings_public(found, everything=caller.may(Permission.READ_SETTINGS))
    return tagged(request, shown, f"{found.version}")


@router.patch("", name="change-settings", response_model=SettingsPublic)
@answers(InvalidSettings, PreconditionFailed, ETAG, IF_MATCH)
async def change(
    request: Request, body: ShopSettingsBody, services: ServicesDep, caller: SettingsChangerDep
) -> Response:
    """Change settings; they hold from the next order on, without a restart. What the environment sets is refused."""
    async with services.sessions.begin() as session:
        require_match(request, f"{await locked_version(session)}")
        made = await change_settings(session, caller, services.shop, body.given(), services.now())
    return tagged(request, settings_public(made, everything=True), f"{made.version}", changed=True)


@router.get("/changes", name="list-setting-changes")
@answers(InvalidCursor)
async def list_changes(
    services: ServicesDep, caller: SettingsReaderDep, limit: PageLimit = 100, cursor: PageCursor = None
) -> ActsPublic:
    """Who has changed which setting, when, from what, to what; newest first."""
    cursors = services.cursors(caller, "changes of settings")
    query = acts_on(SETTINGS, SHOP, before=cursors.id(cursor), limit=limit + 1)
    async with services.sessions.begin() as session:
        found = (await session.execute(query)).scalars().all()
    page, following = cursors.cut(found, limit, "id")
    items = [ActPublic.model_validate(act, from_attributes=True) for act in page]
    return ActsPublic(items=items, next_cursor=following)
