"""Puts objects into a cart, set by set: none of them goes through Python, but those of a search in an area by id."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import col

from models.queries.access import open_to
from models.tables import CartObject, CatalogueFile, CatalogueObject, Product

MAX_TOLD: Final = 100
"""Of what cannot be added, so many are told by name."""

Chosen = sa.Select[*tuple[Any, ...]]

_COLUMNS: Final = ["cart_id", "product_id", "object_id", "selection"]
_HAS_FILES: Final = sa.exists().where(col(CatalogueFile.object_id) == col(CatalogueObject.id))


def places_open_to(groups: Collection[str] | None) -> sa.Select[str, int, str]:
    """The products that are open to the groups, all for None: SKU, id, and where their files are."""
    return (
        sa.select(col(Product.sku), col(Product.id), col(Product.location))
        .where(open_to(groups))
        .order_by(col(Product.sku))
    )


ADD_KEYS: Final = sa.text(f"""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(string_to_array(:ids, ',', '-') AS uuid[]), CAST(:names AS text[]))
            WITH ORDINALITY AS w(id, name, position)
    ), found AS (
        SELECT w.position, o.product_id, o.id AS object_id, CAST(NULL AS uuid) AS file_id
        FROM wanted w JOIN catalogue_objects o ON o.id = w.id AND NOT o.accompanies
        UNION SELECT w.position, o.product_id, o.id, f.id
        FROM wanted w JOIN catalogue_files f ON f.id = w.id JOIN catalogue_objects o ON o.id = f.object_id
            AND NOT o.accompanies
        UNION SELECT w.position, o.product_id, o.id, NULL
        FROM wanted w JOIN catalogue_objects o ON o.name = w.name AND o.product_id = ANY(CAST(:open AS bigint[]))
            AND NOT o.accompanies
        UNION SELECT w.position, o.product_id, o.id, NULL
        FROM wanted w JOIN products p ON p.sku = split_part(w.name, '/', 1) AND p.id = ANY(CAST(:open AS bigint[]))
        JOIN catalogue_objects o ON o.product_id = p.id AND o.name = substr(w.name, length(p.sku) + 2)
            AND NOT o.accompanies
    ), judged AS MATERIALIZED (
        SELECT w.position, f.product_id, f.object_id, f.file_id, CASE
            WHEN f.object_id IS NULL THEN 'unknown'
            WHEN f.product_id <> ALL(CAST(:open AS bigint[])) THEN 'access_limited'
            WHEN count(*) OVER (PARTITION BY w.position) > 1 THEN 'ambiguous'
            WHEN f.product_id <> ALL(CAST(:readable AS bigint[])) THEN 'storage_not_allowed'
            WHEN NOT EXISTS (SELECT FROM catalogue_files c WHERE c.object_id = f.object_id) THEN 'nothing_orderable'
        END AS reason
        FROM wanted w LEFT JOIN found f USING (position)
    ), objects AS (
        INSERT INTO cart_objects (cart_id, product_id, object_id, selection)
        SELECT DISTINCT CAST(:cart AS bigint), product_id, object_id, CAST(:selection AS int)
        FROM judged WHERE reason IS NULL AND file_id IS NULL
        ON CONFLICT DO NOTHING RETURNING product_id
    ), files AS (
        INSERT INTO cart_files (cart_id, product_id, object_id, file_id, selection)
        SELECT DISTINCT CAST(:cart AS bigint), product_id, object_id, file_id, CAST(:selection AS int)
        FROM judged WHERE reason IS NULL AND file_id IS NOT NULL
        ON CONFLICT DO NOTHING RETURNING product_id
    ), refused AS (
        SELECT position, reason, array_agg(p.sku) AS products FROM judged LEFT JOIN products p ON p.id = product_id
        WHERE reason IS NOT NULL GROUP BY position, reason ORDER BY position LIMIT {MAX_TOLD}
    )
    SELECT (SELECT count(*) FROM objects) + (SELECT count(*) FROM files) AS added,
        (SELECT count(DISTINCT position) FROM judged WHERE reason IS NOT NULL) AS refused_total,
        (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.position), '[]') FROM refused r) AS refused
""")  # noqa: S608 - a number of ours
"""Add what ids of objects or files (`one_text`) and names of objects mean; where one is null, the other counts.

`:open` are the products that the customer may see, `:readable` those of them whose storage can be read.
"""


def one_text(ids: Mapping[str, UUID | None], keys: Sequence[str]) -> str:
    """The id that each key is, a dash where it is none: the driver writes one text much faster than a list."""
    return ",".join([found.hex if (found := ids.get(key)) else "-" for key in keys])


def add_chosen(cart: int, selection: int, chosen: Chosen, *, most: int) -> sa.Insert:
    """Add what a query chooses of the catalogue's objects and has files; so many at most."""
    columns = sa.literal(cart), col(CatalogueObject.product_id), col(CatalogueObject.id), sa.literal(selection)
    query = chosen.with_only_columns(*columns).where(_HAS_FILES).order_by(None).limit(most)
    statement = insert(CartObject).from_select(_COLUMNS, query).on_conflict_do_nothing()
    return statement.execution_options(preserve_rowcount=True)


def add_ids(cart: int, selection: int, ids: Sequence[UUID]) -> sa.Insert:
    """Add objects of which it is known that they may be ordered."""
    among = col(CatalogueObject.id) == sa.any_(sa.literal(list(ids), ARRAY(sa.Uuid)))
    return add_chosen(cart, selection, sa.select(CatalogueObject).where(among), most=len(ids))


def without_files(chosen: Chosen) -> sa.Select[str, int]:
    """The first names of what a query chooses and has no file, with how many there are."""
    query = chosen.with_only_columns(col(CatalogueObject.name), sa.func.count().over())
    return query.where(~_HAS_FILES).order_by(None).order_by(col(CatalogueObject.name)).limit(MAX_TOLD)
