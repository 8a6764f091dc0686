"""Merges what was found of a product into the catalogue: COPY into a temporary table, then set by set."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Refusal
from models.labels import counted
from models.pricing import misfit
from services.catalogue import withdrawals
from services.catalogue.merge_kept import Kept, in_terms_of, keep_unseen
from services.catalogue.merge_objects import EXTENT, copy_into, merge_objects
from services.catalogue.messages import ImportOptions, ImportReport, price_remedy
from services.catalogue.plausibility import check_loss, check_move
from services.catalogue.set_by_hand import without_set_by_hand
from services.catalogue.source_contents import FoundProduct

_COLUMNS: Final = (
    "name", "unit_price", "currency", "price_unit", "access_groups", "location", "description", "license", "extent",
)  # fmt: skip
"""What makes a product a changed one; where it was read from does not."""

# A SKU that comes back gets the id that it had.
_ADD: Final = sa.text("""
    INSERT INTO products (id, sku, name, location)
    SELECT coalesce(
        (SELECT id FROM withdrawn_products WHERE sku = :sku), nextval(pg_get_serial_sequence('products', 'id'))),
        :sku, :name, :location
    ON CONFLICT DO NOTHING
    RETURNING id
""")

_KNOWN_PRODUCT: Final = sa.text("SELECT * FROM products WHERE sku = :sku FOR UPDATE")

_UPDATE: Final = sa.text("""
    UPDATE products SET
        name = CASE WHEN :titled AND NOT 'name' = ANY (set_by_hand) THEN :name ELSE name END,
        unit_price = coalesce(:price, unit_price),
        currency = coalesce(:currency, currency),
        price_unit = CASE WHEN CAST(:price AS numeric) IS NULL THEN price_unit ELSE 'object' END,
        access_groups = coalesce(:groups, access_groups),
        location = :location,
        description = :description,
        license = :license,
        extent = coalesce(:extent, extent),
        source = :source,
        document = :document
    WHERE id = :product
    RETURNING *
""").bindparams(
    sa.bindparam("price", type_=sa.Numeric),
    sa.bindparam("currency", type_=sa.Text),
    sa.bindparam("groups", type_=ARRAY(sa.Text)),
    sa.bindparam("titled", type_=sa.Boolean),
    sa.bindparam("description", type_=sa.Text),
    sa.bindparam("license", type_=sa.Text),
    sa.bindparam("extent", type_=JSONB(none_as_null=True)),
    sa.bindparam("source", type_=sa.Text),
    sa.bindparam("document", type_=sa.Text),
)

_INCOMING: Final = """
    CREATE TEMPORARY TABLE incoming (
        position bigint NOT NULL, object_name text NOT NULL, name text NOT NULL, href text NOT NULL,
        size_bytes bigint NOT NULL, media_type text NOT NULL, kind text NOT NULL, modified_ns bigint NOT NULL,
        sha256 bytea, kept boolean NOT NULL DEFAULT false
    ) ON COMMIT DROP
"""
_COPIED: Final = "incoming (position, object_name, name, href, size_bytes, media_type, kind, modified_ns, sha256)"

# What the catalogue has of the product, with statistics like `incoming`: the planner knows neither how many objects a
# new product has nor how many rows come out of a CTE, and on a guess of one it loops 100,000 times over 100,000.
_KNOWN: Final = sa.text("""
    CREATE TEMPORARY TABLE known ON COMMIT DROP AS
    SELECT o.name AS object_name, o.document, o.changed_at, f.*
    FROM catalogue_objects o JOIN catalogue_files f ON f.object_id = o.id WHERE o.product_id = :product
""")

# A file keeps its name as long as it is where it was: that of a STAC asset depends on its neighbours' names.
_SAME_PLACE: Final = """
    UPDATE incoming i SET name = k.name FROM known k
    WHERE (k.object_name, k.href) = (i.object_name, i.href) AND k.name <> i.name
        AND NOT EXISTS (SELECT FROM incoming j WHERE (j.object_name, j.name) = (k.object_name, k.name))
"""

# A file whose content may be another forgets what sealing learned of it; a product that moved may have other contents
# all over, whatever sizes and times say. A source that knows no checksum does not take away one that is known.
_FILES: Final = sa.text("""
    WITH withdrawn AS (
        DELETE FROM catalogue_files f USING known k
        WHERE f.id = k.id
            AND NOT EXISTS (SELECT FROM incoming i WHERE (i.object_name, i.name) = (k.object_name, k.name))
        RETURNING f.*, k.changed_at
    ), remembered AS (
        INSERT INTO withdrawn_files
            (object_id, name, id, size_bytes, modified_ns, sha256, withdrawn_at, changed_before)
        SELECT object_id, name, id, size_bytes, modified_ns, sha256, now(), changed_at FROM withdrawn
        ON CONFLICT (object_id, name) DO UPDATE SET id = excluded.id, size_bytes = excluded.size_bytes,
            modified_ns = excluded.modified_ns, sha256 = excluded.sha256, withdrawn_at = excluded.withdrawn_at,
            changed_before = excluded.changed_before
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
        RETURNING f.object_id, c.kept
    ), forgotten AS (
        DELETE FROM known_files n
        USING (SELECT id FROM withdrawn UNION ALL SELECT id FROM compared WHERE NOT same_content) c
        WHERE n.file_id = c.id
    ), added AS (
        INSERT INTO catalogue_files
            (id, object_id, name, href, size_bytes, media_type, kind, tier, modified_ns, sha256)
        SELECT coalesce(w.id, uuidv7()), o.id, i.name, href, i.size_bytes, media_type, kind, 'online', i.modified_ns,
            i.sha256
        FROM incoming i
        JOIN catalogue_objects o ON o.product_id = :product AND o.name = i.object_name
        LEFT JOIN withdrawn_files w ON w.object_id = o.id AND w.name = i.name
        WHERE NOT EXISTS (SELECT FROM known k WHERE (k.object_name, k.name) = (i.object_name, i.name))
        ORDER BY position
        RETURNING object_id
    ), touched AS (
        INSERT INTO touched (object_id, files)
        SELECT object_id, count(*) FROM (
            SELECT object_id FROM withdrawn
            UNION ALL SELECT object_id FROM changed
            UNION ALL SELECT object_id FROM added
        ) t GROUP BY object_id
        RETURNING object_id
    ), stamped AS (
        UPDATE catalogue_objects o SET changed_at = now() FROM touched t
        WHERE o.id = t.object_id AND o.changed_at <> now()
    )
    SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM changed WHERE NOT kept) AS changed,
        (SELECT count(*) FROM withdrawn) AS withdrawn, (SELECT count(DISTINCT object_name) FROM incoming) AS objects
""").bindparams(sa.bindparam("moved", type_=sa.Boolean))


async def merge(session: AsyncSession, found: FoundProduct, options: ImportOptions) -> ImportReport:
    """Make the catalogue hold what was found of one product, and what could not be looked at as it was.

    The caller's transaction ends it. A product of which nothing was found, or that would lose too much or move to a
    strange place, stays as it is: more likely its storage is not mounted than all was deleted.
    """
    if not found.files and not options.allow_withdrawals:
        return await left_alone(session, found)
    try:
        async with session.begin_nested():
            return await _merge(session, found, options)
    except Refusal as refusal:
        return await left_alone(session, found, str(refusal))


async def _merge(session: AsyncSession, found: FoundProduct, options: ImportOptions) -> ImportReport:
    values = _product_values(found)
    added = await session.scalar(_ADD, values)
    # The product's row stays locked to the end: two imports of one product follow each other.
    was = (await session.execute(_KNOWN_PRODUCT, values)).mappings().one()
    options, overruled = without_set_by_hand(found, options, dict(was))
    values |= _given(options)
    _check_price(was, options)
    await session.execute(withdrawals.PRODUCT_BACK, values)
    moved_from = None
    if added is None:
        in_terms_of(found, was["location"])
        moved_from = None if was["location"] == found.location else was["location"]
    values |= {"product": was["id"], "location": found.location, "titled": found.titled or added is not None}
    kept, counts = await _merge_all(session, found, options, was["id"], moved_from)
    row = (await session.execute(_UPDATE, values)).mappings().one()
    if found.extent is None:
        await session.execute(EXTENT, {"product": was["id"]})
        row = (await session.execute(_KNOWN_PRODUCT, values)).mappings().one()
    changed = any(was[column] != row[column] for column in _COLUMNS)
    return ImportReport(
        sku=found.sku,
        name=row["name"],
        location=found.location,
        product="added" if added is not None else "changed" if changed else "unchanged",
        size_bytes=sum(file.size_bytes for file in found.files) + kept.size_bytes,
        unchanged=len(found.files) - counts["added"] - counts["changed"],
        kept=0 if found.partial else kept.files,
        kept_objects=() if found.partial else kept.objects,
        refused=tuple(found.refused),
        notes=(*_notes(found, moved_from, kept, counts["objects_changed"]), *overruled),
        **counts,
    )


def _check_price(was: sa.RowMapping, options: ImportOptions) -> None:
    """Raise Refusal where the price or the currency that is given does not fit what stays of the other."""
    if options.price is None and options.currency is None:
        return
    price = was["unit_price"] if options.price is None else options.price
    currency = options.currency or was["currency"]
    if reason := misfit(price, currency):
        raise Refusal(f"{reason}; {price_remedy(currency)}")


def _notes(found: FoundProduct, moved_from: str | None, kept: Kept, objects_changed: int) -> list[str]:
    notes = found.all_notes()
    if moved_from is not None:
        notes.append(f"the product moved here from {moved_from}")
    if found.objects and objects_changed:
        text = "of the objects have another description: their footprint, time, properties or empty folders changed"
        notes.append(f"{objects_changed} {text}")
    if found.partial:
        return [*notes, f"{counted(kept.files, 'known file')} were not asked for, and stay"]
    return [*notes, kept.note] if kept.files else notes


def _product_values(found: FoundProduct) -> dict[str, Any]:
    return {
        "sku": found.sku,
        "name": found.name,
        "titled": found.titled,
        "location": found.location,
        "description": found.description,
        "license": found.license,
        "extent": found.extent,
        "source": found.source,
        "document": found.document,
    }


def _given(options: ImportOptions) -> dict[str, Any]:
    groups = None if options.groups is None else sorted(set(options.groups))
    return {"price": options.price, "currency": options.currency, "groups": groups}


async def _merge_all(
    session: AsyncSession, found: FoundProduct, options: ImportOptions, product: int, moved_from: str | None
) -> tuple[Kept, Mapping[str, int]]:
    await session.execute(sa.text(_INCOMING))
    await copy_into(session, _COPIED, ((position, *file) for position, file in enumerate(found.files)))
    await session.execute(_KNOWN, {"product": product})
    await session.execute(sa.text("ANALYZE incoming, known"))
    if moved_from is not None and not options.moved:
        await check_move(session, found, moved_from)
    await session.execute(sa.text(_SAME_PLACE))
    kept = await keep_unseen(session, found, moved_from, believe_empty=options.allow_withdrawals)
    if not options.allow_withdrawals:
        await check_loss(session, found)
    objects_changed = await merge_objects(session, found, product)
    await session.execute(sa.text(withdrawals.TOUCHED))
    counts = (await session.execute(_FILES, {"product": product, "moved": moved_from is not None})).mappings().one()
    await withdrawals.settle(session, product)
    await session.execute(sa.text("DROP TABLE incoming, known, touched"))
    return kept, {**counts, "objects_changed": objects_changed}


async def left_alone(session: AsyncSession, found: FoundProduct, refusal: str | None = None) -> ImportReport:
    """Say of a product what the catalogue has, and why it stays."""
    had = (await session.execute(_HAD, {"sku": found.sku})).mappings().one_or_none()
    note = "no file of it was found; the catalogue was left as it is"
    return ImportReport(
        sku=found.sku,
        name=had["name"] if had else found.name,
        location=had["location"] if had else found.location,
        product="unchanged" if had else "absent",
        kept=had["files"] if had else 0,
        objects=had["objects"] if had else 0,
        size_bytes=had["size_bytes"] if had else 0,
        refused=tuple(found.refused),
        refusal=refusal,
        notes=tuple(found.all_notes()) if refusal else (*found.all_notes(), note),
    )


_HAD: Final = sa.text("""
    SELECT p.name, p.location, count(DISTINCT o.id) AS objects, count(f.id) AS files,
        coalesce(sum(f.size_bytes), 0)::bigint AS size_bytes
    FROM products p LEFT JOIN catalogue_objects o ON o.product_id = p.id
    LEFT JOIN catalogue_files f ON f.object_id = o.id
    WHERE p.sku = :sku GROUP BY p.id
""")
