"""The sample archive of a new stack: three small products as a static STAC catalogue, made here and always the same."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from cli.dev import sample_files

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

FOLDER: Final = "sample-archive"
# 2024-06-01T00:00:00Z, for every file: an archive made again is the one that was catalogued.
_MADE_AT: Final = 1_717_200_000
_TOPICS: Final = ("welcome", "scenes", "soundings", "checksums", "formats", "licence", "quality", "contact")


class SampleFile(NamedTuple):
    """One file: its name, what is in it, its media type and its role as STAC calls it."""

    name: str
    content: bytes
    media_type: str
    role: str = "data"


@dataclass(frozen=True)
class SampleObject:
    """One object of a sample product; `box` is where it is: west, south, east, north in degrees."""

    name: str
    day: int
    files: tuple[SampleFile, ...]
    box: tuple[float, float, float, float] | None = None


def scenes() -> Iterator[SampleObject]:
    """Twelve objects of three files: a picture, its quicklook and what is known of it."""
    for number in range(1, 13):
        name = f"scene-{number:03d}"
        pixels = sample_files.picture(_random(name))
        known = {
            "scene": name,
            "width": sample_files.SIDE,
            "height": sample_files.SIDE,
            "mean": sum(pixels) / len(pixels),
        }
        yield SampleObject(
            name,
            number,
            (
                SampleFile(f"{name}.tif", sample_files.tiff(pixels), "image/tiff"),
                SampleFile(f"{name}_quicklook.png", sample_files.png(pixels), "image/png", "thumbnail"),
                SampleFile(f"{name}_metadata.json", orjson.dumps(known), "application/json", "metadata"),
            ),
            (float(number - 10), 43.0, float(number - 9), 44.0),
        )


def _random(seed: str) -> Random:
    return Random(seed)  # noqa: S311 - it has to be the same for everybody


def soundings() -> Iterator[SampleObject]:
    """Twenty flights of three small tables: sixty files, enough to see an order split."""
    for number in range(1, 21):
        name = f"flight-{number:03d}"
        tables = sample_files.soundings(_random(name))
        yield SampleObject(name, number, tuple(SampleFile(f"{name}_{t}.csv", c, "text/csv") for t, c in tables))


def documents() -> Iterator[SampleObject]:
    """Eight objects of a single file."""
    for number, topic in enumerate(_TOPICS, 1):
        lines = [f"Handbook {number}: {topic}", "This page belongs to the sample archive of Consignor."]
        if number % 2:
            file = SampleFile(f"{topic}.pdf", sample_files.pdf(lines), "application/pdf")
        else:
            file = SampleFile(f"{topic}.txt", ("\n".join(lines) + "\n").encode("ascii"), "text/plain")
        yield SampleObject(topic, number, (file,))


# Prefixed, for a real archive that is imported later may well have its own `scenes`.
_PRODUCTS: Final = (
    ("sample-scenes", "Coastal scenes", scenes),
    ("sample-soundings", "Balloon soundings", soundings),
    ("sample-documents", "Handbooks", documents),
)


async def load_sample_if_empty(database_url: str, data: Path) -> bool:
    """Make the sample archive in the data folder and import it where the catalogue has no product; whether it did."""
    from database.engine import make_engine, make_sessions
    from services.catalogue import import_source

    engine = make_engine(database_url, pool_size=1)
    try:
        sessions = make_sessions(engine)
        if await _has_products(sessions):
            return False
        await import_source(sessions, await asyncio.to_thread(write_sample, data / FOLDER))
        return True
    finally:
        await engine.dispose()


async def _has_products(sessions: "async_sessionmaker[AsyncSession]") -> bool:
    from sqlalchemy import text

    async with sessions.begin() as session:
        return bool(await session.scalar(text("SELECT EXISTS (SELECT FROM products)")))


def write_sample(folder: Path) -> Path:
    """Write the archive; gives its catalogue file. What is there of an earlier one is written over with the same."""
    for sku, title, objects in _PRODUCTS:
        items = [_write_object(folder / sku, sku, found) for found in objects()]
        _write_json(folder / sku / "collection.json", _collection(sku, title, items))
    _write_json(folder / "catalog.json", _catalog())
    return folder / "catalog.json"


def _write_object(folder: Path, sku: str, found: SampleObject) -> str:
    for file in found.files:
        _write(folder / found.name / file.name, file.content)
    _write_json(folder / found.name / f"{found.name}.json", _item(sku, found))
    return f"./{found.name}/{found.name}.json"


def _item(sku: str, found: SampleObject) -> dict[str, Any]:
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": ["https://stac-extensions.github.io/file/v2.1.0/schema.json"],
        "id": found.name,
        "collection": sku,
        **_place(found),
        "properties": {"datetime": f"2024-06-{found.day:02d}T12:00:00Z"},
        "assets": {file.name: _asset(file) for file in found.files},
        "links": [
            {"rel": "root", "href": "../../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
        ],
    }


def _place(found: SampleObject) -> dict[str, Any]:
    if found.box is None:
        return {"geometry": None}
    west, south, east, north = found.box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"geometry": {"type": "Polygon", "coordinates": [ring]}, "bbox": [*found.box]}


def _asset(file: SampleFile) -> dict[str, Any]:
    return {
        "href": f"./{file.name}",
        "type": file.media_type,
        "roles": [file.role],
        "file:size": len(file.content),
        "file:checksum": f"1220{sha256(file.content).hexdigest()}",
    }


def _collection(sku: str, title: str, items: list[str]) -> dict[str, Any]:
    first, last = "2024-06-01T00:00:00Z", "2024-07-01T00:00:00Z"
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": sku,
        "title": title,
        "description": f"{title}: part of the sample archive that Consignor makes for a new stack.",
        "license": "Apache-2.0",
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[first, last]]}},
        "links": [
            {"rel": "root", "href": "../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../catalog.json", "type": "application/json"},
            *({"rel": "item", "href": href, "type": "application/geo+json"} for href in items),
        ],
    }


def _catalog() -> dict[str, Any]:
    children = [f"./{sku}/collection.json" for sku, _, _ in _PRODUCTS]
    return {
        "type": "Catalog",
        "stac_version": "1.1.0",
        "id": FOLDER,
        "title": "Sample archive",
        "description": "Three small products that Consignor makes for a new stack.",
        "links": [
            {"rel": "root", "href": "./catalog.json", "type": "application/json"},
            *({"rel": "child", "href": href, "type": "application/json"} for href in children),
        ],
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    _write(path, orjson.dumps(value, option=orjson.OPT_INDENT_2))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (_MADE_AT, _MADE_AT))
