"""Lists that are sorted by the names people gave, whatever their case, in pages."""

from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from models.listing import Position

Named = TypeVar("Named")
Page = sa.Select[Named, str, UUID]
"""Rows with `sort_key` and `id`, by which the next page begins behind them."""


def page_by_name(query: sa.Select[Named], name: Any, key: Any, after: Position | None, limit: int) -> Page[Named]:
    """A page of what a query finds, by the folded name and the id, behind `after`."""
    folded = sa.func.folded(name)
    page: Page[Named] = query.add_columns(folded.label("sort_key"), sa.label("id", key))
    if after is not None:
        page = page.where(sa.tuple_(folded, key) > (after.key, after.id))
    return page.order_by(None).order_by(folded, key).limit(limit)
