"""Queries of searches in the catalogue: objects by place, time and name, newest first.

`services.catalogue_search` chooses among them and takes as many rows as it needs. An area is only its boxes here.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from models.areas import Box
from models.catalogue_search import ObjectFilter
from models.listing import Position
from models.queries.access import open_to
from models.queries.delivery_status import Columns
from models.status_facts import COMES_TO_NOTHING, HIDDEN_IN_SEARCH, sql_list
from models.tables import CatalogueFile, CatalogueObject, OrderFile, Product, SubOrder
from models.tables.catalogue import DURING, FOOTPRINT

OBJECTS: sa.Table = CatalogueObject.__table__  # type: ignore[attr-defined]

WALK = 5_000
"""How many objects a search looks through by default before it turns to the indexes of place and time."""

Page = sa.Select[*tuple[Any, ...]]

_INSTANT = sa.DateTime(timezone=True)


def products(groups: Collection[str] | None, skus: Collection[str] | None = None) -> sa.Select[Product]:
    """The products that are open to the groups (all, for None), by SKU; only those of these SKUs, where given."""
    query = sa.select(Product).where(open_to(groups)).order_by(col(Product.sku))
    return query if skus is None else query.where(col(Product.sku) == sa.any_(sa.literal(list(skus), ARRAY(sa.Text))))


def matches(products: Sequence[int], criteria: ObjectFilter, after: Position | None) -> Page:
    """Matching objects behind a position; the planner finds the way."""
    where = (*_of(products), *_named(criteria), *_before(OBJECTS.c, criteria), *_matching(OBJECTS.c, criteria))
    return _in_order(sa.select(*OBJECTS.c, _key(OBJECTS.c)).where(*where, *_behind(after)), OBJECTS.c)


def names_known(products: Sequence[int], names: Collection[str]) -> sa.Select[str]:
    """Those of the names that objects have."""
    return sa.select(OBJECTS.c.name).distinct().where(*_of(products), _among(names))


def count_of(page: Page) -> sa.Select[int]:
    """How many rows a query has, whatever their order."""
    return sa.select(sa.func.count()).select_from(page.with_only_columns(OBJECTS.c.id).order_by(None).subquery())


def next_matches(products: Sequence[int], criteria: ObjectFilter, after: Position | None, *, walk: int = WALK) -> Page:
    """The matches among the next objects."""
    where = (*_of(products), *_before(OBJECTS.c, criteria), *_behind(after))
    walked = _in_order(sa.select(OBJECTS).where(*where), OBJECTS.c).limit(walk).subquery("walked")
    found = sa.select(walked, _key(walked.c)).where(*_matching(walked.c, criteria))
    return _in_order(found, walked.c)


def all_matches(products: Sequence[int], criteria: ObjectFilter, after: Position | None) -> Page:
    """The whole list of matches, which the planner may not take apart."""
    where = (*_of(products), *_matching(OBJECTS.c, criteria), *_during(criteria), *_behind(after))
    hits = sa.select(OBJECTS).where(*where).cte("hits").prefix_with("MATERIALIZED", dialect="postgresql")
    return _in_order(sa.select(hits, _key(hits.c)), hits.c)


def _of(products: Sequence[int]) -> list[sa.ColumnElement[bool]]:
    shown = sa.not_(OBJECTS.c.accompanies)
    if len(products) == 1:  # whose index then gives the order too
        return [OBJECTS.c.product_id == products[0], shown]
    return [OBJECTS.c.product_id == sa.any_(sa.literal(list(products), ARRAY(sa.BigInteger))), shown]


def _named(criteria: ObjectFilter) -> list[sa.ColumnElement[bool]]:
    return [] if criteria.names is None else [_among(criteria.names)]


def _among(names: Collection[str]) -> sa.ColumnElement[bool]:
    return OBJECTS.c.name == sa.any_(sa.literal(list(names), ARRAY(sa.Text)))


def _before(o: Columns, criteria: ObjectFilter) -> list[sa.ColumnElement[bool]]:
    """Begun by the end of the interval: where a walk backwards in time starts."""
    return [] if criteria.ends is None else [o["begins_at"] <= sa.literal(criteria.ends, _INSTANT)]


def _matching(o: Columns, criteria: ObjectFilter) -> list[sa.ColumnElement[bool]]:
    tests = [] if criteria.begins is None else [o["ends_at"] >= sa.literal(criteria.begins, _INSTANT)]
    if criteria.area is not None:
        footprint: sa.ColumnElement[Any] = sa.literal_column(FOOTPRINT)
        boxes = [turned for box in criteria.area.boxes for turned in box.everywhere]
        tests += [o["west"].is_not(None), sa.or_(*(_overlaps(footprint, box) for box in boxes))]
    return tests


def _overlaps(footprint: sa.ColumnElement[Any], box: Box) -> sa.ColumnElement[bool]:
    west, south, east, north = (sa.literal(side, sa.Double) for side in box)
    return footprint.bool_op("&&")(sa.func.box(sa.func.point(west, south), sa.func.point(east, north)))


def _during(criteria: ObjectFilter) -> list[sa.ColumnElement[bool]]:
    """Under way in the interval, as the index of times knows it."""
    if criteria.begins is None and criteria.ends is None:
        return []
    begins, ends = (sa.literal(end, _INSTANT) for end in (criteria.begins, criteria.ends))
    return [sa.literal_column(DURING).bool_op("&&")(sa.func.tstzrange(begins, ends, "[]"))]


def _behind(after: Position | None) -> list[sa.ColumnElement[bool]]:
    if after is None:
        return []
    there = sa.tuple_(sa.cast(sa.literal(after.key, sa.Text), _INSTANT), sa.literal(after.id, sa.Uuid))
    return [sa.tuple_(OBJECTS.c.begins_at, OBJECTS.c.id) < there]


def _in_order(query: Page, o: Columns) -> Page:
    """Newest first."""
    return query.order_by(o["begins_at"].desc(), o["id"].desc())


def _key(o: Columns) -> sa.ColumnElement[str]:
    """The sort key as text, which loses nothing of it: for the position behind the page."""
    return sa.cast(o["begins_at"], sa.Text).label("sort_key")


SIZES = sa.text("""
    SELECT object_id, count(*), sum(size_bytes)::bigint FROM catalogue_files
    WHERE object_id = ANY(CAST(:objects AS uuid[])) GROUP BY object_id
""")
"""Files and bytes of each object."""

# Ids grow with time: the first order from behind is the newest.
ORDERS_OF_OBJECTS = sa.text(f"""
    SELECT wanted.object_id, found.* FROM unnest(CAST(:objects AS uuid[])) AS wanted(object_id)
    CROSS JOIN LATERAL (
        SELECT o.id, o.number, o.status, o.created_at, o.expires_at
        FROM order_selections s JOIN orders o ON o.id = s.order_id
        WHERE s.object_id = wanted.object_id AND s.file_id IS NULL
            AND o.customer = :customer AND o.status NOT IN ({sql_list(HIDDEN_IN_SEARCH)})
        ORDER BY o.status IN ({sql_list(COMES_TO_NOTHING)}), s.order_id DESC LIMIT 1
    ) found
""")  # noqa: S608 - statuses of ours
"""The order that counts of each object: the customer's newest of the whole object that has not come to nothing."""


def files_of_orders(objects: Sequence[UUID], orders: Sequence[UUID]) -> sa.Select[UUID, str, str, OrderFile]:
    """Each object's files in the order that is given beside it: object, kind, the state of their sub-order, file."""
    ids = sa.literal(list(objects), ARRAY(sa.Uuid)), sa.literal(list(orders), ARRAY(sa.Uuid))
    columns = sa.column("object_id", sa.Uuid), sa.column("order_id", sa.Uuid)
    wanted = sa.func.unnest(*ids).table_valued(*columns, name="wanted").render_derived()
    part = sa.and_(col(SubOrder.order_id) == col(OrderFile.order_id), col(SubOrder.number) == col(OrderFile.suborder))
    same = sa.and_(col(OrderFile.file_id) == col(CatalogueFile.id), col(OrderFile.order_id) == wanted.c.order_id)
    return (
        sa.select(col(CatalogueFile.object_id), col(CatalogueFile.kind), col(SubOrder.state), OrderFile)
        .select_from(wanted)
        .join(CatalogueFile, col(CatalogueFile.object_id) == wanted.c.object_id)
        .join(OrderFile, same)
        .join(SubOrder, part)
        .order_by(col(OrderFile.order_id), col(OrderFile.seq))
    )
