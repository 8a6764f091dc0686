"""Queries for saved views."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.listing import Position
from models.queries.names import Page, page_by_name
from models.tables import SavedView


def views_for(owner: str, *, operator: bool) -> sa.Select[SavedView]:
    """One's own views, and for operators the shared ones, by name."""
    mine = col(SavedView.owner) == owner
    return (
        sa.select(SavedView)
        .where(sa.or_(mine, col(SavedView.shared)) if operator else mine)
        .order_by(sa.func.folded(SavedView.name), col(SavedView.id))
    )


def page_of_views(owner: str, after: Position | None, limit: int, *, operator: bool) -> Page[SavedView]:
    """A page of those views."""
    return page_by_name(views_for(owner, operator=operator), SavedView.name, SavedView.id, after, limit)


def view(owner: str, view_id: UUID, *, operator: bool) -> sa.Select[SavedView]:
    """One of them."""
    return views_for(owner, operator=operator).where(col(SavedView.id) == view_id)


def views_counted(owner: str) -> sa.Select[int]:
    """How many somebody has saved."""
    return sa.select(sa.func.count()).select_from(SavedView).where(col(SavedView.owner) == owner)
