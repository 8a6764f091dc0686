"""Searches among a hundred thousand objects read indexes and never the whole table, whatever is asked for."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from models.areas import Box, area_of_box
from models.catalogue_search import ObjectFilter, SearchTerm, interval_of, property_test
from models.listing import Position
from models.queries import catalogue_search as queries
from models.queries.object_tests import leads
from tests.databases import truncate

OBJECTS = 100_000
MANY, FEW = 1, 2
PAGE = 11

# Nine tenths in one product; a day of 100 objects for every day; all over the earth; every tenth without a place.
FILL = f"""
    INSERT INTO products (id, sku, name, location) OVERRIDING SYSTEM VALUE
    VALUES ({MANY}, 'many', 'Many', '/'), ({FEW}, 'few', 'Few', '/');
    INSERT INTO catalogue_objects
        (product_id, name, geometry, west, south, east, north, begins_at, ends_at, bytes, properties)
    SELECT CASE WHEN n % 10 = 0 THEN {FEW} ELSE {MANY} END, 'object-' || n,
        CASE WHEN n % 10 <> 3 THEN '{{"type": "Point", "coordinates": [0, 0]}}'::jsonb END,
        CASE WHEN n % 10 <> 3 THEN (n * 7919 % 35900) / 100.0 - 180 END,
        CASE WHEN n % 10 <> 3 THEN (n * 104729 % 17900) / 100.0 - 90 END,
        CASE WHEN n % 10 <> 3 THEN (n * 7919 % 35900) / 100.0 - 179.5 END,
        CASE WHEN n % 10 <> 3 THEN (n * 104729 % 17900) / 100.0 - 89.5 END,
        timestamptz '2013-01-01Z' + n / 100 * interval '1 day', timestamptz '2013-01-01Z' + n / 100 * interval '1 day',
        n, jsonb_build_object('orbit', n % 1000, 'eo:cloud_cover', n % 9999 / 100.0)
    FROM generate_series(1::bigint, {OBJECTS}) n;
"""


@pytest.fixture(scope="module")
async def full(engine: AsyncEngine) -> Any:
    """The shared database with very many objects; emptied again for those who follow."""
    await truncate(engine)
    async with engine.begin() as connection:
        for statement in FILL.split(";")[:-1]:
            await connection.execute(sa.text(statement))
        await connection.execute(sa.text("ANALYZE catalogue_objects"))
    async with AsyncSession(engine) as session:
        yield session
    await truncate(engine)


async def plan(session: AsyncSession, query: Any) -> tuple[set[str], set[str], int]:
    """Indexes that a query uses, kinds of its steps, and the most rows that any of them has read."""
    compiled = query.compile(dialect=session.get_bind().dialect, compile_kwargs={"render_postcompile": True})
    connection = await session.connection()
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled.string}"
    found = (await connection.exec_driver_sql(explain, compiled.params)).scalar_one()
    steps, waiting = [], [found[0]["Plan"]]
    while waiting:
        step = waiting.pop()
        steps.append(step)
        waiting += step.get("Plans", [])
    read = max(int(step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) for step in steps)
    return {step["Index Name"] for step in steps if "Index Name" in step}, {step["Node Type"] for step in steps}, read


def all_matches(products: list[int], asked: ObjectFilter, after: Position | None) -> Any:
    """All matches, found by the first way there is."""
    return queries.all_matches(products, asked, after, lead=leads(asked)[0])


def by(text: str) -> ObjectFilter:
    """By a property."""
    return ObjectFilter(properties=(property_test(text),))


NEWEST, OF_ALL = "ix_catalogue_objects_newest", "ix_catalogue_objects_newest_of_all"
# Of a product that holds nearly everything, either list is as good.
EITHER = {NEWEST, OF_ALL}
PLACE, TIME = "ix_catalogue_objects_footprint", "ix_catalogue_objects_during"
TEXT, PROPERTIES = "ix_catalogue_objects_search", "ix_catalogue_objects_properties"
CLOUDS, SIZE = "ix_catalogue_objects_cloud_cover", "ix_catalogue_objects_by_size"
NAMES = {"uq_catalogue_objects_product_id_name", "ix_catalogue_objects_by_name"}
TWO_DAYS = "2013-06-01T00:00:00Z/2013-06-02T00:00:00Z"
SMALL, WORLD = area_of_box(Box(10, 10, 11, 11)), area_of_box(Box(-180, -90, 180, 90))
LAST = Position("2014-01-01 00:00:00+00", "ffffffff-ffff-ffff-ffff-ffffffffffff")  # type: ignore[arg-type]


def wanted(time: str | None = None, **more: Any) -> ObjectFilter:
    interval = interval_of(time) if time else None
    return ObjectFilter(begins=interval and interval.begins, ends=interval and interval.ends, **more)


@pytest.mark.parametrize(
    ("make", "products", "asked", "after", "indexes", "most"),
    [
        (queries.matches, [MANY], wanted(), None, EITHER, 100),
        (queries.matches, [FEW], wanted(), None, {NEWEST}, 100),
        (queries.matches, [FEW], wanted(), LAST, {NEWEST}, 100),
        (queries.matches, [MANY], wanted(), LAST, EITHER, 100),
        (queries.matches, [MANY, FEW], wanted(), None, {OF_ALL}, 100),
        (queries.matches, [MANY, FEW], wanted(), LAST, {OF_ALL}, 100),
        (queries.matches, [MANY], wanted("../2013-06-01T00:00:00Z"), None, EITHER, 100),
        (queries.matches, [MANY, FEW], wanted(names=("object-5", "object-10")), None, NAMES, 10),
        (queries.next_matches, [MANY, FEW], wanted(area=WORLD), None, {OF_ALL}, 2 * queries.WALK),
        (queries.next_matches, [MANY], wanted(area=SMALL), None, EITHER, 2 * queries.WALK),
        (queries.next_matches, [MANY], wanted(TWO_DAYS), None, EITHER, 2 * queries.WALK),
        (all_matches, [MANY, FEW], wanted(area=SMALL), None, {PLACE}, 1_000),
        (all_matches, [MANY], wanted(area=SMALL), LAST, {PLACE}, 1_000),
        (all_matches, [MANY], wanted(TWO_DAYS), None, {TIME}, 1_000),
        (all_matches, [MANY, FEW], wanted("2013-06-01T00:00:00Z", area=SMALL), None, {PLACE}, 1_000),
        (all_matches, [MANY, FEW], ObjectFilter(terms=(SearchTerm("ect-4711"),)), None, {TEXT}, 1_000),
        (all_matches, [MANY, FEW], by("orbit=17"), None, {PROPERTIES}, 1_000),
        (all_matches, [MANY, FEW], by("eo:cloud_cover<0.02"), None, {CLOUDS}, 1_000),
        (all_matches, [MANY, FEW], ObjectFilter(min_bytes=99_500), None, {SIZE}, 1_000),
    ],
)  # fmt: skip
async def test_a_search_reads_an_index_and_little_else(
    full: AsyncSession, make: Any, products: list[int], asked: ObjectFilter, after: Position | None,
    indexes: set[str], most: int,
) -> None:  # fmt: skip
    used, steps, read = await plan(full, make(products, asked, after).limit(PAGE))
    assert used
    assert used <= indexes, used
    assert "Seq Scan" not in steps
    assert read <= most
