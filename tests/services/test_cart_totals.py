"""Totals of carts are what counting every file by itself gives, whatever selections overlap and whatever goes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from database.engine import make_engine, make_sessions
from models.access import Caller
from models.cart import SelectionKind
from models.catalogue_search import ObjectFilter
from models.errors import Refusal
from services.cart import CartView, lock_cart, remove_selection, view_cart
from services.cart_adding import CartFiller
from storage.sources.registry import Sources
from tests.databases import Databases
from tests.factories import Sessions

OBJECTS = 20_000
CALLER = Caller("c" * 32)

CATALOGUE = (
    "INSERT INTO products (sku, name, location) SELECT 'p' || n, 'P', '/tmp' FROM generate_series(1, 3) n",
    """
    INSERT INTO catalogue_objects (product_id, name, begins_at, ends_at)
    SELECT 1 + n % 3, 'o' || n, timestamptz '2024-01-01Z' + n * interval '1 minute',
        timestamptz '2024-01-01Z' + n * interval '1 minute' FROM generate_series(1, :objects) n
    """,
    """
    INSERT INTO catalogue_files (object_id, name, href, size_bytes, media_type, kind, tier, modified_ns)
    SELECT o.id, 'f' || k, 'f' || k, length(o.name) * k, 'text/plain', (ARRAY['data', 'metadata'])[k],
        CASE WHEN o.product_id = 2 THEN 'nearline' ELSE 'online' END, 1
    FROM catalogue_objects o, generate_series(1, 2) k WHERE o.name NOT LIKE '%77'
    """,
    "ANALYZE",
)
# Every file that any selection holds, once: what a cart comes to, counted in the simplest way there is.
ORACLE = sa.text("""
    WITH held AS (
        SELECT f.id, f.object_id, o.product_id, f.size_bytes, f.tier FROM cart_objects c
        JOIN catalogue_objects o ON o.id = c.object_id JOIN catalogue_files f ON f.object_id = o.id
        UNION
        SELECT f.id, f.object_id, c.product_id, f.size_bytes, f.tier FROM cart_files c
        JOIN catalogue_files f ON f.id = c.file_id
    )
    SELECT p.sku, count(DISTINCT object_id), count(*), sum(size_bytes)::bigint,
        count(*) FILTER (WHERE tier = 'nearline'),
        (SELECT count(*) FROM (
            SELECT object_id FROM (
                SELECT product_id, object_id, selection FROM cart_objects
                UNION SELECT product_id, object_id, selection FROM cart_files
            ) s WHERE product_id = p.id AND object_id IN (SELECT object_id FROM held)
            GROUP BY object_id HAVING count(*) > 1
        ) twice)
    FROM held JOIN products p ON p.id = held.product_id GROUP BY p.id ORDER BY p.sku
""")

numbers = st.integers(1, OBJECTS)
times = st.tuples(numbers, numbers).map(sorted)
choices = st.one_of(
    st.tuples(st.just("names"), st.lists(numbers, min_size=1, max_size=40)),
    st.tuples(st.just("ids"), st.lists(numbers, min_size=1, max_size=40)),
    st.tuples(st.just("files"), st.lists(numbers, min_size=1, max_size=40)),
    st.tuples(st.just("search"), times),
    st.tuples(st.just("product"), st.integers(1, 3)),
    st.tuples(st.just("remove"), st.integers(1, 6)),
)


@pytest.fixture(scope="module")
async def catalogue(databases: Databases) -> AsyncIterator[Sessions]:
    """A database with so many objects, two files each but for some that have none."""
    engine = make_engine(databases.migrated("cart_totals"))
    sessions = make_sessions(engine)
    async with sessions.begin() as session:
        for statement in CATALOGUE:
            await session.execute(sa.text(statement), {"objects": OBJECTS})
    yield sessions
    await engine.dispose()


async def choose(session: AsyncSession, what: str, given: Any) -> None:
    filler = CartFiller(session, CALLER, Sources(), datetime.now(UTC))
    if what == "names":
        await filler.add_keys(SelectionKind.NAMES, [f"o{n}" for n in given], {}, ids=False, names=True)
    elif what in {"ids", "files"}:
        table = (
            "catalogue_objects o" if what == "ids" else "catalogue_files f JOIN catalogue_objects o ON o.id = object_id"
        )
        key = "o.id" if what == "ids" else "f.id"
        query = sa.text(f"SELECT {key}::text FROM {table} WHERE o.name = ANY(:names)")
        keys = (await session.execute(query, {"names": [f"o{n}" for n in given]})).scalars().all()
        await filler.add_keys(SelectionKind.OBJECTS, keys, {}, ids=True, names=False)
    elif what == "search":
        begin = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
        first, last = (datetime.fromtimestamp(begin + n * 60, UTC) for n in given)
        await filler.add_search(None, ObjectFilter(begins=first, ends=last), {})
    elif what == "product":
        await filler.add_product(f"p{given}")
    else:
        await remove_selection(session, CALLER, await lock_cart(session, CALLER), given)


def totals(view: CartView) -> list[tuple[Any, ...]]:
    rows = [found.row for found in view.products]
    return [(row.sku, row.objects, row.files, row.bytes, row.nearline, row.overlapping) for row in rows if row.files]


@given(st.lists(choices, min_size=1, max_size=6), st.integers(0, 2**32))
@settings(max_examples=4, phases=[Phase.generate])
async def test_totals_are_those_of_every_file_once(
    catalogue: Sessions, steps: list[tuple[str, Any]], withdrawn: int
) -> None:
    async with catalogue() as session:
        for step in steps:
            try:
                async with session.begin_nested():
                    await choose(session, *step)
            except Refusal:
                continue
            view = await view_cart(session, CALLER)
            assert totals(view) == [tuple(row) for row in await session.execute(ORACLE)]
        gone = "SELECT id FROM catalogue_objects WHERE name LIKE '%' || :digits"
        digits = {"digits": str(withdrawn % 100)}
        await session.execute(sa.text(f"DELETE FROM catalogue_files WHERE object_id IN ({gone})"), digits)
        await session.execute(sa.text("DELETE FROM catalogue_objects WHERE name LIKE '%' || :digits"), digits)
        view = await view_cart(session, CALLER)
        assert totals(view) == [tuple(row) for row in await session.execute(ORACLE)]
        await session.rollback()
