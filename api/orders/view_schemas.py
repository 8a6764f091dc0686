"""The bodies of saved views, and how views are shown."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.orders.filters import OrderChoiceParams
from api.schemas import Body, change_schema
from models.access import Caller
from models.listing import Sort
from models.tables import SavedView
from models.text import checked

MAX_NAME_CHARACTERS = 100

Name = Annotated[
    str,
    AfterValidator(partial(checked, limit=MAX_NAME_CHARACTERS)),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_NAME_CHARACTERS}),
]
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


def view_fields(body: ViewCreate | ViewChange) -> dict[str, Any]:
    """What a body gives of a view, as it is kept; of a change what was given alone."""
    given = type(body).model_fields if isinstance(body, ViewCreate) else body.model_fields_set
    fields = {name: getattr(body, name) for name in given}
    return fields | {"filter": body.filter.kept()} if "filter" in fields else fields


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
    """A page of your views, and for operators those that operators share; by name."""

    items: list[ViewPublic]
    next_cursor: str | None


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
