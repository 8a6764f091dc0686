"""The import itself: what kind of source it is, reading it, merging it."""

import asyncio
import os
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models.errors import Refusal
from models.text import shown
from services.catalogue import directory, stac
from services.catalogue.merge import merge
from services.catalogue.messages import ImportOptions, ImportReport
from services.catalogue.source_contents import FoundProduct, unstorable


async def import_source(
    sessions: async_sessionmaker[AsyncSession], source: Path, options: ImportOptions | None = None
) -> list[ImportReport]:
    """Import a STAC catalogue or collection, or a plain folder; all of it or, on a Refusal, nothing.

    The reports come in the order of the source, one for each product, with what was refused and why.
    """
    options = options or ImportOptions()
    products = await asyncio.to_thread(_read, source, options)
    async with sessions.begin() as session:
        # Always in the order of SKUs: two imports at once wait for each other and never in a circle.
        in_order = sorted(range(len(products)), key=lambda index: products[index].sku)
        reports = {index: await merge(session, products[index], options) for index in in_order}
    return [reports[index] for index in range(len(products))]


def _read(source: Path, options: ImportOptions) -> list[FoundProduct]:
    path = os.path.abspath(source)  # noqa: PTH100 - pathlib has no way to drop `..` without following links
    if unstorable(path):
        raise Refusal(f"{shown(path)}: a path that is not valid UTF-8 cannot be catalogued")
    entry = _stac_entry(path)
    products = stac.read_stac(entry) if entry else [directory.read_directory(path)]
    return _as_wished(products, options)


def _stac_entry(path: str) -> str | None:
    """The STAC file to begin with; None for a plain folder."""
    if not os.path.isdir(path):  # noqa: PTH112 - the path is text here
        if not os.path.isfile(path):  # noqa: PTH113
            raise Refusal(f"{path}: it is not there")
        return path
    return next((entry for name in stac.ENTRY_NAMES if stac.is_stac(entry := f"{path.rstrip('/')}/{name}")), None)


def _as_wished(products: list[FoundProduct], options: ImportOptions) -> list[FoundProduct]:
    wishes = {key: wish for key in ("sku", "name") if (wish := getattr(options, key)) is not None}
    filled = [product for product in products if product.files]
    if wishes and len(filled) > 1:
        given = " and ".join(wishes)
        raise Refusal(f"this source has {len(filled)} products, and {given} can be given to one only")
    for product in filled if len(filled) == 1 else products:
        product.sku = options.sku or product.sku
        if options.name:
            product.name, product.titled = options.name, True
    if nameless := [product for product in products if not product.sku]:
        raise Refusal(f"no SKU can be made from the folder's name {nameless[0].name!r}: give one")
    return products
