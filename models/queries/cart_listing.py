"""Lists what is in a cart, object by object."""

from typing import Final

import sqlalchemy as sa

from models.file_filter import kept

MANY: Final = 10_000
"""Objects from which on it takes longer to look them all up than to pass those of the product that are not held."""

_KEYS: Final = "cart_id = :cart AND product_id = :product"
_HELD: Final = f"""
    SELECT o.id, o.name FROM (
        SELECT object_id FROM cart_objects WHERE {_KEYS} UNION SELECT object_id FROM cart_files WHERE {_KEYS}
    ) held JOIN catalogue_objects o ON o.id = held.object_id AND o.product_id = :product
    WHERE o.name > :after
"""  # noqa: S608
# A sub-select with a limit is looked up for each object that is passed, and never read as a whole beforehand.
_PASSED: Final = f"""
    SELECT o.id, o.name FROM catalogue_objects o WHERE o.product_id = :product AND o.name > :after AND coalesce(
        (SELECT true FROM cart_objects c WHERE {_KEYS} AND c.object_id = o.id LIMIT 1),
        (SELECT true FROM cart_files c WHERE {_KEYS} AND c.object_id = o.id LIMIT 1), false)
"""  # noqa: S608


def _page(chosen: str) -> sa.TextClause:
    # Sorted behind a fence, so that files are counted for those of one page.
    return sa.text(f"""
        SELECT o.id, o.name, f.files, f.bytes, s.selections
        FROM (SELECT * FROM ({chosen}) o ORDER BY name OFFSET 0) o
        CROSS JOIN LATERAL (
            SELECT count(*) AS files, coalesce(sum(f.size_bytes), 0)::bigint AS bytes
            FROM catalogue_files f JOIN cart_products p ON p.cart_id = :cart AND p.product_id = :product
            WHERE f.object_id = o.id AND {kept("p.file_filter", "f")} AND (
                EXISTS (SELECT FROM cart_objects WHERE {_KEYS} AND object_id = o.id)
                OR EXISTS (SELECT FROM cart_files WHERE {_KEYS} AND object_id = o.id AND file_id = f.id))
        ) f
        CROSS JOIN LATERAL (
            SELECT array_agg(selection ORDER BY selection) AS selections FROM (
                SELECT selection FROM cart_objects WHERE {_KEYS} AND object_id = o.id
                UNION SELECT selection FROM cart_files WHERE {_KEYS} AND object_id = o.id) held
        ) s
        WHERE f.files > 0 ORDER BY o.name LIMIT :limit
    """)  # noqa: S608


_FEW, _MANY = _page(_HELD), _page(_PASSED)


def objects_in(held: int) -> sa.TextClause:
    """A page of the objects that a cart holds of a product, by name, behind `:after`; `held` is how many there are.

    Few are looked up and sorted; of many the product's objects are passed in their order, until the page is full.
    """
    return _MANY if held >= MANY else _FEW
