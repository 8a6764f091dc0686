"""Products that a source had when it was last imported and that it did not show now."""

from collections.abc import Mapping, Sequence, Set
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Refusal
from models.text import shown
from services.catalogue.messages import ImportReport
from services.catalogue.source_contents import FoundProduct, Scope
from services.catalogue.stac import ENTRY_NAMES

_MISSING: Final = sa.text("""
    SELECT p.sku, p.name, p.location, p.document, count(DISTINCT o.id) AS objects, count(f.id) AS files,
        coalesce(sum(f.size_bytes), 0)::bigint AS size_bytes
    FROM products p LEFT JOIN catalogue_objects o ON o.product_id = p.id
    LEFT JOIN catalogue_files f ON f.object_id = o.id
    WHERE p.source = :source AND p.sku <> ALL (:found)
    GROUP BY p.id ORDER BY p.sku
""")


_IMPORTED: Final = sa.text("SELECT source FROM products WHERE source = ANY (:entries) ORDER BY source LIMIT 1")


async def check_entry(session: AsyncSession, products: Sequence[FoundProduct]) -> None:
    """Raise Refusal for a plain folder that was imported by a STAC file which is not there now."""
    folder = next((product.source for product in products if product.document is None), None)
    if folder is None:
        return
    entries = [f"{folder.rstrip('/')}/{name}" for name in ENTRY_NAMES]
    if (gone := await session.scalar(_IMPORTED, {"entries": entries})) is not None:
        raise Refusal(
            f"{shown(gone)}: it is not there, and this folder was imported by it; put it back, or give --plain to "
            "import the folder without STAC"
        )


async def report_missing(session: AsyncSession, products: Sequence[FoundProduct]) -> list[ImportReport]:
    """A report for each; they stay in the catalogue, whether they were left out or could not be looked at."""
    source = next((product.source for product in products), None)
    if source is None:
        return []
    values = {"source": source, "found": [product.sku for product in products]}
    now_called = {product.document: product.sku for product in products}
    unread = {place.path for product in products for place in product.unseen if place.scope is Scope.CHILD}
    rows = (await session.execute(_MISSING, values)).mappings()
    return [_report(row, source, now_called, unread) for row in rows]


def _report(row: sa.RowMapping, source: str, now_called: Mapping[str | None, str], unread: Set[str]) -> ImportReport:
    known = {key: row[key] for key in ("sku", "name", "location", "objects", "size_bytes")}
    document, where = row["document"], shown(row["document"] or source)
    if document in unread or (unread and document not in now_called):
        why = "could not be looked at" if document in unread else "was not reached: what leads there could not be read"
        return ImportReport(**known, product="unchanged", kept=row["files"], notes=(f"{where} {why}; all of it stays",))
    why = f"{where} is now {now_called[document]}" if document in now_called else f"it has left {shown(source)}"
    note = f"{why}; it stays in the catalogue until `consignor catalog remove {row['sku']}`"
    return ImportReport(**known, product="left", unchanged=row["files"], notes=(note,))
