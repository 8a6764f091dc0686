"""Merges what is said of a product's objects, once its files are copied: rows for new ones, changes of known ones."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalogue.source_contents import FoundProduct

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_DESCRIBED: Final = """
    CREATE TEMPORARY TABLE described (
        name text NOT NULL, geometry jsonb, west float8, south float8, east float8, north float8,
        begins_at timestamptz, ends_at timestamptz, properties jsonb, document text, empty_folders text[]
    ) ON COMMIT DROP
"""

# Of an object that nothing is said of the time is known: its newest file's. One that was not looked at stays as it is.
_ARRIVING: Final = sa.text("""
    CREATE TEMPORARY TABLE arriving ON COMMIT DROP AS
    WITH newest AS (
        SELECT object_name AS name, min(position) AS position,
            timestamptz 'epoch' + max(modified_ns) / 1000 * interval '1 microsecond' AS at, bool_or(kept) AS partly
        FROM incoming GROUP BY object_name HAVING NOT bool_and(kept)
    )
    SELECT name, position, geometry, west, south, east, north, coalesce(begins_at, at) AS begins_at,
        coalesce(ends_at, at) AS ends_at, coalesce(properties, '{}') AS properties, document,
        coalesce(CASE WHEN partly THEN (
            SELECT o.empty_folders FROM catalogue_objects o WHERE o.product_id = :product AND o.name = newest.name
        ) ELSE empty_folders END, '{}') AS empty_folders
    FROM newest LEFT JOIN described USING (name)
""")

_CHANGED: Final = sa.text("""
    UPDATE catalogue_objects o SET geometry = a.geometry, west = a.west, south = a.south, east = a.east,
        north = a.north, begins_at = a.begins_at, ends_at = a.ends_at, properties = a.properties,
        empty_folders = a.empty_folders, changed_at = now()
    FROM arriving a
    WHERE o.product_id = :product AND o.name = a.name
        AND (o.geometry, o.west, o.south, o.east, o.north, o.begins_at, o.ends_at, o.properties, o.empty_folders)
            IS DISTINCT FROM (a.geometry, a.west, a.south, a.east, a.north, a.begins_at, a.ends_at, a.properties,
                a.empty_folders)
""")

# What makes no object another one: where it is described, and whether it goes along with whatever is ordered.
_DOCUMENTED: Final = sa.text("""
    UPDATE catalogue_objects o SET document = a.document, accompanies = a.name IS NOT DISTINCT FROM CAST(:own AS text)
    FROM arriving a
    WHERE o.product_id = :product AND o.name = a.name AND (o.document, o.accompanies)
        IS DISTINCT FROM (a.document, a.name IS NOT DISTINCT FROM CAST(:own AS text))
""")

# What was withdrawn has left its id.
_ADDED: Final = sa.text("""
    INSERT INTO catalogue_objects
        (id, product_id, name, geometry, west, south, east, north, begins_at, ends_at, properties, document,
            empty_folders, accompanies)
    SELECT coalesce(w.id, uuidv7()), :product, a.name, geometry, west, south, east, north, begins_at, ends_at,
        properties, document, empty_folders, a.name IS NOT DISTINCT FROM CAST(:own AS text)
    FROM arriving a LEFT JOIN withdrawn_objects w ON w.product_id = :product AND w.name = a.name
    WHERE NOT EXISTS (SELECT FROM catalogue_objects o WHERE o.product_id = :product AND o.name = a.name)
    ORDER BY position
""")

EXTENT: Final = sa.text("""
    UPDATE products p SET extent = e.extent
    FROM (
        SELECT jsonb_build_object(
            'bbox', CASE WHEN count(west) = 0 THEN '[-180, -90, 180, 90]'
                WHEN bool_or(east > 180) THEN jsonb_build_array(-180, min(south), 180, max(north))
                ELSE jsonb_build_array(min(west), min(south), max(east), max(north)) END,
            'interval', jsonb_build_array(
                to_char(min(begins_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                to_char(max(ends_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))) AS extent
        FROM catalogue_objects WHERE product_id = :product
    ) e
    WHERE p.id = :product AND p.extent IS DISTINCT FROM e.extent
""")
"""Where and when the objects of a product are, if its source does not say."""


async def merge_objects(session: AsyncSession, found: FoundProduct, product: int) -> int:
    """Have a row for each object of `incoming`, with all that is said of it; how many of those known say otherwise."""
    await session.execute(sa.text(_DESCRIBED))
    names = found.documents.keys() | found.objects.keys() | found.empty_folders.keys()
    await copy_into(session, "described", (_row(name, found) for name in names))
    await session.execute(sa.text("ANALYZE described"))
    await session.execute(_ARRIVING, {"product": product})
    await session.execute(sa.text("ANALYZE arriving"))
    changed = cast("sa.CursorResult[Any]", await session.execute(_CHANGED, {"product": product})).rowcount
    for statement in (_DOCUMENTED, _ADDED):
        await session.execute(statement, {"product": product, "own": found.own_object})
    await session.execute(sa.text("DROP TABLE described, arriving"))
    return changed


def _row(name: str, found: FoundProduct) -> tuple[Any, ...]:
    said, rest = found.objects.get(name), (found.documents.get(name), sorted(found.empty_folders.get(name, ())))
    if said is None:
        return name, *(None,) * 8, *rest
    geometry = None if said.geometry is None else orjson.dumps(said.geometry).decode()
    properties = orjson.dumps(said.properties or {}).decode()
    box = (None,) * 4 if said.box is None else said.box.unrolled
    return name, geometry, *box, said.begins_at, said.ends_at, properties, *rest


async def copy_into(session: AsyncSession, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows into a temporary table."""
    raw = (await (await session.connection()).get_raw_connection()).driver_connection
    connection = cast("AsyncConnection[Any]", raw)
    async with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            await copy.write_row(row)
