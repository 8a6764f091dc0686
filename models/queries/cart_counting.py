"""Counts what carts hold: objects, files and bytes, each once however many selections hold it, after the filters.

What a selection adds to a product, or takes away with it, is counted on the objects of that selection alone. All of a
product is counted where its objects, or its filter, may have changed.
"""

from typing import Final

import sqlalchemy as sa

from models.file_filter import kept
from models.tables.catalogue import KINDS

HASHED: Final = sa.text("SELECT set_config('enable_nestloop', :nested, true), set_config('work_mem', '64MB', true)")
"""Have so much counted that its files are better read in one go, or little: the planner cannot know which it is."""

MANY: Final = 50_000
"""Objects from which on that is so."""

_ENTRIES: Final = """
    SELECT product_id, object_id, selection, true AS whole FROM cart_objects
    WHERE cart_id = :cart AND product_id = ANY(CAST(:products AS bigint[])) {also}
    UNION ALL
    SELECT product_id, object_id, selection, false FROM cart_files
    WHERE cart_id = :cart AND product_id = ANY(CAST(:products AS bigint[])) {also}
"""
# Whether a selection holds a file by itself, which matters only where it does not hold the whole object.
_SINGLE: Final = """
    EXISTS (SELECT FROM cart_files c WHERE c.cart_id = :cart AND c.product_id = h.product_id
        AND c.object_id = h.object_id AND c.file_id = f.id AND {which})
"""
_KEPT: Final = kept("p.file_filter", "f")
_KINDS: Final = ", ".join(f"count(*) FILTER (WHERE new AND kind = '{kind}') AS {kind}" for kind in KINDS)
_NEW_KINDS: Final = ", ".join(
    f"'{kind}', coalesce((p.kinds ->> '{kind}')::bigint, 0) + :sign * t.{kind}" for kind in KINDS
)


def _count(mine: str) -> sa.TextClause:
    """Count what some entries of a cart, `mine`, bring to what the others hold, and add it to the products' totals."""
    return sa.text(f"""
        WITH held AS (
            SELECT product_id, object_id, count(DISTINCT selection) AS selections,
                count(DISTINCT selection) FILTER (WHERE NOT {mine}) AS others,
                coalesce(bool_or(whole) FILTER (WHERE {mine}), false) AS whole_mine,
                coalesce(bool_or(whole) FILTER (WHERE NOT {mine}), false) AS whole_others
            FROM ({_ENTRIES.format(also="")}) entries
            GROUP BY product_id, object_id HAVING bool_or({mine})
        ), files AS (
            SELECT h.product_id, h.object_id, h.selections, h.others, f.kind, f.size_bytes, f.tier, {_KEPT} AS kept,
                h.whole_mine OR {_SINGLE.format(which=mine.replace("selection =", "c.selection ="))} AS mine,
                h.whole_others OR h.others > 0
                    AND {_SINGLE.format(which="NOT " + mine.replace("selection =", "c.selection ="))} AS theirs
            FROM held h JOIN cart_products p ON p.cart_id = :cart AND p.product_id = h.product_id
            JOIN catalogue_files f ON f.object_id = h.object_id
        ), counted AS (
            SELECT product_id, object_id, selections, others, {_KINDS},
                count(*) AS there, count(*) FILTER (WHERE theirs) AS there_without,
                count(*) FILTER (WHERE new) AS all_files, sum(size_bytes) FILTER (WHERE new) AS all_bytes,
                count(*) FILTER (WHERE new AND kept) AS files,
                sum(size_bytes) FILTER (WHERE new AND kept) AS bytes,
                count(*) FILTER (WHERE new AND kept AND tier = 'nearline') AS nearline,
                bool_or(kept) AS kept, coalesce(bool_or(kept) FILTER (WHERE theirs), false) AS kept_without
            FROM (SELECT *, mine AND NOT theirs AS new FROM files WHERE mine OR theirs) f
            GROUP BY product_id, object_id, selections, others
        ), totals AS (
            SELECT product_id, {", ".join(f"sum({kind})::bigint AS {kind}" for kind in KINDS)},
                sum(kept::int - kept_without::int)::bigint AS objects, sum(files)::bigint AS files,
                coalesce(sum(bytes), 0)::bigint AS bytes, sum(all_files)::bigint AS all_files,
                coalesce(sum(all_bytes), 0)::bigint AS all_bytes, sum(nearline)::bigint AS nearline,
                sum((kept AND selections > 1)::int - (kept_without AND others > 1)::int)::bigint AS overlapping,
                sum((there > 0)::int - (there_without > 0)::int)::bigint AS there
            FROM counted GROUP BY product_id
        ), held_now AS (
            SELECT product_id, count(*) - count(*) FILTER (WHERE others > 0) AS held FROM held GROUP BY product_id
        )
        UPDATE cart_products p SET objects = p.objects + :sign * coalesce(t.objects, 0),
            files = p.files + :sign * coalesce(t.files, 0), bytes = p.bytes + :sign * coalesce(t.bytes, 0),
            all_files = p.all_files + :sign * coalesce(t.all_files, 0),
            all_bytes = p.all_bytes + :sign * coalesce(t.all_bytes, 0),
            nearline = p.nearline + :sign * coalesce(t.nearline, 0),
            overlapping = p.overlapping + :sign * coalesce(t.overlapping, 0),
            gone = p.gone + :sign * (n.held - coalesce(t.there, 0)),
            kinds = CASE WHEN t.product_id IS NULL THEN p.kinds ELSE jsonb_build_object({_NEW_KINDS}) END
        FROM held_now n LEFT JOIN totals t USING (product_id)
        WHERE p.cart_id = :cart AND p.product_id = n.product_id
    """)  # noqa: S608 - kinds and columns of ours


COUNT_SELECTION: Final = _count("selection = :selection")
"""Add what a selection brings to the totals of products, or with `:sign` -1 take away what it has brought."""

COUNT_ALL: Final = _count("true")
"""Add all that a cart holds of products to their totals, which are zero."""

ZERO: Final = sa.text("""
    UPDATE cart_products p SET objects = 0, files = 0, bytes = 0, all_files = 0, all_bytes = 0, nearline = 0,
        overlapping = 0, gone = 0, kinds = '{}', revision = r.revision
    FROM unnest(CAST(:products AS bigint[]), CAST(:revisions AS bigint[])) AS r(product_id, revision)
    WHERE p.cart_id = :cart AND p.product_id = r.product_id
""")
"""Begin to count products, which are what they were at the revisions beside them or newer."""

COUNT_PARTS: Final = sa.text(f"""
    WITH held AS (
        SELECT product_id, selection, object_id, bool_or(whole) AS whole
        FROM ({_ENTRIES.format(also="AND (CAST(:selection AS int) IS NULL OR selection = :selection)")}) entries
        GROUP BY product_id, selection, object_id
    ), counted AS (
        SELECT h.product_id, h.selection, h.object_id, count(f.id) FILTER (WHERE {_KEPT}) AS files,
            coalesce(sum(f.size_bytes) FILTER (WHERE {_KEPT}), 0) AS bytes
        FROM held h JOIN cart_products p ON p.cart_id = :cart AND p.product_id = h.product_id
        LEFT JOIN catalogue_files f
            ON f.object_id = h.object_id AND (h.whole OR {_SINGLE.format(which="c.selection = h.selection")})
        GROUP BY h.product_id, h.selection, h.object_id
    )
    INSERT INTO cart_parts (cart_id, product_id, selection, objects, files, bytes)
    SELECT :cart, product_id, selection, count(*) FILTER (WHERE files > 0), sum(files), sum(bytes)
    FROM counted GROUP BY product_id, selection
    ON CONFLICT (cart_id, product_id, selection) DO UPDATE
    SET objects = excluded.objects, files = excluded.files, bytes = excluded.bytes
""")  # noqa: S608
"""Count what a selection holds of products, or each selection where none is named."""
