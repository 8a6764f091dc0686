"""Placing orders: by product, by object, by file; frozen, priced and labelled."""

import asyncio
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient
from sqlmodel import col

from api.dependencies import Caller
from models.errors import LabelTaken
from models.queries.orders import unstarted_orders
from models.tables import CatalogueFile, CatalogueObject, Product
from tests.api.conftest import PUBLIC_URL, SCENES, MakeProduct
from tests.factories import Sessions, add_order

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SIZE = sum(len(content) for files in SCENES.values() for content in files.values())


async def placed(client: AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/orders", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def ids(sessions: Sessions, table: type[CatalogueObject] | type[CatalogueFile], name: str) -> list[str]:
    async with sessions.begin() as session:
        return [str(key) for key in await session.scalars(sa.select(col(table.id)).where(col(table.name) == name))]


async def test_a_whole_product_is_ordered_while_temporal_is_away(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    answer = await client.post("/orders", json={"items": [{"product": "scenes"}], "label": "My order"})
    order = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{PUBLIC_URL}/api/v1/orders/{order['id']}" == order["links"]["self"]
    assert re.fullmatch(r"CO-2\d{3}-\d{6}", order["number"])
    assert (order["label"], order["status"], order["delivery_status"]) == ("My order", "pending_payment", "Pending")
    assert (order["objects"], order["products"], order["total_price"]) == (3, ["scenes"], "0.00")
    assert (order["progress"]["files_total"], order["progress"]["bytes_total"]) == (5, SIZE)
    async with sessions.begin() as session:
        waiting = (await session.execute(unstarted_orders(before=datetime.now(UTC), limit=2))).scalars().all()
    assert [str(found.id) for found in waiting] == [order["id"]]


@pytest.mark.parametrize(
    ("selected", "objects", "files"),
    [("all", 3, 5), (["winter"], 1, 2), (["winter", "summer"], 2, 3), (["winter", "winter"], 1, 2)],
)
async def test_objects_are_ordered_by_name(
    client: AsyncClient, make_product: MakeProduct, selected: Any, objects: int, files: int
) -> None:
    await make_product()
    order = await placed(client, items=[{"product": "scenes", "objects": selected}])
    assert (order["objects"], order["progress"]["files_total"]) == (objects, files)


async def test_an_object_is_ordered_by_its_id_and_once_however_it_is_named(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    (key,) = await ids(sessions, CatalogueObject, "winter")
    for label, keys in (("a", [key]), ("b", [key, "winter"]), ("c", [key.upper()])):
        order = await placed(client, items=[{"product": "scenes", "objects": keys}], label=label)
        assert (order["objects"], order["progress"]["files_total"]) == (1, 2)


async def test_single_files_and_objects_are_ordered_by_id(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    (notes,) = await ids(sessions, CatalogueFile, "notes ü.txt")
    (winter,) = await ids(sessions, CatalogueObject, "winter")
    order = await placed(client, files=[notes, winter, notes])
    assert (order["objects"], order["progress"]["files_total"]) == (2, 3)
    assert order["progress"]["bytes_total"] == 5 + 400


async def test_a_file_of_an_object_that_is_ordered_too_comes_once(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    keys = await ids(sessions, CatalogueObject, "spring") + await ids(sessions, CatalogueFile, "notes ü.txt")
    assert (await placed(client, files=keys))["progress"]["files_total"] == 2


async def test_lines_of_one_product_become_one_line(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    lines = [{"product": "scenes", "objects": ["winter"]}, {"product": "scenes", "objects": ["summer", "winter"]}]
    order = await placed(client, items=lines)
    assert [(item["product"], item["quantity"]) for item in order["items"]] == [("scenes", 2)]
    whole = await placed(client, items=[*lines, {"product": "scenes"}], label="whole")
    assert [(item["configuration"], item["quantity"]) for item in whole["items"]] == [("all objects", 3)]


@pytest.mark.parametrize(
    ("price", "total"), [("500 JPY", "1500"), ("1.5 KWD", "4.500"), ("1.505 KWD", "4.515"), ("2.5 EUR", "7.50")]
)
async def test_amounts_have_the_decimals_of_their_currency_everywhere(
    client: AsyncClient, make_product: MakeProduct, price: str, total: str
) -> None:
    amount, currency = price.split()
    await make_product(price=amount, currency=currency)
    body = {"items": [{"product": "scenes"}]}
    unit = str(Decimal(total) / 3)
    told = (await client.post("/orders:estimate", json=body)).json()
    order = (await client.post("/orders", json=body | {"draft": True})).json()
    for shown in (told, order, (await client.get(f"/orders/{order['id']}")).json()):
        (item,) = shown["items"]
        amounts = item["unit_price"], item["line_total"], shown["total_price"], shown["currency"]
        assert amounts == (unit, total, total, currency)
    assert (await client.get("/orders")).json()["items"][0]["total_price"] == total
    assert (await client.get("/products")).json()["items"][0]["unit_price"] == unit
    assert (await client.get(f"{PUBLIC_URL}/stac/collections/scenes")).json()["consignor:unit_price"] == unit
    assert f',{total},"{currency}",' in (await client.get("/orders.csv")).text
    assert f'"total_price" : {total}, "currency" : "{currency}"' in (await client.get("/orders.jsonl")).text


async def test_prices_are_summed_line_by_line_and_frozen(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product(price="1.35")
    await make_product("maps", {"a": {"a.pdf": b"x"}, "b": {"b.pdf": b"x"}}, price="0.05")
    order = await placed(client, items=[{"product": "scenes"}, {"product": "maps", "objects": ["b"]}])
    async with sessions.begin() as session:
        await session.execute(sa.update(Product).values(unit_price=Decimal(99), name="renamed"))
    shown = (await client.get(f"/orders/{order['id']}")).json()
    assert shown == order
    lines = [(item["name"], item["quantity"], item["unit_price"], item["line_total"]) for item in shown["items"]]
    assert lines == [("Scenes", 3, "1.35", "4.05"), ("Maps", 1, "0.05", "0.05")]
    assert (shown["total_price"], shown["currency"]) == ("4.10", "EUR")


async def test_free_products_do_not_mind_other_currencies(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product("free", {"o": {"f": b"x"}}, currency="EUR")
    await make_product("paid", {"o": {"f": b"x"}}, price="5", currency="USD")
    order = await placed(client, items=[{"product": "free"}, {"product": "paid"}])
    assert (order["total_price"], order["currency"]) == ("5.00", "USD")


async def test_numbers_are_given_out_once(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    body = {"items": [{"product": "scenes"}]}
    answers = await asyncio.gather(*(client.post("/orders", json=body) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [201] * 5
    assert len({answer.json()["number"] for answer in answers}) == 5
    assert len({answer.json()["label"] for answer in answers}) == 5


async def test_orders_without_a_label_in_one_second_are_numbered(sessions: Sessions, make_product: MakeProduct) -> None:
    await make_product()
    default = "Order of 2026/03/04 at 05:06:07"
    labels = [(await add_order(sessions, {"scenes": "all"}, now=NOW)).label for _ in range(3)]
    assert labels == [default, f"{default} (2)", f"{default} (3)"]
    together = await asyncio.gather(*(add_order(sessions, {"scenes": "all"}, now=NOW) for _ in range(3)))
    assert sorted(order.label for order in together) == [f"{default} ({n})" for n in (4, 5, 6)]


async def test_a_chosen_label_is_unique_among_ones_own_orders(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    await add_order(sessions, {"scenes": "all"}, label="Mine", caller=Caller("somebody"))
    await placed(client, items=[{"product": "scenes"}], label="Mine")
    answer = await client.post("/orders", json={"items": [{"product": "scenes"}], "label": "Mine"})
    assert (answer.status_code, answer.json()["code"]) == (409, "label_taken")
    with pytest.raises(LabelTaken):
        await add_order(sessions, {"scenes": "all"}, label="Mine")
    assert len((await client.get("/orders")).json()["items"]) == 1
