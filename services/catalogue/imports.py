"""The import itself: what kind of source it is, reading it, merging it."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models.errors import Refusal
from models.links import DOT_SEGMENTS
from models.text import shown
from services.catalogue import directory, stac
from services.catalogue.merge import merge
from services.catalogue.messages import ImportOptions, ImportReport
from services.catalogue.missing_products import check_entry, report_missing
from services.catalogue.source_contents import FoundProduct, Looked, unstorable, untold
from services.catalogue.tree import why_not

_ENTRIES_SHOWN: Final = 5
_DOCUMENTS_READ: Final = 20


async def import_source(
    sessions: async_sessionmaker[AsyncSession],
    source: Path,
    options: ImportOptions | None = None,
    looked: Looked = untold,
) -> list[ImportReport]:
    """Import a STAC catalogue or collection, or a plain folder; all of it or, on a Refusal, nothing.

    The reports come in the order of the source, one for each product, with what was refused and why; then those of
    products that the source had at its last import and did not show now. `looked` is told from another thread.
    """
    options = options or ImportOptions()
    products = await asyncio.to_thread(_read, source, options, looked)
    async with sessions.begin() as session:
        if not options.plain:
            await check_entry(session, products)
        # Always in the order of SKUs: two imports at once wait for each other and never in a circle.
        in_order = sorted(range(len(products)), key=lambda index: products[index].sku)
        reports = {index: await merge(session, products[index], options) for index in in_order}
        missing = await report_missing(session, products)
    made = [reports[index] for index in range(len(products))]
    # A collection without anything in it is no product yet, and nothing that anybody has to hear of.
    heard = [report for report in made if report.product != "absent" or report.refused or len(made) == 1]
    return [*heard, *missing]


def _read(source: Path, options: ImportOptions, looked: Looked) -> list[FoundProduct]:
    path = os.path.abspath(source)  # noqa: PTH100 - pathlib has no way to drop `..` without following links
    if unstorable(path):
        raise Refusal(f"{shown(path)}: a path that is not valid UTF-8 cannot be catalogued")
    entry = _stac_entry(path, options)
    products = stac.read_stac(entry, looked) if entry else [_plain_folder(path, options, looked)]
    return _as_wished(products, options)


def _stac_entry(path: str, options: ImportOptions) -> str | None:
    """The STAC file to begin with; None for a plain folder.

    A file of a STAC catalogue's name that nobody can read may be one: then the folder is not plain, it is an error.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - the path is text here
        if not os.path.isfile(path):  # noqa: PTH113
            raise Refusal(f"{shown(path)}: {_why_no_file(path)}")
        return path
    for name in () if options.plain else stac.ENTRY_NAMES:
        entry = f"{path.rstrip('/')}/{name}"
        try:
            if os.path.lexists(entry) and not os.path.isdir(entry) and stac.is_stac(entry):  # noqa: PTH112
                return entry
        except Refusal as refusal:
            text = f"{refusal}; mend it, or give --plain to import the folder without STAC"
            raise Refusal(f"{shown(entry)}: {text}") from refusal
    return None


def _why_no_file(path: str) -> str:
    try:
        os.stat(path)  # noqa: PTH116
    except OSError as error:
        return why_not(error)
    return "it is neither a folder nor a file"


def _plain_folder(path: str, options: ImportOptions, looked: Looked) -> FoundProduct:
    """The product of a folder; one that has STAC catalogues further down is more likely not meant to be one."""
    product = directory.read_directory(path, hidden=options.hidden, looked=looked)
    entries = [] if options.plain else sorted(_entries_below(product))
    if not entries:
        product.notes.extend(_item_notes(product))
        return product
    listed = shown(", ".join(entries[:_ENTRIES_SHOWN])) + (" and more" if len(entries) > _ENTRIES_SHOWN else "")
    raise Refusal(
        f"{shown(path)}: it is no STAC catalogue itself, but holds {listed}, which would be sold as plain files; "
        "import these, or give --plain to take the folder as it is"
    )


def _item_notes(product: FoundProduct) -> Iterator[str]:
    """A word on STAC items at the top, which no collection makes objects of; looked for among a few files only."""
    documents = [file.href for file in product.files if "/" not in file.href and file.href.endswith(".json")]
    items = (name for name in documents[:_DOCUMENTS_READ] if stac.is_item(f"{product.location}/{name}"))
    if (name := next(items, None)) is not None:
        text = "is a STAC item, and there is no catalog.json or collection.json that links to it"
        yield f"{shown(name)} {text}: it was imported as a plain file"


def _entries_below(product: FoundProduct) -> Iterator[str]:
    """What is STAC, or may be for all that can be read of it."""
    for file in product.files:
        if file.href.rpartition("/")[2] in stac.ENTRY_NAMES and "/" in file.href:
            try:
                if stac.is_stac(f"{product.location}/{file.href}"):
                    yield file.href
            except Refusal:
                yield file.href


def _as_wished(products: list[FoundProduct], options: ImportOptions) -> list[FoundProduct]:
    wishes = {key: wish for key in ("sku", "name") if (wish := getattr(options, key)) is not None}
    filled = [product for product in products if product.files] or products
    if wishes and len(filled) > 1:
        given = " and ".join(wishes)
        raise Refusal(f"this source has {len(filled)} products, and {given} can be given to one only")
    for product in filled if len(filled) == 1 else products:
        product.sku = options.sku or product.sku
        if options.name:
            product.name, product.titled = options.name, True
    if options.sku in DOT_SEGMENTS:
        raise Refusal(f"{options.sku!r} cannot be a SKU, for no URL can lead to it; give another")
    if nameless := [product for product in products if not product.sku]:
        raise Refusal(f"no SKU can be made from the folder's name {nameless[0].name!r}: give one")
    return products
