"""Results as STAC: walked by pystac over HTTP, and every asset is a file of the order."""

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pystac
import pytest
import uvicorn
from httpx2 import AsyncClient
from pystac.stac_io import DefaultStacIO
from sqlmodel import col

from api.dependencies import Services
from models.splitting import Limits
from models.suborder import SubOrderState
from models.tables import CatalogueFile
from tests.api.applications import lent_app
from tests.api.conftest import SCENES, MakeProduct, MakeReady
from tests.factories import Sessions, add_order, make_ready
from tests.issuer import as_
from tests.services.catalogue_sources import rows


@pytest.fixture
async def served(services: Services) -> AsyncIterator[str]:
    """The URL of a facade that really listens."""
    # Listening before the server runs: whoever comes first waits in the socket's line.
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    @asynccontextmanager
    async def opened() -> AsyncIterator[Services]:
        yield dataclasses.replace(services, public_url=url)

    with lent_app(opened) as app:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        yield url
        server.should_exit = True
        await task


def walked(url: str) -> dict[str, dict[str, Any]]:
    """The assets of all items that pystac finds, by item; each item leads back to where it came from."""
    collection = pystac.Collection.from_file(url, stac_io=DefaultStacIO(headers=as_("local")))
    found = {}
    for item in collection.get_items(recursive=True):
        assert item.get_collection() is not None
        assert item.get_root() is collection
        assert item.collection_id == collection.id
        found[item.id] = {name: asset.to_dict() for name, asset in item.assets.items()}
    return found


async def test_pystac_finds_every_file_of_an_order_with_its_size_and_checksum(
    served: str, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    async with sessions.begin() as session:
        await session.execute(
            CatalogueFile.__table__.update().where(col(CatalogueFile.name) == "notes ü.txt").values(kind="metadata")  # type: ignore[attr-defined]
        )
    order = await add_order(sessions, {"scenes": "all"})
    assert len(await make_ready(sessions, order, Limits(max_files=2))) == 3
    found = await asyncio.to_thread(walked, f"{served}/api/v1/orders/{order.id}/stac")
    assert found.keys() == {f"scenes:{name}" for name in SCENES}
    numbers = dict(await rows(sessions, "SELECT object_name || '/' || name, seq FROM order_files"))
    for obj, files in SCENES.items():
        assert found[f"scenes:{obj}"] == {
            name: {
                "href": f"{served}/api/v1/orders/{order.id}/files/{numbers[f'{obj}/{name}']}/content/{quote(name)}",
                "type": "application/octet-stream",
                "roles": ["metadata" if name == "notes ü.txt" else "data"],
                "file:size": len(content),
                "file:checksum": f"1220{sha256(content).hexdigest()}",
            }
            for name, content in files.items()
        }


async def test_pages_lead_through_all_items_once(client: AsyncClient, make_ready_order: MakeReady) -> None:
    order = await make_ready_order()
    url, seen = f"/orders/{order.id}/stac/items?limit=1", []
    while True:
        page = (await client.get(url)).json()
        (feature,) = page["features"]
        assert feature == (await client.get(feature["links"][0]["href"])).json()
        pystac.Item.from_dict(feature)
        seen.append(feature["id"])
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        (url,) = following
    assert sorted(seen) == sorted(f"scenes:{name}" for name in SCENES)


async def test_what_failed_is_no_result(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    (tmp_path / "scenes" / "spring" / "b1.tif").unlink()
    (tmp_path / "scenes" / "summer" / "b1.tif").unlink()
    await make_ready(sessions, order)
    features = (await client.get(f"/orders/{order.id}/stac/items")).json()["features"]
    assert {feature["id"]: list(feature["assets"]) for feature in features} == {
        "scenes:winter": ["b1.tif", "b2.tif"],
        "scenes:spring": ["notes ü.txt"],
    }


async def test_before_it_is_ready_an_order_has_an_empty_collection(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    answer = await client.get(f"/orders/{order.id}/stac")
    collection = pystac.Collection.from_dict(answer.json())
    assert collection.extent.temporal.intervals == [[None, None]]
    assert not collection.get_child_links()
    assert (await client.get(f"/orders/{order.id}/stac/items")).json()["features"] == []


@pytest.mark.parametrize(
    ("state", "status"), [(SubOrderState.EXPIRED, 410), (SubOrderState.STAGING, 503), (SubOrderState.DOWNLOADED, 200)]
)
async def test_the_state_of_a_suborder_decides_what_is_answered(
    client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady, state: SubOrderState, status: int
) -> None:
    order = await make_ready_order()
    await rows(sessions, f"UPDATE suborders SET state = '{state}' RETURNING number")
    for path in ("suborders/1", "items/1"):
        assert (await client.get(f"/orders/{order.id}/stac/{path}")).status_code == status


@pytest.mark.parametrize("path", ["suborders/2", "suborders/0", "items/0", "items/99", f"items/{2**63}", "items/2"])
async def test_what_is_not_there_is_not_found(client: AsyncClient, make_ready_order: MakeReady, path: str) -> None:
    """Also the second file of an object: an item is named by its first."""
    order = await make_ready_order({"o": {"a": b"1", "b": b"2"}})
    assert (await client.get(f"/orders/{order.id}/stac/{path}")).status_code == 404


async def test_somebody_elses_results_are_not_there(
    client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order()
    await rows(sessions, "UPDATE orders SET customer = 'eve' RETURNING id")
    for path in ("", "/items", "/items/1", "/suborders/1"):
        assert (await client.get(f"/orders/{order.id}/stac{path}")).status_code == 404
