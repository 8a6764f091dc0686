"""Prices as administrators set them: price lists, discounts and coupons, tax; what customers see of it."""

from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient, Response
from sqlmodel import col

from models.tables import AdminAct, Product
from tests.api.conftest import MakeProduct
from tests.factories import Sessions
from tests.issuer import Issuer


@pytest.fixture
def admin(client: AsyncClient, issuer: Issuer) -> AsyncClient:
    """The same client with the token of an administrator."""
    client.headers["Authorization"] = f"Bearer {issuer.token('ada')}"
    return client


def ok(answer: Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_an_order_and_its_estimate_say_what_their_price_is_made_of(
    admin: AsyncClient, issuer: Issuer, make_product: MakeProduct
) -> None:
    await make_product("maps", {"a": {"a.pdf": b"x"}, "b": {"b.pdf": b"x"}}, price="20")
    ok(await admin.put("/prices/lists/labs/maps", json={"unit_price": "10"}))
    ok(await admin.post("/prices/discounts", json={"name": "Sale", "code": "SAVE-10", "percent": "10"}), 201)
    ok(await admin.put("/prices/tax-rates/FR/standard", json={"percent": "5.5", "name": "TVA"}))
    ok(await admin.put("/prices/terms", json={"tax_included": False, "country": "FR"}))
    admin.headers["Authorization"] = f"Bearer {issuer.token('local', groups=['labs'])}"
    body = {"items": [{"product": "maps"}], "coupon": "save-10"}
    told = ok(await admin.post("/orders:estimate", json=body))
    order = ok(await admin.post("/orders", json=body), 201)
    shared = ("subtotal", "discounts", "taxes", "tax_included", "country", "total_price", "currency")
    assert {name: order[name] for name in shared} == {
        "subtotal": "20.00",
        "discounts": [{"name": "Sale", "percent": "10", "base": "20.00", "amount": "2.00"}],
        "taxes": [{"name": "TVA", "percent": "5.5", "base": "18.00", "amount": "0.99"}],
        "tax_included": False,
        "country": "FR",
        "total_price": "18.99",
        "currency": "EUR",
    }
    assert {name: told[name] for name in shared} == {name: order[name] for name in shared}
    (item,) = order["items"]
    assert (item["unit_price"], item["price_unit"], item["billed_quantity"]) == ("10.00", "object", "2")
    assert told["items"] == order["items"]
    export = (await admin.get("/orders.csv")).text.splitlines()[1]
    assert export.endswith("20.00,2.00,0.99")


async def test_an_order_is_refused_for_a_coupon_and_a_free_archive_shows_zeros(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    order = ok(await client.post("/orders", json={"items": [{"product": "scenes"}]}), 201)
    assert (order["subtotal"], order["total_price"], order["discounts"], order["taxes"]) == ("0.00", "0.00", [], [])
    answer = await client.post("/orders", json={"items": [{"product": "scenes"}], "coupon": "NOPE"})
    assert [fault["code"] for fault in answer.json()["faults"]] == ["unknown_coupon"]


async def test_administrators_set_read_and_remove_prices_and_each_change_is_written_down(
    admin: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product(price="5", currency="JPY")
    ok(await admin.put("/prices/lists/labs/scenes", json={"unit_price": "3"}))
    ok(await admin.put("/prices/lists/labs/scenes", json={"unit_price": "4"}))
    ok(await admin.put("/prices/lists/labs/scenes", json={"unit_price": "4"}))
    assert ok(await admin.get("/prices/lists"))["items"] == [
        {"group": "labs", "product": "scenes", "unit_price": "4", "currency": "JPY", "price_unit": "object"}
    ]
    made = ok(await admin.post("/prices/discounts", json={"name": "Sale", "code": "SALE", "percent": "10"}), 201)
    path = f"/prices/discounts/{made['id']}"
    ok(await admin.put(path, json={"name": "Sale", "code": "SALE", "amount": "50", "currency": "JPY"}))
    shown = ok(await admin.get(path))
    assert (shown["percent"], shown["amount"], shown["uses"]) == (None, "50", 0)
    assert ok(await admin.get("/prices/discounts"))["items"] == [shown]
    for removed in (path, "/prices/lists/labs/scenes"):
        assert (await admin.delete(removed)).status_code == 204
        assert (await admin.delete(removed)).status_code == 404
    async with sessions.begin() as session:
        acts = (await session.execute(sa.select(AdminAct).order_by(col(AdminAct.id)))).scalars().all()
    assert [(act.kind, act.changes.get("unit_price", act.changes.get("amount"))) for act in acts] == [
        ("list_price", [None, "3"]),
        ("list_price", ["3", "4"]),
        ("discount", None),
        ("discount", [None, "50"]),
        ("discount", ["50", None]),
        ("list_price", ["4", None]),
    ]


@pytest.mark.parametrize(
    ("path", "body", "codes"),
    [
        ("/prices/lists/labs/scenes", {"unit_price": "1.505"}, ["price_unfit"]),
        ("/prices/tax-rates/FR/standard", {"percent": "100.5", "name": "TVA"}, ["percent_out_of_bounds"]),
    ],
)
async def test_a_price_is_refused_for_what_is_wrong_with_it(
    admin: AsyncClient, make_product: MakeProduct, path: str, body: dict[str, str], codes: list[str]
) -> None:
    await make_product(price="5")
    answer = await admin.put(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_price")
    assert [fault["code"] for fault in answer.json()["faults"]] == codes


async def test_a_code_is_one_coupon_and_all_that_is_wrong_with_a_discount_is_told_at_once(admin: AsyncClient) -> None:
    ok(await admin.post("/prices/discounts", json={"name": "Sale", "code": "SALE", "percent": "10"}), 201)
    again = await admin.post("/prices/discounts", json={"name": "Other", "code": "SALE", "percent": "10"})
    assert [fault["code"] for fault in again.json()["faults"]] == ["code_taken"]
    wrong = {"name": "x", "percent": "0", "amount": "1"}
    answer = await admin.post("/prices/discounts", json=wrong)
    codes = [fault["code"] for fault in answer.json()["faults"]]
    assert codes == ["discount_unclear", "percent_out_of_bounds", "currency_missing"]


async def test_products_by_gigabyte_are_priced_by_their_bytes(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product(price="1000000000")
    async with sessions.begin() as session:
        await session.execute(sa.update(Product).values(price_unit="gb"))
    (item,) = ok(await client.post("/orders:estimate", json={"items": [{"product": "scenes"}]}))["items"]
    told = ok(await client.post("/orders:estimate", json={"items": [{"product": "scenes"}]}))
    assert item["line_total"] == told["total_price"] == f"{told['bytes']}.00"
