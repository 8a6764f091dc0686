"""Judges of a running stack: REDbot of its HTTP, stac-api-validator of its STAC API."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from tests.clients import generating
from tests.conformance.findings import Finding
from tests.programs import asked, authorization, consignor, dev_stack
from tests.services.catalogue_sources import collection, item, put, put_json

REDBOT = "redbot==2.7.1"
_OF_API = (
    "/orders", "/products", "/me", "/quotas", "/views", "/stats", "/orders.csv", "/orders.jsonl", "/openapi.json",
)  # fmt: skip
_OF_ORDER = (
    "", "/files", "/suborders", "/timeline", "/links", "/metalink", "/stac", "/stac/items", "/suborders/1/archive",
    "/files/1/content",
)  # fmt: skip
_BESIDE_API = ("/healthz", "/readyz", "/docs", "/stac", "/stac/collections", "/stac/search")
_SQUARE = [[20, 20], [21, 20], [21, 21], [20, 21], [20, 20]]
_RECOMMENDED = "stac-check recommendations"
"""How a collection could be richer is no matter of the API."""


def running(folder: Path) -> Iterator[Finding]:
    """All that they find of a stack of their own. Raises NotToBeHad."""
    with dev_stack(folder / "data") as stack:
        where = {"CONSIGNOR_DATA": str(folder / "data")}
        _add_scenes(folder / "scenes")
        consignor(where, "catalog", "import", folder / "scenes")
        order = asked(where, "order", "place", "--product", "scenes", "--wait")["id"]
        token = authorization(where)["Authorization"].removeprefix("Bearer ")
        yield from redbot(stack["api"], token, order, folder)
        yield from stac(stack["api"], token)


def redbot(address: str, token: str, order: str, folder: Path) -> Iterator[Finding]:
    """REDbot on everything that is read: documents, lists, downloads, exports, pages."""
    headers = {"Authorization": f"Bearer {token}"}
    api = f"{address}/api/v1"
    links = httpx2.get(f"{api}/orders/{order}/links", headers=headers).raise_for_status().json()
    urls = [f"{api}{path}" for path in _OF_API]
    urls += [f"{api}/orders/{order}{path}" for path in _OF_ORDER]
    urls += [f"{address}{path}" for path in _BESIDE_API]
    urls += [links["metalink"], links["archives"][0]["url"], links["files"][0]["url"]]
    script = Path(__file__).with_name("redbot_notes.py")
    printed = generating.printed([*generating.isolated(REDBOT, folder), "python", str(script), token, *urls], folder)
    for note in json.loads(printed):
        place = note["url"].replace(order, "{order}")
        yield Finding("redbot", note["note"], place.removeprefix(address), note["text"])


def stac(address: str, token: str) -> Iterator[Finding]:
    """stac-api-validator for all conformance classes that the landing page claims."""
    polygon = json.dumps({"type": "Polygon", "coordinates": [_SQUARE]})
    words = [sys.executable, "-m", "tests.api.stac_validator", address, token, "scenes", polygon]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    found: dict[str, list[str]] = json.loads(done.stdout)
    for level, texts in found.items():
        for text in texts:
            if _RECOMMENDED not in text:
                yield Finding("stac-api-validator", level, "/stac", text)


def _add_scenes(folder: Path) -> None:
    """Three scenes with places, times and files that are large enough for ranges."""
    names = [f"scene-{n}" for n in range(3)]
    for n, name in enumerate(names):
        put(folder / name / "lines.txt", f"{name}\n".encode() * 20_000)
        place: dict[str, Any] = {"type": "Polygon", "coordinates": [[[x + n, y] for x, y in _SQUARE]]}
        assets = {"lines.txt": {"href": "./lines.txt"}}
        when = {"datetime": f"2013-06-{n + 1:02d}T10:00:00Z"}
        put_json(folder / name / f"{name}.json", item(name, assets, geometry=place, properties=when))
    put_json(folder / "collection.json", collection("scenes", [f"./{n}/{n}.json" for n in names], title="Scenes"))
