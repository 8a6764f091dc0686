"""Estimates: what an order would be is what it then is, and nothing is created by asking."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.testing import ActivityEnvironment

from activities.planning import PlanningActivities
from api.dependencies import Services
from models.messages import OrderRef
from models.quotas import Quotas
from models.splitting import Limits
from tests.api.conftest import MakeProduct
from tests.factories import Sessions, a_shop, add_order

SHOP = a_shop(Limits(max_files=3, max_bytes=9_000), Quotas(open_orders=1000, bytes_per_order=10**9))
TAPES = {"t1": {"a.tif": b"t" * 500}, "t2": {"a.tif": b"t" * 700, "b.tif": b"t"}}
NOTHING = {"suborders": 0, "objects": 0, "files": 0, "bytes": 0}


@pytest.fixture
async def services(services: Services) -> Services:
    """With sub-orders so small that there are several, and quotas that are never reached."""
    return replace(services, shop=SHOP)


async def estimated(client: AsyncClient, body: Any) -> Any:
    answer = await client.post("/orders:estimate", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ordered(client: AsyncClient, sessions: Sessions, body: Any) -> dict[str, Any]:
    """What is told of an order that has really been placed and planned, in the words of an estimate."""
    placed = await client.post("/orders", json=body)
    assert placed.status_code == 201, placed.text
    order = placed.json()
    before = {key: order[key] for key in ("items", "total_price", "currency", "objects")}
    run = ActivityEnvironment().run
    await run(PlanningActivities(sessions, SHOP).plan_suborders, OrderRef(order_id=order["id"]))
    after = (await client.get(f"/orders/{order['id']}")).json()
    parts = (await client.get(f"/orders/{order['id']}/suborders")).json()["items"]
    shown = ("number", "product", "tier", "objects", "files", "bytes")
    return {
        **before,
        "files": after["progress"]["files_total"],
        "bytes": after["progress"]["bytes_total"],
        "suborders": [{key: part[key] for key in shown} for part in parts],
    }


ORDERS: list[dict[str, Any]] = [
    {"items": [{"product": "scenes"}]},
    {"items": [{"product": "scenes", "objects": ["winter"]}]},
    {"items": [{"product": "tapes"}, {"product": "scenes", "objects": ["spring", "summer", "spring"]}]},
    {"items": [{"product": "maps"}, {"product": "tapes"}, {"product": "maps", "objects": ["m3"]}]},
    {"items": [{"product": "maps", "objects": ["m7", "m1"]}, {"product": "maps", "objects": ["m1", "m5"]}]},
]


@pytest.fixture
async def catalogue(make_product: MakeProduct) -> None:
    """Products that cost, that lie on tape, and that are cut into several sub-orders."""
    await make_product(price="2.50")
    await make_product("tapes", TAPES, tier="nearline")
    await make_product("maps", {f"m{n}": {"a.pdf": bytes(n * 700), "b.pdf": b"b"} for n in range(9)}, price="0.335")


@pytest.mark.parametrize("body", ORDERS, ids=range(len(ORDERS)))
async def test_an_estimate_equals_what_the_order_then_gets(
    client: AsyncClient, sessions: Sessions, catalogue: None, body: dict[str, Any]
) -> None:
    told = await estimated(client, body)
    assert (told["acceptable"], told["faults"]) == (True, [])
    real = await ordered(client, sessions, body)
    assert {key: told[key] for key in real} == real
    assert len(told["suborders"]) >= 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_an_estimate_of_any_objects_and_files_equals_the_order(
    client: AsyncClient, sessions: Sessions, catalogue: None, data: st.DataObject
) -> None:
    async with sessions.begin() as session:
        files = (await session.execute(sa.text("SELECT id FROM catalogue_files ORDER BY object_id, id"))).scalars()
        objects = (await session.execute(sa.text("SELECT id FROM catalogue_objects ORDER BY id"))).scalars()
        ids = [str(key) for key in (*files, *objects)]
    body = {"files": data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=12))}
    told = await estimated(client, body)
    real = await ordered(client, sessions, body)
    assert {key: told[key] for key in real} == real


async def test_the_lines_of_ids_are_in_the_order_in_which_their_products_were_named(
    client: AsyncClient, sessions: Sessions, catalogue: None
) -> None:
    query = "SELECT DISTINCT ON (p.sku) p.sku, o.id FROM products p JOIN catalogue_objects o ON o.product_id = p.id"
    async with sessions.begin() as session:
        named = [(sku, str(key)) for sku, key in await session.execute(sa.text(f"{query} ORDER BY p.sku"))]
    for one_way in (named, named[::-1]):
        told = await estimated(client, {"files": [key for _, key in one_way]})
        assert [item["product"] for item in told["items"]] == [sku for sku, _ in one_way]


async def test_what_lies_on_tape_is_told_apart(client: AsyncClient, catalogue: None) -> None:
    told = await estimated(client, {"items": [{"product": "tapes"}, {"product": "scenes"}]})
    assert told["waits_for_tape"] == {"suborders": 1, "objects": 2, "files": 3, "bytes": 1201}
    assert {part["tier"] for part in told["suborders"]} == {"nearline", "online"}
    assert (await estimated(client, {"items": [{"product": "scenes"}]}))["waits_for_tape"] == NOTHING


async def test_asking_creates_nothing_and_uses_nothing_up(
    client: AsyncClient, sessions: Sessions, catalogue: None
) -> None:
    count = sa.text(
        "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_selections), (SELECT count(*) FROM timeline)"
    )
    before = (await add_order(sessions, {"scenes": "all"})).number
    async with sessions.begin() as session:
        rows = (await session.execute(count)).one()
    for body in (*ORDERS, {"items": [{"product": "scenes"}], "label": "Mine", "draft": True}):
        await estimated(client, body)
    async with sessions.begin() as session:
        assert (await session.execute(count)).one() == rows
    after = (await add_order(sessions, {"scenes": "all"}, label="Mine")).number
    assert int(after[-6:]) == int(before[-6:]) + 1


async def test_every_fault_is_told_at_once_and_the_rest_is_estimated(
    client: AsyncClient, services: Services, sessions: Sessions, catalogue: None
) -> None:
    await add_order(sessions, {"scenes": "all"}, label="Mine")
    body = {
        "items": [{"product": "scenes"}, {"product": "atlantis"}, {"product": "maps", "objects": ["m1", "m99"]}],
        "label": "Mine",
        "delivery": {"destination": "nowhere"},
    }
    told = await estimated(client, body)
    assert [(fault["field"], fault["code"]) for fault in told["faults"]] == [
        ("items/1/product", "unknown_id"),
        ("items/2/objects/1", "unknown_id"),
        ("delivery/destination", "unknown_id"),
        ("label", "label_taken"),
    ]
    assert (told["acceptable"], told["objects"], told["files"]) == (False, 4, 7)
    assert (await client.post("/orders", json=body)).status_code == 422


async def test_an_estimate_of_nothing_says_so(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product(files={"empty": {}})
    told = await estimated(client, {"items": [{"product": "scenes"}]})
    assert [fault["code"] for fault in told["faults"]] == ["nothing_to_order"]
    assert (told["suborders"], told["total_price"], told["bytes"]) == ([], "0.00", 0)
    unknown = await estimated(client, {"items": [{"product": "atlantis"}]})
    assert ([fault["code"] for fault in unknown["faults"]], unknown["currency"]) == (["unknown_id"], None)


async def test_a_closed_product_is_estimated_for_nobody_it_is_closed_to(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product(groups=["partners"])
    told = await estimated(client, {"items": [{"product": "scenes"}]})
    assert [fault["code"] for fault in told["faults"]] == ["unknown_id"]
    assert told["items"] == []


@pytest.mark.parametrize("body", [{}, {"items": []}, {"items": [{"product": "scenes"}], "files": ["x"]}, {"labl": 1}])
async def test_what_is_no_order_is_no_estimate(client: AsyncClient, body: Any) -> None:
    assert (await client.post("/orders:estimate", json=body)).status_code == 422
