"""Sources to import: plain folders, and STAC catalogues with whatever is wrong with them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

Sessions = async_sessionmaker[AsyncSession]


def put(path: Path, content: bytes = b"content") -> Path:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_json(path: Path, value: Any) -> Path:
    """A JSON document."""
    return put(path, json.dumps(value).encode())


def item(name: object, assets: Any, **more: Any) -> dict[str, Any]:
    """A STAC item."""
    properties = {"datetime": "2024-06-01T00:00:00Z"}
    head = {"type": "Feature", "stac_version": "1.1.0", "id": name, "geometry": None, "properties": properties}
    return head | {"links": [], "assets": assets} | more


def links(relation: str, hrefs: list[str]) -> list[dict[str, str]]:
    """Links of one relation."""
    return [{"rel": relation, "href": href} for href in hrefs]


def catalog(name: str, *, children: list[str] | None = None, items: list[str] | None = None) -> dict[str, Any]:
    """A STAC catalogue."""
    found = links("child", children or []) + links("item", items or [])
    return {"type": "Catalog", "stac_version": "1.1.0", "id": name, "description": name, "links": found}


def collection(name: str, items: list[str], **more: Any) -> dict[str, Any]:
    """A STAC collection."""
    extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [["2024-06-01T00:00:00Z", None]]}}
    return catalog(name, items=items) | {"type": "Collection", "license": "other", "extent": extent} | more


def one_item(root: Path, assets: Mapping[str, Any], **more: Any) -> Path:
    """A collection `c` with an item `i` in a folder of its own."""
    put_json(root / "c" / "i" / "i.json", item("i", assets, **more))
    return put_json(root / "c" / "collection.json", collection("c", ["./i/i.json"]))


async def rows(sessions: Sessions, query: str) -> list[Any]:
    """What a query gives: bare values where it has one column."""
    async with sessions.begin() as session:
        found = [tuple(row) for row in await session.execute(text(query))]
    return [row[0] if len(row) == 1 else row for row in found]
