"""Every link that the facade gives opens: a crawler over all answers, with names as people write them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from httpx2 import AsyncClient, Response

from api.dependencies import Services
from models.tables import Order
from tests.factories import Sessions, add_order, add_product, make_ready

HOST, PREFIX = "https://orders.example", "/at/consignor"
ROOT = HOST + PREFIX
SKUS = ("10.5281/zenodo", "50%25;a+b", "été ?#")
NAMES = (
    *("a/b", "a,b", "50%25", "a?b=c&d", "a#b;c+d", "می‌ خواهم", ".zgroup", "...", "a/items/b", "items"),
    *("trail//", '<"b\\">'),
)


@pytest.fixture
async def services(services: Services) -> Services:
    """The services of a facade below a path of its host, with so few files in a Metalink that there are several."""
    return replace(services, public_url=ROOT, files_per_metalink=8)


@pytest.fixture
async def order(sessions: Sessions, tmp_path: Path) -> Order:
    """An order of objects and files that are named as people write."""
    for position, sku in enumerate(SKUS):
        names = NAMES if position == 0 else NAMES[:1]
        files = {name: {name.rpartition("/")[2] or "file": b"content"} for name in names}
        await add_product(sessions, tmp_path / str(position), sku, files)
    made = await add_order(sessions, {SKUS[0]: "all", SKUS[1]: "all"}, label="Täler, 50 %; #1 / ?")
    await make_ready(sessions, made)
    return made


async def test_a_head_of_a_metalink_does_not_say_that_nothing_is_in_it(client: AsyncClient, order: Order) -> None:
    for path in ("metalink", ".metalink"):
        url = f"/orders/{order.id}/{path}"
        head, document = await client.head(url), await client.get(url)
        assert head.status_code == document.status_code == 200
        assert head.headers.get("content-length") in {None, str(len(document.content))}
        assert head.headers["content-type"] == document.headers["content-type"]


async def test_every_link_opens(client: AsyncClient, order: Order) -> None:
    api = f"{ROOT}/api/v1"
    parts = ("", "/suborders", "/files", "/timeline", "/links?limit=3", "/metalink", "/.metalink", "/stac")
    starts = [f"{ROOT}/", f"{ROOT}/stac", f"{api}/orders", *(f"{api}/orders/{order.id}{part}" for part in parts)]
    starts += [f"{api}/products/{quote(sku, safe='')}/objects" for sku in SKUS]
    found = await crawled(client, starts)
    items = {answer.json()["id"] for url, answer in found.items() if "/items/" in url and "/orders/" not in url}
    assert items == set(NAMES)
    assert {f"{ROOT}/stac/collections/{quote(sku, safe='')}" for sku in SKUS} <= found.keys()
    files = [url for url in found if "/links/" in url and "/files/" in url]
    assert len(files) == len(NAMES) + 1
    downloads = [url for url in found if re.search(r"/(archive|content|metalink)/", url)]
    assert len(downloads) > 2 * len(files)
    for url in downloads:
        # What saves a file under the last part of its URL saves it right.
        assert _name_in(found[url]) == unquote(url.rpartition("/")[2]), url


def _name_in(answer: Response) -> str:
    """The name of a download (RFC 6266)."""
    disposition = answer.headers["content-disposition"]
    if "filename*=" in disposition:
        return unquote(disposition.partition("filename*=UTF-8''")[2])
    return re.sub(r"\\(.)", r"\1", disposition.partition('filename="')[2].removesuffix('"'))


async def crawled(client: AsyncClient, starts: list[str]) -> dict[str, Response]:
    """The answers to all URLs of this host that can be reached."""
    waiting: list[tuple[str, str | None]] = [(url, None) for url in starts]
    found: dict[str, Response] = {}
    shapes: set[str] = set()
    while waiting:
        url, promised = waiting.pop()
        if not url.startswith(HOST) or url in found:
            continue
        assert urlsplit(url).path.startswith(f"{PREFIX}/"), f"{url} leads out of our part of the host"
        answer = found[url] = await client.get(url)
        assert answer.status_code in {200, 303}, f"{url}: {answer.status_code} {answer.text[:200]}"
        if promised is not None:
            assert answer.headers["content-type"].partition(";")[0] == promised.partition(";")[0], url
        if (shape := _ANY_NAME.sub("*", urlsplit(url).path)) not in shapes:
            shapes.add(shape)
            await answers_alike(client, url, answer)
        waiting += links_of(answer)
    return found


_ANY_NAME = re.compile(r"[^/]*[^a-z/][^/]*")


async def answers_alike(client: AsyncClient, url: str, answer: Response) -> None:
    """Hold that a URL answers a HEAD like a GET, and so behind a proxy that takes the path of the public URL away."""
    kind = answer.headers.get("content-type")
    head, stripped = await client.head(url), await client.get(url.replace(ROOT, HOST, 1))
    assert (head.status_code, head.content, head.headers.get("content-type")) == (answer.status_code, b"", kind), url
    assert (stripped.status_code, stripped.headers.get("content-type")) == (answer.status_code, kind), url


def links_of(answer: Response) -> Iterator[tuple[str, str | None]]:
    """Every URL in an answer with the media type that is promised for it."""
    if "location" in answer.headers:
        yield str(answer.url.join(answer.headers["location"])), None
    yield from ((url, None) for url in re.findall(r"<([^>]+)>", answer.headers.get("link", "")))
    kind = answer.headers.get("content-type", "")
    if "json" in kind and not answer.url.path.endswith("/openapi.json"):
        yield from _links_in(answer.json())
    elif "metalink" in kind:
        yield from ((url, None) for url in re.findall(r">(https?://[^<]+)<", answer.text))


def _links_in(value: Any) -> Iterator[tuple[str, str | None]]:
    if isinstance(value, dict):
        if value.get("method", "GET") == "GET" and isinstance(value.get("href"), str):
            yield value["href"], value.get("type")
        yield from (link for key, item in value.items() if key != "href" for link in _links_in(item))
    elif isinstance(value, list):
        yield from (link for item in value for link in _links_in(item))
    elif isinstance(value, str) and value.startswith("http"):
        yield value, None
