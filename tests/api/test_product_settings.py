"""Products as administrators set them: who may, what is refused, what customers notice, and what is written down."""

from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from services.catalogue import ImportOptions, import_source
from tests.api.conftest import MakeProduct
from tests.factories import Sessions
from tests.issuer import Issuer
from tests.services.catalogue_sources import put


@pytest.fixture
def admin(client: AsyncClient, issuer: Issuer) -> AsyncClient:
    """The same client with the token of an administrator."""
    client.headers["Authorization"] = f"Bearer {issuer.token('ada')}"
    return client


async def shown(client: AsyncClient, sku: str = "scenes") -> dict[str, Any]:
    answer = await client.get(f"/products/{sku}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def faults(answer: Response) -> dict[str, str]:
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_product"), answer.text
    return {fault["field"]: fault["code"] for fault in answer.json()["faults"]}


async def test_an_administrator_sets_what_a_product_costs_and_who_may_order_it(
    admin: AsyncClient, issuer: Issuer, make_product: MakeProduct
) -> None:
    await make_product(price="5")
    change = {"name": " Winter ", "unit_price": "7", "currency": "JPY", "access_groups": ["b", "a"], "most_objects": 2}
    answer = await admin.patch("/products/scenes", json=change)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["name"], found["unit_price"], found["currency"]) == ("Winter", "7", "JPY")
    assert (found["access_groups"], found["most_objects"]) == (["a", "b"], 2)
    assert found["set_by_hand"] == ["access_groups", "currency", "name", "price_unit", "unit_price"]
    assert found == await shown(admin)
    admin.headers["Authorization"] = f"Bearer {issuer.token('local')}"
    assert (await admin.get("/products/scenes")).status_code == 404


async def test_a_customer_sees_limits_and_not_who_else_may_order(
    client: AsyncClient, issuer: Issuer, make_product: MakeProduct
) -> None:
    await make_product(groups=["partners"])
    client.headers["Authorization"] = f"Bearer {issuer.token('local', groups=['partners'])}"
    found = await shown(client)
    assert (found["most_objects"], found["access_groups"], found["set_by_hand"]) == (None, None, None)


async def test_everything_wrong_is_told_at_once_and_nothing_is_changed(
    admin: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    change = {"name": "\u2066", "currency": "XAU", "access_groups": ["ok", " "]}
    assert faults(await admin.patch("/products/scenes", json=change)) == {
        "name": "text_unfit",
        "access_groups/1": "text_unfit",
        "currency": "currency_unknown",
    }
    assert faults(await admin.patch("/products/scenes", json={"unit_price": "1.005"})) == {"unit_price": "price_unfit"}
    assert (await shown(admin))["set_by_hand"] == []


async def test_a_price_is_set_with_its_unit_and_its_class_of_tax(admin: AsyncClient, make_product: MakeProduct) -> None:
    await make_product(price="5")
    assert (await shown(admin))["price_unit"] == "object"
    answer = await admin.patch("/products/scenes", json={"unit_price": "4", "price_unit": "gb", "tax_class": "reduced"})
    found = answer.json()
    assert (found["unit_price"], found["price_unit"], found["tax_class"]) == ("4.00", "gb", "reduced")
    assert found["set_by_hand"] == ["currency", "price_unit", "unit_price"]
    (listed,) = (await admin.get("/products")).json()["items"]
    assert listed["price_unit"] == "gb"
    bad = {"unit_price": "4.001", "price_unit": "file"}
    assert faults(await admin.patch("/products/scenes", json=bad)) == {"unit_price": "price_unfit"}
    for wrong in ({"price_unit": "kilo"}, {"tax_class": "Réduit"}, {"titles": {"de": "Winter"}}):
        assert (await admin.patch("/products/scenes", json=wrong)).json()["code"] == "invalid_request"
    back = (await admin.patch("/products/scenes", json={"price_unit": None, "tax_class": None})).json()
    assert (back["price_unit"], back["tax_class"], back["set_by_hand"]) == ("gb", "standard", [])


async def test_texts_are_set_by_language(admin: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    texts = {"titles": {"fr": " Scènes ", "en": "Scenes"}, "descriptions": {"en": "One line\r\nand another"}}
    answer = await admin.patch("/products/scenes", json=texts)
    assert answer.json()["titles"] == {"en": "Scenes", "fr": "Scènes"}
    assert answer.json()["descriptions"] == {"en": "One line\nand another"}
    assert (await admin.get("/products/scenes")).headers["etag"] == answer.headers["etag"]
    (found,) = (await admin.get("/products", params={"q": "scènes"})).json()["items"]
    assert found["sku"] == "scenes"
    one = await admin.patch("/products/scenes", json={"titles": {"en": None}, "descriptions": None})
    assert (one.json()["titles"], one.json()["descriptions"]) == ({"fr": "Scènes"}, {})
    wrong = {"titles": {"en": "a\nb"}, "descriptions": {"fr": "\u2066"}}
    expected = {"titles/en": "text_unfit", "descriptions/fr": "text_unfit"}
    assert faults(await admin.patch("/products/scenes", json=wrong)) == expected


async def test_a_change_is_meant_for_the_product_as_it_was_seen(admin: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    seen = (await admin.get("/products/scenes")).headers["etag"]
    first = await admin.patch("/products/scenes", json={"unit_price": "1"}, headers={"If-Match": seen})
    assert first.status_code == 200
    second = await admin.patch("/products/scenes", json={"unit_price": "2"}, headers={"If-Match": seen})
    assert second.status_code == 412
    again = await admin.patch("/products/scenes", json={"unit_price": "2"}, headers={"If-Match": first.headers["etag"]})
    assert again.json()["unit_price"] == "2.00"


async def test_each_change_is_written_down_once_with_who_and_what(
    admin: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    for _ in range(2):
        await admin.patch("/products/scenes", json={"unit_price": "1.50"})
    await admin.patch("/products/scenes", json={"most_bytes": 10})
    page = (await admin.get("/products/scenes/changes", params={"limit": 1})).json()
    (newest,) = page["items"]
    assert newest["changes"] == {"most_bytes": [None, 10]}
    rest = (await admin.get("/products/scenes/changes", params={"cursor": page["next_cursor"]})).json()
    (oldest,) = rest["items"]
    assert oldest["changes"] == {
        "unit_price": ["0", "1.50"],
        "set_by_hand": [[], ["currency", "price_unit", "unit_price"]],
    }
    assert oldest["actor"].startswith("operator:")


async def test_an_order_of_more_than_a_product_allows_is_refused_as_its_estimate_says(
    admin: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    await admin.patch("/products/scenes", json={"most_objects": 2, "most_bytes": 5})
    body = {"items": [{"product": "scenes"}]}
    codes = ["too_many_objects", "too_many_bytes"]
    estimate = (await admin.post("/orders:estimate", json=body)).json()
    assert [fault["code"] for fault in estimate["faults"]] == codes
    refused = await admin.post("/orders", json=body)
    assert [fault["code"] for fault in refused.json()["faults"]] == codes
    await admin.patch("/products/scenes", json={"most_bytes": None})
    two = {"items": [{"product": "scenes", "objects": ["winter", "summer"]}]}
    assert (await admin.post("/orders", json=two)).status_code == 201


async def test_an_import_leaves_what_was_set_by_hand_and_says_so(
    admin: AsyncClient, sessions: Sessions, tmp_path: Path
) -> None:
    put(tmp_path / "scenes" / "a.csv")
    options = ImportOptions(name="Of the source", price="5", currency="EUR", groups=("staff",))
    await import_source(sessions, tmp_path / "scenes", options)
    by_hand: dict[str, Any] = {"name": "Mine", "unit_price": "7", "access_groups": [], "price_unit": "file"}
    by_hand["titles"] = {"en": "By hand"}
    assert (await admin.patch("/products/scenes", json=by_hand)).status_code == 200
    (report,) = await import_source(sessions, tmp_path / "scenes", options)
    assert report.product == "unchanged"
    assert len([note for note in report.notes if "was set by hand and stays" in note]) == 3
    found = await shown(admin)
    assert (found["name"], found["unit_price"], found["access_groups"]) == ("Mine", "7.00", [])
    assert (found["price_unit"], found["titles"]) == ("file", {"en": "By hand"})


async def test_what_is_taken_back_is_the_imports_again(admin: AsyncClient, sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "scenes" / "a.csv")
    options = ImportOptions(name="Of the source", price="5")
    await import_source(sessions, tmp_path / "scenes", options)
    await admin.patch("/products/scenes", json={"name": "Mine", "unit_price": "7", "price_unit": "gb"})
    back = await admin.patch("/products/scenes", json={"name": None, "unit_price": None})
    assert (back.json()["name"], back.json()["unit_price"], back.json()["set_by_hand"]) == ("Mine", "7.00", [])
    (report,) = await import_source(sessions, tmp_path / "scenes", options)
    assert (report.product, report.notes) == ("changed", ())
    found = await shown(admin)
    assert (found["name"], found["unit_price"], found["price_unit"]) == ("Of the source", "5.00", "object")
