"""Saved views of lists: how they are kept, and who sees and changes them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.errors import Fault, Forbidden, NotFound, QuotaExceeded, ViewTaken
from models.queries import views as queries
from models.tables import SavedView
from services.numbers import VIEWS, require_room

MAX_FILTER_CHARACTERS = 16_384
"""Of a view, as JSON: all views of a user are 3 MB at most."""


async def save_view(session: AsyncSession, caller: Caller, fields: Mapping[str, Any], now: datetime) -> SavedView:
    """Save a view. Raises Forbidden, ViewTaken, or QuotaExceeded where it is too large or one too many."""
    _check_sharing(caller, fields)
    _check_size(fields)
    await require_room(session, VIEWS, caller.customer)
    view = SavedView(owner=caller.customer, created_at=now, **fields)
    await _write(session, view)
    return view


async def change_view(session: AsyncSession, caller: Caller, view_id: UUID, fields: Mapping[str, Any]) -> SavedView:
    """Change a view of one's own; what `fields` leave out stays.

    Raises NotFound, Forbidden, ViewTaken or QuotaExceeded.
    """
    view = await get_own_view(session, caller, view_id)
    # Locked, so that of two changes at once neither undoes the other's.
    await session.refresh(view, with_for_update=True)
    _check_sharing(caller, fields)
    _check_size(fields)
    for name, value in fields.items():
        setattr(view, name, value)
    await _write(session, view)
    return view


async def get_view(session: AsyncSession, caller: Caller, view_id: UUID) -> SavedView:
    """Get a view that the caller may see. Raises NotFound."""
    query = queries.view(caller.customer, view_id, operator=caller.sees_everything)
    view = (await session.execute(query)).scalar_one_or_none()
    if view is None:
        raise NotFound("view", view_id)
    return view


async def get_own_view(session: AsyncSession, caller: Caller, view_id: UUID) -> SavedView:
    """Get a view that the caller may change. Raises NotFound, or Forbidden where another operator shares it."""
    view = await get_view(session, caller, view_id)
    if view.owner != caller.customer:
        raise Forbidden("change a view", ["its owner"])
    return view


def _check_sharing(caller: Caller, fields: Mapping[str, Any]) -> None:
    if fields.get("shared") and not caller.sees_everything:
        raise Forbidden("share a view", ["support", "admin"])


def _check_size(fields: Mapping[str, Any]) -> None:
    if len(json.dumps(fields.get("filter", {}))) > MAX_FILTER_CHARACTERS:
        text = f"the filter of a view has at most {MAX_FILTER_CHARACTERS:,} characters as JSON; narrow it down"
        raise QuotaExceeded([Fault(field="filter", code="view_too_large", text=text)])


async def _write(session: AsyncSession, view: SavedView) -> None:
    name = view.name
    try:
        async with session.begin_nested():
            session.add(view)
    except IntegrityError:
        raise ViewTaken(name) from None
