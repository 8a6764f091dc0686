"""The catalogue over HTTP."""

import base64
from hashlib import sha256
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient

from tests.api.conftest import SCENES, MakeProduct
from tests.factories import Sessions

NOBODY = "00000000-0000-7000-8000-000000000000"


async def objects(client: AsyncClient, sku: str = "scenes", **query: Any) -> dict[str, Any]:
    answer = await client.get(f"/products/{sku}/objects", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_products_are_listed_by_sku_with_what_they_hold(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product(price="12.5")
    await make_product("maps", {}, currency="USD")
    size = sum(len(content) for files in SCENES.values() for content in files.values())
    assert (await client.get("/products")).json()["items"] == [
        {
            "sku": "maps",
            "name": "Maps",
            "unit_price": "0.00",
            "price_unit": "object",
            "currency": "USD",
            "objects": 0,
            "files": 0,
            "bytes": 0,
        },
        {
            "sku": "scenes",
            "name": "Scenes",
            "unit_price": "12.50",
            "price_unit": "object",
            "currency": "EUR",
            "objects": 3,
            "files": 5,
            "bytes": size,
        },
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
async def test_objects_are_paged_by_name(client: AsyncClient, make_product: MakeProduct, limit: int) -> None:
    await make_product()
    page = await objects(client, limit=limit)
    found = page["items"]
    while page["next_cursor"]:
        page = await objects(client, limit=limit, cursor=page["next_cursor"])
        found += page["items"]
    assert [(obj["name"], obj["files"], obj["bytes"]) for obj in found] == [
        ("spring", 2, 30_005),
        ("summer", 1, 10),
        ("winter", 2, 400),
    ]


async def test_objects_of_every_name_come_once(client: AsyncClient, make_product: MakeProduct) -> None:
    # Whatever order the database sorts names in, the cursor has to follow the same.
    names = ["a", "B", "ä", "Z", "_", "a b", "a-b", "ab", "Ω", "10", "9", "A", "日本", "a'b", "é" * 100, "🐎"]
    await make_product(files={name: {"f": b"x"} for name in names})
    found, page = [], await objects(client, limit=1)
    while True:
        found += [obj["name"] for obj in page["items"]]
        if not page["next_cursor"]:
            break
        page = await objects(client, limit=1, cursor=page["next_cursor"])
    assert sorted(found) == sorted(names)


async def test_the_files_of_an_object_are_shown_with_their_proof(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    (spring, *_) = (await objects(client))["items"]
    files = (await client.get(f"/objects/{spring['id']}/files")).json()["items"]
    assert [(file["name"], file["size"]) for file in files] == [("b1.tif", 30_000), ("notes ü.txt", 5)]
    assert files[1]["sha256"] == sha256(b"notes").hexdigest()
    order = await client.post("/orders", json={"files": [file["id"] for file in files]})
    assert order.status_code == 201


async def test_a_checksum_nobody_knows_is_not_made_up(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product(checksums=False)
    (spring, *_) = (await objects(client))["items"]
    files = (await client.get(f"/objects/{spring['id']}/files")).json()["items"]
    assert [file["sha256"] for file in files] == [None, None]


@pytest.mark.parametrize("path", ["/products/atlantis/objects", f"/objects/{NOBODY}/files"])
async def test_what_is_not_in_the_catalogue_is_not_found(client: AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/objects/x/files", "/objects/%00/files", "/objects/1/files"])
async def test_an_id_that_cannot_be_one_is_refused(client: AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 422


@pytest.mark.parametrize("sku", ["%00", "%ED%A0%80", "%FF", "a" * 3000, "%2E%2E", "'", "%F0%9F%90%8E"])
async def test_a_strange_sku_is_no_mistake_of_ours(client: AsyncClient, make_product: MakeProduct, sku: str) -> None:
    await make_product()
    answer = await client.get(f"/products/{sku}/objects")
    assert answer.status_code in {404, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("value", [["a\x00b"], ["a", "b"], [1], [], "a", None])
async def test_a_tampered_cursor_is_refused(client: AsyncClient, make_product: MakeProduct, value: object) -> None:
    await make_product()
    cursor = base64.urlsafe_b64encode(orjson.dumps(value)).decode()
    answer = await client.get("/products/scenes/objects", params={"cursor": cursor})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_files_of_a_product_itself_are_nothing_to_order(
    client: AsyncClient, make_product: MakeProduct, sessions: Sessions
) -> None:
    await make_product()
    found = {obj["name"]: obj["id"] for obj in (await objects(client))["items"]}
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE catalogue_objects SET accompanies = true WHERE name = 'spring'"))
    assert [obj["name"] for obj in (await objects(client))["items"]] == ["summer", "winter"]
    (product,) = (await client.get("/products")).json()["items"]
    assert (product["objects"], product["files"]) == (2, 3)
    items = (await client.get("https://orders.example/stac/search")).json()["features"]
    assert {item["id"] for item in items} == {"summer", "winter"}
    for body in ({"files": [found["spring"]]}, {"items": [{"product": "scenes", "objects": ["spring"]}]}):
        refused = await client.post("/orders", json=body)
        assert [fault["code"] for fault in refused.json()["faults"]] == ["unknown_id"]
    order = (await client.post("/orders", json={"items": [{"product": "scenes"}]})).json()
    assert order["items"][0]["quantity"] == 2
