"""Imports a STAC API, one collection of it, or an ItemCollection over HTTP; the files lie in a folder of this disk.

Files are not read from the web. So an asset counts where its href leads into the folder: as a path, or as a URL below
the one that the folder is served at. What leads anywhere else is refused by name, for nobody could deliver it.
"""

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models.errors import Refusal
from models.instants import read_instant
from models.text import shown
from services.catalogue.api_pages import ItemsOf, forget_pages, items_of, kept_items, link_of, read_pages
from services.catalogue.merge import left_alone, merge
from services.catalogue.messages import ImportOptions, ImportReport
from services.catalogue.missing_products import report_missing
from services.catalogue.source_contents import FoundProduct, Looked, Unseen, untold
from services.catalogue.stac import good_id
from services.catalogue.stac_product import StacProduct
from services.catalogue.tree import SourceTree
from storage.sources.web_documents import WebDocuments


class ApiSource(NamedTuple):
    """What to import: a URL, the folder its files lie in (absolute), the URL it is served at, and since when.

    With `since` only items that were written since are taken; nothing is withdrawn then.
    """

    url: str
    files: str
    files_at: str | None = None
    since: datetime | None = None

    def key(self, items: ItemsOf) -> str:
        """What is asked: pages of another question are not gone on with."""
        return f"{items.first.url} {self.since.isoformat() if self.since else 'all'}"


async def import_api(
    sessions: async_sessionmaker[AsyncSession],
    source: ApiSource,
    options: ImportOptions,
    documents: WebDocuments,
    looked: Looked = untold,
) -> list[ImportReport]:
    """Import each collection for itself, once all of its items are read; one that cannot be read stays as it was.

    Raises Refusal where there is but one, and it cannot be read; the next import goes on behind what was read.
    """
    wanted = await asyncio.to_thread(items_of, documents, source.url)
    if len(wanted) > 1 and (options.sku or options.name):
        raise Refusal(f"{source.url} has {len(wanted)} collections, and a SKU or name can be given to one only")
    found, reports = list[FoundProduct](), list[ImportReport]()
    for items in wanted:
        try:
            await read_pages(sessions, documents, source.key(items), items.first, looked)
            product = await _read_product(sessions, source, items, options)
        except Refusal as refusal:
            if len(wanted) == 1:
                raise
            product = FoundProduct(sku=str((items.collection or {}).get("id")), name="", location="", source=source.url)
            async with sessions.begin() as session:
                reports.append(await left_alone(session, product, str(refusal)))
        else:
            async with sessions.begin() as session:
                reports.append(await merge(session, product, options))
                await session.execute(forget_pages(source.key(items)))
        found.append(product)
    async with sessions.begin() as session:
        missing = await report_missing(session, found)
    return [*reports, *missing]


async def _read_product(
    sessions: async_sessionmaker[AsyncSession], source: ApiSource, items: ItemsOf, options: ImportOptions
) -> FoundProduct:
    """The product that the pages say. Raises Refusal, and then has them read again the next time."""
    try:
        raw = await kept_items(sessions, source.key(items))
        return await asyncio.to_thread(_product, source, items, raw, options)
    except Refusal:
        async with sessions.begin() as session:
            await session.execute(forget_pages(source.key(items)))
        raise


def _product(source: ApiSource, items: ItemsOf, raw: list[Any], options: ImportOptions) -> FoundProduct:
    root = source.files.rstrip("/")
    tree = SourceTree(root)
    head = items.collection or {"id": _only_collection(raw, options)}
    sku = options.sku or good_id(head.get("id"))
    product = StacProduct(
        tree,
        sku,
        head,
        f"{root}/{quote(sku, safe='')}",
        is_collection=items.collection is not None,
        real_folder=os.path.realpath(root),
    )
    base = items.document or items.first.url
    product.keep_own_assets(_on_disk(source, head.get("assets"), base), f"{root}/collection")
    for item in raw:
        _add(product, source, item, items.first.url)
    found = product.finished()
    found.source, found.document = source.url, items.document
    found.partial = source.since is not None
    if found.partial:
        found.unseen.add(Unseen.all())
    if options.name:
        found.name, found.titled = options.name, True
    return found


def _only_collection(raw: list[Any], options: ImportOptions) -> str | None:
    """The collection that all items say they are of."""
    named = {str(item.get("collection")) for item in raw if isinstance(item, dict) and item.get("collection")}
    if options.sku:
        return options.sku
    if len(named) != 1:
        raise Refusal(f"its items are of {len(named) or 'no'} collections: import one of these, or give a --sku")
    return named.pop()


def _add(product: StacProduct, source: ApiSource, item: Any, page: str) -> None:
    name = "an item"
    document = None
    try:
        if not isinstance(item, dict):
            raise Refusal("it is no JSON object")
        name = good_id(item.get("id"))
        document = link_of(item, "self", page) or name
        if not _is_wanted(item, source.since):
            return
        base = link_of(item, "self", page) or page
        path = f"{source.files}/{quote(name, safe='')}"
        product.add_object(name, _on_disk(source, item.get("assets"), base), path, item)
        product.found.documents[name] = document
    except Refusal as refusal:
        places = () if document is None else (Unseen.item(document), Unseen.asset(name))
        product.refuse(shown(name), refusal, *places)


def _is_wanted(item: Mapping[str, Any], since: datetime | None) -> bool:
    """Whether an item was written since, by its `updated` or `created`; one that says neither may have been."""
    properties = item.get("properties")
    if since is None or not isinstance(properties, dict):
        return True
    said = next((found for name in ("updated", "created") if isinstance(found := properties.get(name), str)), None)
    try:
        written = read_instant(said) if said is not None else None
    except ValueError:
        return True
    if written is None:
        return True
    return (written if written.tzinfo else written.replace(tzinfo=UTC)) >= since


def _on_disk(source: ApiSource, assets: object, base: str) -> object:
    """The assets with paths in place of the URLs that lead into the folder; others stay as they are."""
    if not isinstance(assets, Mapping):
        return assets
    return {key: _located(source, asset, base) for key, asset in assets.items()}


def _located(source: ApiSource, asset: object, base: str) -> object:
    href = asset.get("href") if isinstance(asset, dict) else None
    if not isinstance(asset, dict) or not isinstance(href, str) or not href or source.files_at is None:
        return asset
    try:
        url = urljoin(base, href)
        below = source.files_at.rstrip("/") + "/"
        if not url.startswith(below):
            return asset
        rest = unquote(urlsplit(url[len(below) :])._replace(query="", fragment="").geturl())
    except ValueError:
        return asset
    return {**asset, "href": f"{source.files}/{rest}"}
