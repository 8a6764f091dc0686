"""Stock pystac-client and EODAG on a whole running stack: they search, order, wait and download, unchanged.

Then the commands of the documentation, on the same stack.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from pystac_client import Client

from tests.cli.processes import eventually
from tests.commands_of_docs import PAGES, ROOT, has_commands, run_page
from tests.programs import authorization, consignor, dev_stack
from tests.services.catalogue_sources import collection, item, put, put_json
from tests.tools import tool

GUIDE = Path("docs/clients/eodag.md")
NAMES = [f"scene-{n:02d}" for n in range(12)]
FILES = ("image.tif", "meta.xml")


def content_of(name: str, file: str) -> bytes:
    return f"{name} {file}\n".encode() * 500


def square(n: int) -> dict[str, Any]:
    """A field of ten degrees, further east with each scene, from 60° west."""
    west, south = n * 10.0 - 60, 0.0
    ring = [[west, south], [west + 9, south], [west + 9, south + 9], [west, south + 9], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A running stack with twelve scenes, a day and ten degrees apart; what it says of itself."""
    root = tmp_path_factory.mktemp("stac-clients")
    with dev_stack(root / ".consignor") as running:
        for n, name in enumerate(NAMES):
            assets = {}
            for file in FILES:
                put(root / "catalogue" / "scenes" / name / file, content_of(name, file))
                assets[file] = {"href": f"./{file}"}
            found = item(name, assets, geometry=square(n), properties={"datetime": f"2013-06-{n + 1:02d}T10:00:00Z"})
            put_json(root / "catalogue" / "scenes" / name / f"{name}.json", found)
        hrefs = [f"./{name}/{name}.json" for name in NAMES]
        put_json(root / "catalogue" / "scenes" / "collection.json", collection("scenes", hrefs, title="Twelve scenes"))
        where = {"CONSIGNOR_DATA": str(root / ".consignor")}
        consignor(where, "catalog", "import", root / "catalogue" / "scenes")
        yield {**running, "where": where, "folder": root, "token": consignor(where, "token").strip()}


def test_pystac_client_walks_searches_orders_and_downloads(stack: dict[str, Any]) -> None:
    headers = authorization(stack["where"], "bob")
    catalog = Client.open(f"{stack['api']}/stac", headers=headers)
    assert catalog.conforms_to("COLLECTIONS")
    assert catalog.conforms_to("ITEM_SEARCH")
    assert "scenes" in {found.id for found in catalog.get_collections()}
    assert "scenes" in {found.id for found in catalog.get_children()}
    scenes = catalog.get_collection("scenes")
    assert scenes is not None
    assert scenes.title == "Twelve scenes"
    assert [found.id for found in scenes.get_items()] == NAMES[::-1]
    for method in ("GET", "POST"):
        search = catalog.search(method=method, collections=["scenes"], datetime="2013-06-01/2013-06-05", limit=2)
        assert [found.id for found in search.items()] == NAMES[4::-1]
        search = catalog.search(method=method, bbox=[-50, 0, -30, 5], limit=1)
        assert [found.id for found in search.items()] == NAMES[3:0:-1]
        across = {"type": "LineString", "coordinates": [[-49.5, 20], [-49.5, 5], [-35, 5]]}
        assert [found.id for found in catalog.search(method=method, intersects=across).items()] == NAMES[2:0:-1]
        assert [found.id for found in catalog.search(method=method, ids=NAMES[:2]).items()] == NAMES[1::-1]

    wanted = scenes.get_item(NAMES[7])
    assert wanted is not None
    assert (wanted.properties["order:status"], wanted.assets) == ("orderable", {})
    order = wanted.get_single_link("order")
    assert order is not None
    httpx2.post(order.href, json=order.extra_fields["body"], headers=headers).raise_for_status()

    def ready() -> bool:
        again = scenes.get_item(NAMES[7])
        return again is not None and again.properties["order:status"] == "succeeded"

    eventually(ready, "the order has succeeded", 30)
    there = scenes.get_item(NAMES[7])
    assert there is not None
    got = {name: httpx2.get(asset.href, headers=headers).content for name, asset in there.assets.items()}
    assert got == {file: content_of(NAMES[7], file) for file in FILES}


def test_eodag_searches_orders_polls_and_downloads_as_its_guide_says(stack: dict[str, Any], tmp_path: Path) -> None:
    alice = authorization(stack["where"])
    made = httpx2.post(
        f"{stack['api']}/api/v1/tokens", json={"name": "eodag", "scopes": ["read", "order"]}, headers=alice
    )
    (block,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    config = yaml.safe_load(block.replace("https://consignor.example", stack["api"]))
    config["consignor"]["auth"]["credentials"]["token"] = made.json()["token"]
    (tmp_path / "eodag.yml").write_text(yaml.safe_dump(config))
    where = {
        "HOME": str(tmp_path),
        "EODAG_CFG_DIR": str(tmp_path),
        "EODAG_CFG_FILE": str(tmp_path / "eodag.yml"),
        "EODAG_EXT_COLLECTIONS_CFG_URI": "",
        "EODAG_PROVIDERS_WHITELIST": '["consignor"]',
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.clients.eodag_user", str(tmp_path)],
        env={**os.environ, **where}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert "scenes" in said["collections"]
    assert (said["pages"], said["found"]) == ([5, 5, 2], NAMES[3:0:-1])
    assert said["statuses"] == ["orderable", "succeeded", "succeeded"]
    wanted = {file: content_of(NAMES[3], file) for file in FILES}
    ordered, assets = Path(said["ordered"]), Path(said["assets"])
    assert {file: (ordered / NAMES[3] / file).read_bytes() for file in FILES} == wanted
    assert {"manifest.json", "SHA256SUMS"} <= {path.name for path in ordered.iterdir()}
    assert {path.name: path.read_bytes() for path in assets.rglob("*") if path.is_file()} == wanted
    orders = httpx2.get(f"{stack['api']}/api/v1/orders?product=scenes", headers=alice).json()
    assert [order["outcome"] for order in orders["items"]] == ["succeeded"]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if has_commands(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_command_of_a_page_runs_in_order_as_printed(stack: dict[str, Any], page: Path) -> None:
    aria2 = Path(tool("aria2c")).parent
    for name in ("curl", "jq", "wget", "unzip", "bsdtar", "7z"):
        tool(name)
    folder: Path = stack["folder"]
    environment = {
        "HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}:{aria2}",
        # What the commands would make for themselves, each time anew.
        "CONSIGNOR_TOKEN": stack["token"],
    }
    assert run_page(page, folder, api=stack["api"], environment=environment) == ""
