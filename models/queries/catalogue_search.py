"""Queries of searches in the catalogue: objects by place, time, text and what else is known of them, in any order.

`services.catalogue_search` chooses among them and takes as many rows as it needs. An area is only its boxes here.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, Executable
from sqlmodel import col

from models.catalogue_search import ObjectFilter, ObjectSort
from models.listing import Position
from models.queries.access import open_to
from models.queries.delivery_status import Columns
from models.queries.object_tests import OBJECTS, Condition, Lead, among, beginning, matching, named, of_products
from models.status_facts import COMES_TO_NOTHING, HIDDEN_IN_SEARCH, sql_list
from models.tables import CatalogueFile, OrderFile, Product, SubOrder

WALK = 5_000
"""How many objects a search looks through by default before it turns to the indexes of what is asked."""
LONG_WALK = 5
"""How many times as many it looks through where the first have shown that enough will match."""

Page = sa.Select[*tuple[Any, ...]]

_SHOWN = [column for column in OBJECTS.columns if column.name != "search"]
NEWEST: Final = ObjectSort.NEWEST


def products(groups: Collection[str] | None, skus: Collection[str] | None = None) -> sa.Select[Product]:
    """The products that are open to the groups (all, for None), by SKU; only those of these SKUs, where given."""
    query = sa.select(Product).where(open_to(groups)).order_by(col(Product.sku))
    return query if skus is None else query.where(col(Product.sku) == sa.any_(sa.literal(list(skus), ARRAY(sa.Text))))


def matches(products: Sequence[int], criteria: ObjectFilter, after: Position | None, sort: ObjectSort = NEWEST) -> Page:
    """Matching objects behind a position; the planner finds the way."""
    o = OBJECTS.c
    where = (*of_products(o, products), *named(criteria), *beginning(o, criteria, sort), *matching(o, criteria))
    return _in_order(sa.select(*_SHOWN, _key(o, sort)).where(*where, *_behind(o, after, sort)), o, sort)


def names_known(products: Sequence[int], names: Collection[str]) -> sa.Select[str]:
    """Those of the names that objects have."""
    return sa.select(OBJECTS.c.name).distinct().where(*of_products(OBJECTS.c, products), among(names))


def count_of(page: Page) -> sa.Select[int]:
    """How many rows a query has, whatever their order."""
    return sa.select(sa.func.count()).select_from(page.with_only_columns(OBJECTS.c.id).order_by(None).subquery())


def next_matches(
    products: Sequence[int],
    criteria: ObjectFilter,
    after: Position | None,
    sort: ObjectSort = NEWEST,
    *,
    walk: int = WALK,
) -> Page:
    """The matches among the next objects."""
    o = OBJECTS.c
    where = (*of_products(o, products), *beginning(o, criteria, sort), *_behind(o, after, sort))
    walked = _in_order(sa.select(OBJECTS).where(*where), o, sort).limit(walk).subquery("walked")
    return _in_order(_shown(walked.c, sort).where(*matching(walked.c, criteria)), walked.c, sort)


def all_matches(
    products: Sequence[int],
    criteria: ObjectFilter,
    after: Position | None,
    sort: ObjectSort = NEWEST,
    *,
    lead: Lead | None = None,
) -> Page:
    """The whole list of matches: what an index finds by one condition, and of that what fulfils the others.

    OFFSET keeps the planner from taking it apart: it would read a second index, however much that finds.
    """
    led = sa.select(OBJECTS).where(lead.found_by).offset(0).subquery("led") if lead else OBJECTS
    where = (*of_products(led.c, products), *beginning(led.c, criteria, sort), *matching(led.c, criteria))
    return _in_order(_shown(led.c, sort).where(*where, *_behind(led.c, after, sort)), led.c, sort)


class Estimate(Executable, ClauseElement):
    """A question to the planner: how many objects meet a condition, by its statistics."""

    inherit_cache = False

    def __init__(self, condition: Condition) -> None:
        self.query = sa.select(OBJECTS.c.id).where(condition)


@compiles(Estimate)
def _explained(estimate: Estimate, compiler: Any, **more: Any) -> str:
    return f"EXPLAIN (FORMAT JSON) {compiler.process(estimate.query, **more)}"


def estimated(answer: Any) -> int:
    """The number in the planner's answer."""
    return int(answer[0]["Plan"]["Plan Rows"])


def _shown(o: Columns, sort: ObjectSort) -> Page:
    return sa.select(*(o[column.name] for column in _SHOWN), _key(o, sort))


def _behind(o: Columns, after: Position | None, sort: ObjectSort) -> list[Condition]:
    if after is None:
        return []
    key = o[sort.key]
    there = sa.tuple_(sa.cast(sa.literal(after.key, sa.Text), key.type), sa.literal(after.id, sa.Uuid))
    here = sa.tuple_(key, o["id"])
    return [here < there if sort.descending else here > there]


def _in_order(query: Page, o: Columns, sort: ObjectSort) -> Page:
    keys = o[sort.key], o["id"]
    return query.order_by(*(key.desc() if sort.descending else key.asc() for key in keys))


def _key(o: Columns, sort: ObjectSort) -> sa.ColumnElement[str]:
    """The sort key as text, which loses nothing of it: for the position behind the page."""
    return sa.cast(o[sort.key], sa.Text).label("sort_key")


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
