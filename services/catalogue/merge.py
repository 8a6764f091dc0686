"""Merges what was found of a product into the catalogue: COPY into a temporary table, then set by set."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalogue.merge_objects import EXTENT, copy_into, merge_objects
from services.catalogue.messages import ImportOptions, ImportReport
from services.catalogue.source_contents import FoundProduct

_PRODUCT: Final = sa.text("""
    INSERT INTO products AS known (sku, name, unit_price, currency, access_groups, location,
        description, license, extent)
    VALUES (:sku, :name, coalesce(:price, 0), coalesce(:currency, 'EUR'), coalesce(:groups, '{}'), :location,
        :description, :license, :extent)
    ON CONFLICT (sku) DO UPDATE SET
        name = CASE WHEN :titled THEN excluded.name ELSE known.name END,
        unit_price = coalesce(:price, known.unit_price),
        currency = coalesce(:currency, known.currency),
        access_groups = coalesce(:groups, known.access_groups),
        location = excluded.location,
        description = excluded.description,
        license = excluded.license,
        extent = coalesce(excluded.extent, known.extent)
    RETURNING new.id, new.name, old.location AS was_at, CASE
        WHEN old.id IS NULL THEN 'added'
        WHEN (old.name, old.unit_price, old.currency, old.access_groups, old.location,
                old.description, old.license, old.extent)
            IS DISTINCT FROM (new.name, new.unit_price, new.currency, new.access_groups, new.location,
                new.description, new.license, new.extent) THEN 'changed'
        ELSE 'unchanged' END AS product
""").bindparams(
    sa.bindparam("price", type_=sa.Numeric(12, 2)),
    sa.bindparam("currency", type_=sa.Text),
    sa.bindparam("groups", type_=ARRAY(sa.Text)),
    sa.bindparam("titled", type_=sa.Boolean),
    sa.bindparam("description", type_=sa.Text),
    sa.bindparam("license", type_=sa.Text),
    sa.bindparam("extent", type_=JSONB(none_as_null=True)),
)

_INCOMING: Final = """
    CREATE TEMPORARY TABLE incoming (
        position bigint NOT NULL, object_name text NOT NULL, name text NOT NULL, href text NOT NULL,
        size_bytes bigint NOT NULL, media_type text NOT NULL, kind text NOT NULL, modified_ns bigint NOT NULL,
        sha256 bytea
    ) ON COMMIT DROP
"""

# What the catalogue has of the product, with statistics like `incoming`: the planner knows neither how many objects a
# new product has nor how many rows come out of a CTE, and on a guess of one it loops 100,000 times over 100,000.
_KNOWN: Final = sa.text("""
    CREATE TEMPORARY TABLE known ON COMMIT DROP AS
    SELECT o.name AS object_name, f.*
    FROM catalogue_objects o JOIN catalogue_files f ON f.object_id = o.id WHERE o.product_id = :product
""")

# A file whose content may be another forgets what sealing learned of it; a product that moved may have other contents
# all over, whatever sizes and times say. A source that knows no checksum does not take away one that is known.
_FILES: Final = sa.text("""
    WITH withdrawn AS (
        DELETE FROM catalogue_files f USING known k
        WHERE f.id = k.id
            AND NOT EXISTS (SELECT FROM incoming i WHERE (i.object_name, i.name) = (k.object_name, k.name))
        RETURNING f.object_id, f.id
    ), compared AS (
        SELECT i.*, k.id, k.sha256 AS known_sha256,
            NOT :moved AND (k.href, k.size_bytes, k.modified_ns) = (i.href, i.size_bytes, i.modified_ns)
                AND coalesce(i.sha256 = k.sha256, true) AS same_content,
            (k.media_type, k.kind) = (i.media_type, i.kind)
                AND (i.sha256 IS NULL OR k.sha256 IS NOT NULL) AS same_words
        FROM incoming i JOIN known k ON (k.object_name, k.name) = (i.object_name, i.name)
    ), changed AS (
        UPDATE catalogue_files f SET href = c.href, size_bytes = c.size_bytes, media_type = c.media_type,
            kind = c.kind, modified_ns = c.modified_ns,
            sha256 = CASE WHEN same_content THEN coalesce(c.sha256, known_sha256) ELSE c.sha256 END
        FROM compared c WHERE f.id = c.id AND NOT (same_content AND same_words)
        RETURNING f.object_id
    ), forgotten AS (
        DELETE FROM known_files n
        USING (SELECT id FROM withdrawn UNION ALL SELECT id FROM compared WHERE NOT same_content) c
        WHERE n.file_id = c.id
    ), added AS (
        INSERT INTO catalogue_files (object_id, name, href, size_bytes, media_type, kind, tier, modified_ns, sha256)
        SELECT (SELECT id FROM catalogue_objects o WHERE o.product_id = :product AND o.name = i.object_name),
            name, href, size_bytes, media_type, kind, 'online', modified_ns, sha256
        FROM incoming i
        WHERE NOT EXISTS (SELECT FROM known k WHERE (k.object_name, k.name) = (i.object_name, i.name))
        ORDER BY position
        RETURNING object_id
    ), touched AS (
        SELECT object_id FROM withdrawn UNION SELECT object_id FROM changed UNION SELECT object_id FROM added
    ), stamped AS (
        UPDATE catalogue_objects o SET changed_at = now() FROM touched t
        WHERE o.id = t.object_id AND o.changed_at <> now()
    )
    SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM changed) AS changed,
        (SELECT count(*) FROM withdrawn) AS withdrawn, (SELECT count(DISTINCT object_name) FROM incoming) AS objects
""").bindparams(sa.bindparam("moved", type_=sa.Boolean))

_EMPTY_OBJECTS: Final = sa.text("""
    DELETE FROM catalogue_objects o
    WHERE o.product_id = :product AND NOT EXISTS (SELECT FROM catalogue_files f WHERE f.object_id = o.id)
""")


async def merge(session: AsyncSession, found: FoundProduct, options: ImportOptions) -> ImportReport:
    """Make the catalogue hold exactly what was found of one product; the caller's transaction ends it.

    A product of which nothing was found stays as it is: more likely its storage is not mounted than all was deleted.
    """
    if not found.files:
        return await _left_alone(session, found)
    # The product's row stays locked to the end: two imports of one product follow each other.
    row = (await session.execute(_PRODUCT, _product_values(found, options))).mappings().one()
    moved = row["was_at"] is not None and row["was_at"] != found.location
    counts = await _merge_all(session, found, row["id"], moved=moved)
    notes = found.all_notes()
    if moved:
        notes.append(f"the product moved here from {row['was_at']}")
    if found.objects and (changed := counts["objects_changed"]):
        notes.append(f"{changed} of the objects have another description: their footprint, time or properties changed")
    return ImportReport(
        sku=found.sku,
        name=row["name"],
        location=found.location,
        product=row["product"],
        size_bytes=sum(file.size_bytes for file in found.files),
        unchanged=len(found.files) - counts["added"] - counts["changed"],
        refused=tuple(found.refused),
        notes=tuple(notes),
        **counts,
    )


def _product_values(found: FoundProduct, options: ImportOptions) -> dict[str, Any]:
    return {
        "sku": found.sku,
        "name": found.name,
        "titled": found.titled,
        "location": found.location,
        "description": found.description,
        "license": found.license,
        "extent": found.extent,
        "price": options.price,
        "currency": options.currency,
        "groups": None if options.groups is None else sorted(set(options.groups)),
    }


async def _merge_all(session: AsyncSession, found: FoundProduct, product: int, *, moved: bool) -> dict[str, int]:
    await session.execute(sa.text(_INCOMING))
    await copy_into(session, "incoming", ((position, *file) for position, file in enumerate(found.files)))
    await session.execute(_KNOWN, {"product": product})
    await session.execute(sa.text("ANALYZE incoming, known"))
    objects_changed = await merge_objects(session, found.objects, product)
    counts = (await session.execute(_FILES, {"product": product, "moved": moved})).mappings().one()
    if counts["withdrawn"]:
        await session.execute(_EMPTY_OBJECTS, {"product": product})
    if found.extent is None:
        await session.execute(EXTENT, {"product": product})
    await session.execute(sa.text("DROP TABLE incoming, known"))
    return {**counts, "objects_changed": objects_changed}


async def _left_alone(session: AsyncSession, found: FoundProduct) -> ImportReport:
    known = await session.scalar(sa.text("SELECT name FROM products WHERE sku = :sku"), {"sku": found.sku})
    note = "no file of it was found; the catalogue was left as it is"
    return ImportReport(
        sku=found.sku,
        name=known or found.name,
        location=found.location,
        product="unchanged" if known is not None else "absent",
        refused=tuple(found.refused),
        notes=(*found.all_notes(), note),
    )
