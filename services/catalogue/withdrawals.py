"""What is withdrawn leaves its id behind, under its name; what comes back gets it again, and its orders find it."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

TOUCHED: Final = "CREATE TEMPORARY TABLE touched (object_id uuid NOT NULL, files bigint NOT NULL) ON COMMIT DROP"
"""How many files of an object were added, changed or withdrawn."""

_EMPTY_OBJECTS: Final = sa.text("""
    WITH withdrawn AS (
        DELETE FROM catalogue_objects o
        WHERE o.product_id = :product AND NOT EXISTS (SELECT FROM catalogue_files f WHERE f.object_id = o.id)
        RETURNING *
    )
    INSERT INTO withdrawn_objects (product_id, name, id, withdrawn_at)
    SELECT product_id, name, id, now() FROM withdrawn
    ON CONFLICT (product_id, name)
        DO UPDATE SET id = excluded.id, withdrawn_at = excluded.withdrawn_at, changed_at = NULL
""")

# An order is refused when what it selects has changed since. What was withdrawn and is all back as it was has not: then
# nothing but files that were withdrawn was touched, each is what it was, they went one after the other and nothing
# happened to the object in between or since. Of what a former version lost no files are known, and it is believed.
_UNCHANGED: Final = sa.text("""
    WITH last_change AS (
        SELECT id AS object_id, withdrawn_at AS at FROM withdrawn_objects WHERE product_id = :product
        UNION ALL
        SELECT DISTINCT object_id, changed_at FROM known
    ), returned AS (
        SELECT w.object_id, count(*) AS files, max(w.withdrawn_at) AS last, min(w.changed_before) AS changed_at,
            bool_and((f.size_bytes, f.modified_ns) = (w.size_bytes, w.modified_ns)
                AND coalesce(f.sha256 = w.sha256, true)) AS same,
            array_remove(array_agg(DISTINCT w.withdrawn_at), max(w.withdrawn_at))
                <@ array_agg(DISTINCT w.changed_before) AS without_gap
        FROM withdrawn_files w JOIN catalogue_files f ON f.id = w.id JOIN touched t ON t.object_id = w.object_id
        GROUP BY w.object_id
    ), unchanged AS (
        SELECT r.object_id, r.changed_at
        FROM returned r JOIN touched t USING (object_id) JOIN last_change l USING (object_id)
        WHERE r.same AND r.without_gap AND r.files = t.files AND r.last = l.at AND NOT EXISTS (
            SELECT FROM withdrawn_files w
            WHERE w.object_id = r.object_id AND w.withdrawn_at > r.changed_at
                AND NOT EXISTS (SELECT FROM catalogue_files f WHERE f.id = w.id)
        )
        UNION
        SELECT id, changed_at FROM withdrawn_objects WHERE product_id = :product AND changed_at IS NOT NULL
    )
    UPDATE catalogue_objects o SET changed_at = u.changed_at FROM unchanged u WHERE o.id = u.object_id
""")

_FILES_BACK: Final = sa.text("""
    DELETE FROM withdrawn_files w USING touched t, catalogue_files f WHERE w.object_id = t.object_id AND f.id = w.id
""")

_OBJECTS_BACK: Final = sa.text("""
    DELETE FROM withdrawn_objects w USING catalogue_objects o WHERE w.product_id = :product AND o.id = w.id
""")

_ALL_FILES: Final = sa.text("""
    WITH withdrawn AS (
        DELETE FROM catalogue_files f USING catalogue_objects o
        WHERE o.id = f.object_id AND o.product_id = :product
        RETURNING f.*, o.changed_at
    ), forgotten AS (
        DELETE FROM known_files n USING withdrawn w WHERE n.file_id = w.id
    )
    INSERT INTO withdrawn_files (object_id, name, id, size_bytes, modified_ns, sha256, withdrawn_at, changed_before)
    SELECT object_id, name, id, size_bytes, modified_ns, sha256, now(), changed_at FROM withdrawn
    ON CONFLICT (object_id, name) DO UPDATE SET id = excluded.id, size_bytes = excluded.size_bytes,
        modified_ns = excluded.modified_ns, sha256 = excluded.sha256, withdrawn_at = excluded.withdrawn_at,
        changed_before = excluded.changed_before
""")

_PRODUCT: Final = sa.text("""
    WITH removed AS (DELETE FROM products WHERE id = :product RETURNING sku, id)
    INSERT INTO withdrawn_products (sku, id) SELECT sku, id FROM removed
    ON CONFLICT (sku) DO UPDATE SET id = excluded.id
""")

PRODUCT_BACK: Final = sa.text("DELETE FROM withdrawn_products WHERE sku = :sku")


async def settle(session: AsyncSession, product: int) -> None:
    """Withdraw objects that have no file left, and forget of those that are back that they were away.

    Needs the tables `known` and `touched` of the merge; a file that is withdrawn is remembered there.
    """
    await session.execute(_UNCHANGED, {"product": product})
    await session.execute(_FILES_BACK)
    await session.execute(_OBJECTS_BACK, {"product": product})
    await session.execute(_EMPTY_OBJECTS, {"product": product})


async def withdraw_product(session: AsyncSession, product: int) -> None:
    """Withdraw a product with all that is in it."""
    for statement in (_ALL_FILES, _EMPTY_OBJECTS, _PRODUCT):
        await session.execute(statement, {"product": product})
