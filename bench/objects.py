"""Two million objects for measuring searches of the catalogue: written by SQL, the same ones each time.

The same objects stand in `stac_items`, much as pgstac keeps them: one document, beside columns of place and time.
"""

from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

RARE: Final = "quartz"
TILE: Final = "T31UFT"

_PRODUCTS: Final[LiteralString] = """
    INSERT INTO products (id, sku, name, location) OVERRIDING SYSTEM VALUE
    SELECT n, 'product-' || lpad(n::text, 2, '0'), 'Product ' || n, '/archive/' || n
    FROM generate_series(1, 20) n
"""

# Chance without chance: the low bits of a hash of the number, so that every run has the same objects.
_OBJECTS: Final[LiteralString] = """
    INSERT INTO catalogue_objects
        (id, product_id, name, geometry, west, south, east, north, begins_at, ends_at, properties, search, files, bytes,
            kinds, tiers)
    SELECT (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, product, name,
        jsonb_build_object('type', 'Polygon', 'coordinates', jsonb_build_array(jsonb_build_array(
            jsonb_build_array(west + 0.2, south), jsonb_build_array(west + 1, south + 0.2),
            jsonb_build_array(west + 0.8, south + 1), jsonb_build_array(west, south + 0.8),
            jsonb_build_array(west + 0.2, south)))),
        west, south, west + 1, south + 1, at, at + interval '12 seconds', properties,
        folded(concat_ws(chr(10), name, properties ->> 'title')), 12, (h5 %% 2000000000) + 1000000,
        CASE WHEN n %% 10 = 0 THEN ARRAY['data', 'metadata'] ELSE ARRAY['data', 'quicklook', 'metadata'] END,
        CASE WHEN n %% 5 = 0 THEN ARRAY['nearline'] ELSE ARRAY['online'] END
    FROM (
        SELECT *, 'S2' || chr(65 + (n %% 2)::int) || '_MSIL2A_' || to_char(at, 'YYYYMMDD"T"HH24MISS') || '_'
                || 'T' || (1 + h1 %% 60) || chr(67 + (h2 %% 20)::int) || chr(65 + (h3 %% 24)::int)
                || chr(65 + (h4 %% 20)::int) || '_' || n AS name,
            jsonb_build_object('title', CASE WHEN n %% (%(objects)s::bigint / 20) = 7 THEN 'quartz and others' ELSE
                    (ARRAY['Coast', 'Glacier', 'Forest', 'Harvest', 'City'])[1 + h1 %% 5] || ' seen from above' END,
                'platform', 'sentinel-2' || chr(97 + (n %% 2)::int), 'eo:cloud_cover', (h3 %% 10000) / 100.0,
                'sat:relative_orbit', 1 + h4 %% 143, 'gsd', 10, 'view:off_nadir', (h5 %% 3000) / 100.0) AS properties
        FROM (
            SELECT n, 1 + least(19, (h0 %% 64) * (h1 %% 64) / 200)::int AS product, (h1 %% 35800) / 100.0 - 180 AS west,
                (h2 %% 15000) / 100.0 - 70 AS south, h1, h2, h3, h4, h5,
                timestamptz '2015-07-01Z' + n * (interval '10 years' / %(objects)s::bigint) AS at
            FROM (
                SELECT n, abs(hashint8extended(n, 0)) AS h0, abs(hashint8extended(n, 1)) AS h1,
                    abs(hashint8extended(n, 2)) AS h2, abs(hashint8extended(n, 3)) AS h3,
                    abs(hashint8extended(n, 4)) AS h4, abs(hashint8extended(n, 5)) AS h5
                FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
            ) hashed
        ) placed
    ) described
"""

_ITEMS: Final[tuple[LiteralString, ...]] = (
    """
    CREATE TABLE stac_items AS
    SELECT o.name AS id, p.sku AS collection, box(point(west, south), point(east, north)) AS geometry,
        begins_at AS datetime, ends_at AS end_datetime, jsonb_build_object('id', o.name, 'collection', p.sku,
            'geometry', o.geometry, 'properties', o.properties) AS content
    FROM catalogue_objects o JOIN products p ON p.id = o.product_id
    """,
    "CREATE INDEX ON stac_items USING gin (content jsonb_path_ops)",
    "CREATE INDEX ON stac_items USING gist (geometry)",
    "CREATE INDEX ON stac_items (datetime DESC, id DESC)",
    "VACUUM ANALYZE stac_items",
)
_BATCH: Final = 100_000


def load(url: str, objects: int) -> None:
    """Fill an empty, migrated database; indexes are built when everything is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        indexes = _without_indexes(connection)
        connection.execute("ALTER TABLE catalogue_objects DISABLE TRIGGER catalogue_objects_search")
        connection.execute(_PRODUCTS)
        for first in range(1, objects + 1, _BATCH):
            last = min(first + _BATCH - 1, objects)
            connection.execute(_OBJECTS, {"objects": objects, "first": first, "last": last})
        connection.execute("ALTER TABLE catalogue_objects ENABLE TRIGGER catalogue_objects_search")
        for definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE catalogue_objects, object_counts")
        for statement in _ITEMS:
            connection.execute(statement)


def _without_indexes(connection: psycopg.Connection[Any]) -> list[sql.SQL]:
    """Drop the indexes that are no constraints; how to make them again."""
    found = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes"
        " WHERE tablename = 'catalogue_objects' AND starts_with(indexname, 'ix_')"
    ).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [sql.SQL(definition) for _, definition in found]
