"""Ordering the cart: what was seen is what is ordered, once."""

import asyncio
from typing import Any

import sqlalchemy as sa
from httpx2 import AsyncClient

from tests.api.conftest import SCENES, MakeProduct
from tests.api.test_cart import add
from tests.factories import Sessions

FIGURES = ("objects", "total_price", "currency")


async def order(client: AsyncClient, status: int = 201, headers: Any = None, **body: Any) -> Any:
    answer = await client.post("/cart:order", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def selected(sessions: Sessions) -> list[tuple[str, bool]]:
    """Names of what orders select, and whether it is a single file."""
    query = "SELECT name, file_id IS NOT NULL FROM order_selections ORDER BY position, seq"
    async with sessions.begin() as session:
        return [(name, single) for name, single in await session.execute(sa.text(query))]


async def test_the_order_is_what_was_estimated_and_the_cart_is_empty(
    client: AsyncClient, make_product: MakeProduct, sessions: Sessions
) -> None:
    await make_product(price="2.50")
    await make_product("prints", files={"wall": {"a": b"a", "b": b"bb"}})
    async with sessions.begin() as session:
        file = await session.scalar(sa.text("SELECT id::text FROM catalogue_files WHERE name = 'b'"))
    await add(client, product="scenes")
    await add(client, names=["winter"])
    cart = (await add(client, objects=[file]))["cart"]
    estimate = (await client.post("/cart:estimate")).json()
    assert estimate["acceptable"], estimate
    assert [estimate[name] for name in ("objects", "files", "bytes")] == [
        cart[n] for n in ("objects", "files", "bytes")
    ]
    placed = await order(client, version=cart["version"], label="From the cart")
    assert [placed[name] for name in FIGURES] == [estimate[name] for name in FIGURES]
    assert (placed["label"], placed["total_price"]) == ("From the cart", "7.50")
    names = [("wall/b", True), ("spring", False), ("summer", False), ("winter", False)]
    assert await selected(sessions) == names
    empty = (await client.get("/cart")).json()
    assert (empty["objects"], empty["selections"], empty["version"]) == (0, [], cart["version"] + 1)
    assert (await client.post("/cart:estimate")).json()["faults"][0]["code"] == "nothing_to_order"


async def test_what_has_changed_since_it_was_seen_is_refused_with_the_difference(
    client: AsyncClient, make_product: MakeProduct, sessions: Sessions
) -> None:
    await make_product(price="1")
    await make_product("prints", files={"wall": {"a": b"a"}})
    await add(client, product="scenes")
    seen = (await add(client, names=["wall"]))["cart"]["version"]
    await client.delete("/cart/selections/2")
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE products SET unit_price = 2 WHERE sku = 'scenes'"))
        gone = "(SELECT id FROM catalogue_objects WHERE name = 'summer')"
        await session.execute(sa.text(f"DELETE FROM catalogue_files WHERE object_id = {gone}"))
        await session.execute(sa.text("DELETE FROM catalogue_objects WHERE name = 'summer'"))
    refused = await order(client, 409, version=seen)
    told = [(fault["field"], fault["code"]) for fault in refused["faults"]]
    assert told == [
        ("selections/2", "selection_removed"),
        ("prints", "product_removed"),
        ("scenes", "gone"),
        ("scenes", "price_changed"),
        ("scenes", "contents_changed"),
    ]
    assert (await order(client, 409, version=seen - 2))["faults"][0]["code"] == "version_unknown"
    now = await client.get("/cart")
    assert now.json()["version"] == refused["version"]
    placed = await order(client, headers={"If-Match": now.headers["etag"]})
    assert (placed["objects"], placed["total_price"], placed["warnings_total"]) == (2, "4.00", 1)


async def test_a_version_has_to_be_said(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    await add(client, product="scenes")
    for headers in {}, {"If-Match": "*"}, {"If-Match": '"x"'}:
        assert (await order(client, 422, headers))["faults"][0]["field"] == "version"


async def test_two_devices_at_once_order_once(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product(files=SCENES)
    version = (await add(client, product="scenes"))["cart"]["version"]
    both = [client.post("/cart:order", json={"version": version}) for _ in range(3)]
    answers = await asyncio.gather(*both, add(client, 201, names=["winter"]))
    statuses = sorted(answer.status_code for answer in answers[:3])
    assert statuses in ([201, 409, 409], [409, 409, 409])
    orders = (await client.get("/orders")).json()["items"]
    assert len(orders) == statuses.count(201)
    # What the fourth put in is in the cart, whoever was first.
    left = (await client.get("/cart")).json()
    assert left["selections"][-1]["kind"] == "names"
    first = await order(client, headers={"Idempotency-Key": "k"}, version=left["version"])
    assert await order(client, headers={"Idempotency-Key": "k"}, version=left["version"]) == first
