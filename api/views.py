"""Saved views: their bodies, how they are kept and who sees them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from api.annotating import is_operator
from api.dependencies import Caller
from api.orders.filters import OrderChoiceParams
from api.schemas import Body, change_schema
from models.errors import Fault, Forbidden, NotFound, QuotaExceeded, ViewTaken
from models.listing import Sort
from models.queries import views as queries
from models.tables import SavedView

MAX_VIEWS = 200


def _shown(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("a name has visible characters, no control characters and no blank at either end")
    return text


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_shown)]
Columns = Annotated[
    list[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,49}$", examples=["label"])]], Field(max_length=50)
]
_FILTER = "As the parameters of `GET /orders`; `sort` stands beside it, and is not in it."


class ViewFilter(OrderChoiceParams):
    """The filter of a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": ["fulfilled"], "tag": ["winter"]}]})

    def kept(self) -> dict[str, Any]:
        """What was given, as it is written."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class ViewCreate(Body):
    """A view."""

    name: Name
    filter: Annotated[ViewFilter, Field(strict=False, description=_FILTER)] = ViewFilter()
    sort: Annotated[Sort, Field(strict=False)] = Sort.NEWEST
    columns: Columns = Field(default=[], description="What to show, in this order; none means what a page likes.")
    shared: bool = Field(default=False, description="Whether all operators see it; for operators.")


class ViewChange(Body):
    """What to change of a view; what is left out stays."""

    model_config = ConfigDict(json_schema_extra=change_schema({"name": "winter", "shared": False}))

    name: Name = ""
    filter: Annotated[ViewFilter, Field(strict=False, description=_FILTER)] = ViewFilter()
    sort: Annotated[Sort, Field(strict=False)] = Sort.NEWEST
    columns: Columns = Field(default=[])
    shared: bool = False


class ViewPublic(BaseModel):
    """A saved view; `mine` says that you may change it."""

    id: UUID
    name: str
    filter: dict[str, Any]
    sort: Sort
    columns: list[str]
    shared: bool
    mine: bool
    created_at: datetime


class ViewsPublic(BaseModel):
    """Your views, and for operators those that operators share; by name."""

    items: list[ViewPublic]


async def save(session: AsyncSession, caller: Caller, body: ViewCreate, now: datetime) -> ViewPublic:
    """Save a view. Raises Forbidden, ViewTaken, or QuotaExceeded where there are very many."""
    _check(caller, shared=body.shared)
    await session.execute(queries.LOCK, {"owner": caller.customer})
    if (await session.execute(queries.views_counted(caller.customer))).scalar_one() >= MAX_VIEWS:
        text = f"you may save {MAX_VIEWS} views; delete one first"
        raise QuotaExceeded([Fault(field="name", code="too_many_views", text=text)])
    view = SavedView(
        owner=caller.customer,
        name=body.name,
        filter=body.filter.kept(),
        sort=body.sort,
        columns=body.columns,
        shared=body.shared,
        created_at=now,
    )
    await _write(session, view)
    return view_public(caller, view)


async def change(session: AsyncSession, caller: Caller, view_id: UUID, body: ViewChange) -> ViewPublic:
    """Change a view of one's own. Raises NotFound, Forbidden or ViewTaken."""
    view = await owned(session, caller, view_id)
    await session.refresh(view, with_for_update=True)
    given = body.model_fields_set
    if "shared" in given:
        _check(caller, shared=body.shared)
    for name in given - {"filter"}:
        setattr(view, name, getattr(body, name))
    if "filter" in given:
        view.filter = body.filter.kept()
    await _write(session, view)
    return view_public(caller, view)


async def found(session: AsyncSession, caller: Caller, view_id: UUID) -> SavedView:
    """A view that the caller may see. Raises NotFound."""
    query = queries.view(caller.customer, view_id, operator=is_operator(caller))
    view = (await session.execute(query)).scalar_one_or_none()
    if view is None:
        raise NotFound("view", view_id)
    return view


async def owned(session: AsyncSession, caller: Caller, view_id: UUID) -> SavedView:
    """A view that the caller may change. Raises NotFound, or Forbidden where another operator shares it."""
    view = await found(session, caller, view_id)
    if view.owner != caller.customer:
        raise Forbidden("change a view", ["its owner"])
    return view


def view_public(caller: Caller, view: SavedView) -> ViewPublic:
    """A view as the caller sees it."""
    return ViewPublic(
        id=view.id,
        name=view.name,
        filter=view.filter,
        sort=Sort(view.sort),
        columns=view.columns,
        shared=view.shared,
        mine=view.owner == caller.customer,
        created_at=view.created_at,
    )


def _check(caller: Caller, *, shared: bool) -> None:
    if shared and not is_operator(caller):
        raise Forbidden("share a view", ["support", "admin"])


async def _write(session: AsyncSession, view: SavedView) -> None:
    name = view.name
    try:
        async with session.begin_nested():
            session.add(view)
    except IntegrityError:
        raise ViewTaken(name) from None
