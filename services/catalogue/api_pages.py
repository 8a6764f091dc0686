"""Reads the pages of a STAC API: its collections, and the items of one, kept in rows until all of them are read."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urljoin

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import col

from models.errors import Refusal, SourceUnreadable
from models.tables import CataloguePage
from services.catalogue.json_documents import parse_object
from services.catalogue.source_contents import Looked
from storage.sources.web_documents import Request, WebDocuments

GOES_ON_FOR: Final = timedelta(days=1)
"""After which pages of an import that was cut are read again: what they say may be of long ago."""


class ItemsOf(NamedTuple):
    """Where the items of a collection begin; without a collection its items say whose they are."""

    first: Request
    collection: Mapping[str, Any] | None = None
    document: str | None = None


def items_of(documents: WebDocuments, url: str) -> list[ItemsOf]:
    """What there is to read behind a URL: of an API, of one collection, or the items themselves. Raises Refusal."""
    found = _document(documents, Request(url))
    if found.get("type") == "FeatureCollection":
        return [ItemsOf(Request(url))]
    if found.get("type") == "Collection":
        return [_of_collection(found, url)]
    if (data := link_of(found, "data", url)) is not None:
        return [_of_collection(raw, data) for raw in _collections(documents, Request(data))]
    raise Refusal(f"{url}: it is no STAC API, no collection of one, and no ItemCollection")


def link_of(raw: Mapping[str, Any], relation: str, base: str) -> str | None:
    """Where the first link of a relation leads that can be read."""
    link = _link(raw, relation)
    return None if link is None else urljoin(base, link["href"])


def _link(raw: Mapping[str, Any], relation: str) -> Mapping[str, Any] | None:
    links = raw.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == relation and isinstance(link.get("href"), str):
            return link
    return None


def _document(documents: WebDocuments, request: Request) -> dict[str, Any]:
    try:
        return parse_object(documents.read(request))
    except SourceUnreadable as unreadable:
        raise SourceUnreadable(f"{request.url}: {unreadable}") from unreadable
    except Refusal as refusal:
        raise Refusal(f"{request.url}: {refusal}") from refusal


def _collections(documents: WebDocuments, first: Request) -> Iterator[Mapping[str, Any]]:
    request, asked = first, set[str]()
    while request is not None:
        _check_new(request, asked)
        page = _document(documents, request)
        found = page.get("collections")
        if not isinstance(found, list):
            raise SourceUnreadable(f"{request.url}: it is no list of collections")
        yield from (raw for raw in found if isinstance(raw, dict))
        if (following := _following(page, request)) is None:
            return
        request = following


def _of_collection(raw: Mapping[str, Any], url: str) -> ItemsOf:
    itself = link_of(raw, "self", url) or url
    items = link_of(raw, "items", url) or f"{itself.rstrip('/')}/items"
    if raw.get("type") != "Collection" and link_of(raw, "items", url) is None:
        items = f"{url.rstrip('/')}/{quote(str(raw.get('id')), safe='')}/items"
    return ItemsOf(Request(items), raw, itself)


async def read_pages(
    sessions: async_sessionmaker[AsyncSession], documents: WebDocuments, key: str, first: Request, looked: Looked
) -> None:
    """Read all pages of items into rows, going on behind those that are there. Raises Refusal; what was read stays."""
    number, request = await _where_to_go_on(sessions, key, first)
    asked = set[str]()
    while request is not None:
        number += 1
        try:
            _check_new(request, asked)
            page = parse_object(await asyncio.to_thread(documents.read, request))
            if not isinstance(items := page.get("features"), list):
                raise SourceUnreadable("it is no page of items")
            following = _following(page, request)
        except Refusal as refusal:
            text = f"page {number} of {first.url}: {refusal}; nothing was changed, and importing again goes on there"
            raise SourceUnreadable(text) from refusal
        values = {
            "source": key,
            "number": number,
            "following": None if following is None else json.dumps(following).encode(),
            "items": json.dumps(items).encode(),
        }
        async with sessions.begin() as session:
            await session.execute(insert(CataloguePage).values(values).on_conflict_do_nothing())
        for _ in items:
            looked()
        request = following


async def _where_to_go_on(
    sessions: async_sessionmaker[AsyncSession], key: str, first: Request
) -> tuple[int, Request | None]:
    async with sessions.begin() as session:
        oldest = sa.select(sa.func.min(col(CataloguePage.read_at)) < sa.func.now() - GOES_ON_FOR)
        if await session.scalar(oldest.where(col(CataloguePage.source) == key)):
            await session.execute(forget_pages(key))
        pages = sa.select(col(CataloguePage.number), col(CataloguePage.following))
        of_source = pages.where(col(CataloguePage.source) == key).order_by(col(CataloguePage.number).desc())
        last = (await session.execute(of_source.limit(1))).one_or_none()
    if last is None:
        return 0, first
    return last[0], None if last[1] is None else Request(*json.loads(last[1]))


async def kept_items(sessions: async_sessionmaker[AsyncSession], key: str) -> list[Any]:
    """The items of all pages that are kept."""
    query = sa.select(col(CataloguePage.items)).where(col(CataloguePage.source) == key)
    async with sessions.begin() as session:
        pages = (await session.execute(query.order_by(col(CataloguePage.number)))).scalars().all()
    return [item for page in pages for item in json.loads(page)]


def forget_pages(key: str) -> sa.Delete:
    """Forget the pages of what was asked."""
    return sa.delete(CataloguePage).where(col(CataloguePage.source) == key)


def _following(page: Mapping[str, Any], request: Request) -> Request | None:
    """The request of the next page, by GET or by POST as the STAC API has them."""
    if (link := _link(page, "next")) is None:
        return None
    url = urljoin(request.url, link["href"])
    if str(link.get("method", "GET")).upper() != "POST":
        return Request(url)
    body = link.get("body")
    given = body if isinstance(body, dict) else {}
    return Request(url, {**(request.body or {}), **given} if link.get("merge") is True or not given else given)


def _check_new(request: Request, asked: set[str]) -> None:
    """Raise SourceUnreadable for what was asked before."""
    written = json.dumps(request, sort_keys=True)
    if written in asked:
        raise SourceUnreadable("its pages lead in a circle")
    asked.add(written)
