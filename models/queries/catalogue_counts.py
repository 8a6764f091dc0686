"""How many objects match, by product, year, kinds of files and tiers: from counts that are kept, or of some matches."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from models.areas import SearchArea
from models.queries.catalogue_search import Page
from models.queries.object_tests import as_box
from models.tables import ObjectCount
from models.tables.catalogue import FOOTPRINT

COUNTS: sa.Table = ObjectCount.__table__  # type: ignore[attr-defined]

_GEOMETRY = ("geometry", "west", "south", "east", "north")


def kept(products: Sequence[int]) -> Page:
    """All objects of these products."""
    among = sa.literal(list(products), ARRAY(sa.BigInteger))
    return sa.select(COUNTS).where(COUNTS.c.product_id == sa.any_(among), COUNTS.c.objects > 0)


def of_matches(page: Page, area: SearchArea | None, *, limit: int) -> Page:
    """The first matches of a search, by what they are counted by.

    One by one, with their geometries, where these have yet to decide.
    """
    some = page.limit(limit).subquery("some")
    year = sa.cast(sa.func.extract("year", sa.func.timezone("UTC", some.c.begins_at)), sa.Integer)
    cell = [some.c.product_id, year.label("year"), some.c.kinds, some.c.tiers]
    places = _undecided(some, area)
    sums = (sa.cast(sa.func.sum(some.c[name]), sa.BigInteger).label(name) for name in ("files", "bytes"))
    return sa.select(*cell, *places, sa.func.count().label("objects"), *sums).group_by(*cell, *places)


def _undecided(some: Any, area: SearchArea | None) -> list[sa.ColumnElement[Any]]:
    """The geometry of an object that its box alone does not put into the area; nothing of others."""
    if area is None:
        return []
    inside: sa.ColumnElement[bool] = sa.false()
    if area.is_box:
        footprint: sa.ColumnElement[Any] = sa.literal_column(FOOTPRINT)
        inside = sa.or_(*(footprint.bool_op("<@")(as_box(turned)) for turned in area.boxes[0].everywhere))
    return [sa.case((inside, sa.null()), else_=some.c[name]).label(name) for name in _GEOMETRY]
