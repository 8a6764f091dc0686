"""The cart: filled, counted and emptied."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient

from models.areas import Box
from services.numbers import CART_SELECTIONS
from tests.api.conftest import MakeProduct
from tests.factories import Sessions, place_object
from tests.issuer import as_

SCENES = {"winter": {"b1.tif": b"1" * 10, "b2.tif": b"2"}, "spring": {"b1.tif": b"3" * 5}, "summer": {"b1.tif": b"4"}}


async def add(client: AsyncClient, status: int = 201, **what: Any) -> Any:
    answer = await client.post("/cart/selections", json=what)
    assert answer.status_code == status, answer.text
    return answer.json()


def counts(totals: Any) -> tuple[int, int, int]:
    return totals["objects"], totals["files"], totals["bytes"]


async def test_overlaps_count_once_and_say_how_many(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product(files=SCENES)
    await add(client, product="scenes")
    added = await add(client, names=["winter", "scenes/spring"])
    cart = added["cart"]
    assert (added["added"], counts(cart), cart["overlapping"]) == (2, (3, 4, 17), 2)
    assert [counts(selection) for selection in cart["selections"]] == [(3, 4, 17), (2, 3, 16)]
    (item,) = cart["items"]
    assert (item["product"], item["kinds"], item["gone"]) == ("scenes", {"data": 4}, 0)
    assert [(part["selection"], counts(part)) for part in item["selections"]] == [(1, (3, 4, 17)), (2, (2, 3, 16))]
    assert (await client.get("/cart")).json() == cart
    assert (await client.get("/cart", headers=as_("other"))).json()["objects"] == 0


async def test_what_cannot_be_added_is_told_and_the_rest_goes_in(
    client: AsyncClient, make_product: MakeProduct, sessions: Sessions
) -> None:
    await make_product(files=SCENES)
    await make_product("prints", files={"winter": {"a": b"a"}})
    await make_product("closed", files={"hidden": {"a": b"a"}}, groups=["partners"])
    await make_product("moon", files={"crater": {"a": b"a"}})
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE products SET location = 's3://moon' WHERE sku = 'moon'"))
        await session.execute(
            sa.text("INSERT INTO catalogue_objects (product_id, name) SELECT id, 'bare' FROM products")
        )
        hidden = await session.scalar(sa.text("SELECT id::text FROM catalogue_objects WHERE name = 'hidden'"))
        spring = await session.scalar(sa.text("SELECT id::text FROM catalogue_objects WHERE name = 'spring'"))
    names = ["winter", "hidden", "crater", "scenes/bare", "scenes/winter"]
    added = await add(client, names=names)
    told = [(found["position"], found["key"], found["code"]) for found in added["unadded"]]
    assert told == [
        (1, "winter", "ambiguous"),
        (2, "hidden", "unknown"),
        (3, "crater", "storage_not_allowed"),
        (4, "scenes/bare", "nothing_orderable"),
    ]
    assert added["unadded"][0]["text"] == "there is one in prints and in scenes; write PRODUCT/NAME"
    assert (added["added"], added["unadded_total"]) == (1, 4)
    added = await add(client, objects=[hidden, "7", spring])
    assert [(found["position"], found["code"]) for found in added["unadded"]] == [(1, "access_limited"), (2, "unknown")]
    assert added["cart"]["objects"] == 2
    refused = await add(client, 422, product="closed")
    assert (refused["code"], [fault["code"] for fault in refused["faults"]]) == ("nothing_added", ["unknown"])
    assert (await add(client, 422, names=["nosuch"]))["faults"][0]["code"] == "unknown"
    assert (await add(client, 422, search={"names": ["nosuch"]}))["code"] == "nothing_added"
    assert (await add(client, product="scenes"))["unadded"][0]["code"] == "nothing_orderable"


async def test_what_arrives_later_does_not_slip_in_and_what_goes_is_shown(
    client: AsyncClient, make_product: MakeProduct, sessions: Sessions
) -> None:
    product = await make_product(files=SCENES)
    version = (await add(client, product="scenes"))["cart"]["version"]
    async with sessions.begin() as session:
        late = "INSERT INTO catalogue_objects (product_id, name) VALUES (:id, 'late') RETURNING id"
        late_id = await session.scalar(sa.text(late), {"id": product.id})
        file = (
            "INSERT INTO catalogue_files (object_id, name, href, size_bytes, media_type, kind, tier, modified_ns)"
            " VALUES (:id, 'a', 'a', 1, 'text/plain', 'data', 'online', 1)"
        )
        await session.execute(sa.text(file), {"id": late_id})
        await session.execute(sa.text("DELETE FROM catalogue_files WHERE size_bytes = 5"))
        await session.execute(sa.text("DELETE FROM catalogue_objects WHERE name = 'spring'"))
    cart = (await client.get("/cart")).json()
    assert (counts(cart), cart["gone"], cart["version"]) == ((2, 3, 12), 1, version + 1)
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE products SET unit_price = 3"))
    priced = (await client.get("/cart")).json()
    assert (priced["version"], priced["items"][0]["unit_price"]) == (version + 2, "3.00")
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE products SET access_groups = '{partners}'"))
    closed = (await client.get("/cart")).json()
    assert (counts(closed), closed["gone"], closed["items"][0]["orderable"]) == ((0, 0, 0), 3, False)


async def test_picks_join_each_other_and_files_count_by_themselves(
    client: AsyncClient, make_product: MakeProduct, sessions: Sessions
) -> None:
    await make_product(files=SCENES)
    async with sessions.begin() as session:
        rows = (await session.execute(sa.text("SELECT name, id::text AS key FROM catalogue_objects"))).all()
        ids = {row.name: row.key for row in rows}
        file = await session.scalar(sa.text("SELECT id::text FROM catalogue_files WHERE name = 'b2.tif'"))
    assert counts((await add(client, objects=[file]))["cart"]) == (1, 1, 1)
    assert counts((await add(client, objects=[ids["summer"]]))["cart"]) == (2, 2, 2)
    added = await add(client, objects=[ids["winter"], ids["summer"]])
    assert (added["selection"], added["added"], counts(added["cart"])) == (1, 1, (2, 3, 12))
    assert counts((await add(client, product="scenes"))["cart"]) == (3, 4, 17)
    left = (await client.delete("/cart/selections/2")).json()
    assert (counts(left), left["overlapping"]) == ((2, 3, 12), 0)


async def test_a_search_in_an_area_holds_what_is_in_it(
    client: AsyncClient, make_product: MakeProduct, sessions: Sessions
) -> None:
    await make_product(files=SCENES)
    at = datetime(2024, 6, 1, tzinfo=UTC)
    for n, name in enumerate(SCENES):
        await place_object(sessions, name, Box(n, n, n + 0.5, n + 0.5), at)
    box = {"bbox": [0, 0, 1, 1], "datetime": "2024-01-01T00:00:00Z/.."}
    cart = (await add(client, search=box))["cart"]
    assert (cart["objects"], cart["selections"][0]["request"]) == (2, {**box, "bbox": [0.0, 0.0, 1.0, 1.0]})
    triangle = {"type": "Polygon", "coordinates": [[[2, 2], [3, 2], [2, 3], [2, 2]]]}
    assert (await add(client, search={"intersects": triangle, "product": ["scenes"]}))["cart"]["objects"] == 3
    later = {"search": {"datetime": "2025-01-01T00:00:00Z/.."}}
    assert (await add(client, 422, **later))["code"] == "nothing_added"


async def test_two_devices_lose_nothing_and_a_stale_change_is_refused(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product(files=SCENES)
    await make_product("prints", files={"winter": {"a": b"a"}})
    seen = await client.get("/cart")
    answers = await asyncio.gather(*(add(client, names=[name]) for name in ("scenes/winter", "spring", "summer")))
    assert sorted(answer["selection"] for answer in answers) == [1, 2, 3]
    stale = await client.delete("/cart", headers={"If-Match": seen.headers["etag"]})
    assert stale.status_code == 412
    now = await client.get("/cart")
    assert (now.json()["objects"], now.json()["version"]) == (3, 3)
    assert (await client.get("/cart", headers={"If-None-Match": now.headers["etag"]})).status_code == 304
    assert (await client.delete("/cart/products/prints")).status_code == 404
    assert (await client.delete("/cart/selections/9")).status_code == 404
    assert (await client.delete("/cart/products/scenes")).json()["selections"] == []
    assert (await client.delete("/cart", headers={"If-Match": '"4"'})).status_code == 200
    assert (await client.get("/cart")).json()["version"] == 4


async def test_a_cart_has_room_for_so_many_selections(
    client: AsyncClient, make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_product(files=SCENES)
    monkeypatch.setattr("services.cart_adding.CART_SELECTIONS", replace(CART_SELECTIONS, most=1))
    monkeypatch.setattr("services.cart_adding.MAX_IN_CART", 3)
    await add(client, names=["winter"])
    assert (await add(client, 409, names=["spring"]))["faults"][0]["code"] == "too_many_selections"
    monkeypatch.undo()
    monkeypatch.setattr("services.cart_adding.MAX_IN_CART", 3)
    assert (await add(client, 409, product="scenes"))["faults"][0]["code"] == "too_many_in_cart"
    assert (await client.get("/cart")).json()["objects"] == 1
