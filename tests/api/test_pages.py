"""Whoever walks a list page by page sees what it holds: all of it, once, in its order."""

from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient

from models.splitting import Limits
from tests.api.conftest import MakeProduct
from tests.factories import LOCAL_CALLER, Sessions, add_order, make_ready

ROWS = (
    (
        "INSERT INTO destinations (customer, name, kind, folder, prefix)"
        " SELECT :customer, n, 'local', '/nowhere', '' FROM unnest('{b,É,C,a,é2}'::text[]) n"
    ),
    "UPDATE orders SET destination_id = (SELECT id FROM destinations WHERE name = 'b')",
    (
        "INSERT INTO deliveries (order_id, suborder, state)"
        " SELECT id, n, 'delivered' FROM orders, unnest('{2,5}'::int[]) n"
    ),
    (
        "INSERT INTO timeline (order_id, sequence, at, actor, what, status_after)"
        " SELECT id, 100 + n, now(), 'system', 'noted', 'provisioning' FROM orders, generate_series(1, 4) n"
    ),
    (
        "INSERT INTO notes (order_id, author, visibility, text, written_at)"
        " SELECT id, 'customer:x', CASE n % 3 WHEN 0 THEN 'operators' ELSE 'customer' END, n::text, now()"
        " FROM orders, generate_series(1, 7) n"
    ),
)


async def walked(client: AsyncClient, path: str) -> list[Any]:
    """All items, two at a time; no page is empty, and only the last one has no cursor."""
    found: list[Any] = []
    query = "limit=2"
    while True:
        answer = await client.get(f"{path}?{query}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert 1 <= len(page["items"]) <= 2
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        assert len(page["items"]) == 2
        query = f"limit=2&cursor={page['next_cursor']}"


@pytest.fixture
async def order(sessions: Sessions, make_product: MakeProduct) -> str:
    """The id of an order with five sub-orders, and five of everything else that lists show."""
    await make_product(files={name: {f"{name}.tif": b"x"} for name in "abcde"})
    placed = await add_order(sessions, {"scenes": "all"})
    await make_ready(sessions, placed, Limits(max_files=1))
    async with sessions.begin() as session:
        for statement in ROWS:
            await session.execute(sa.text(statement), {"customer": LOCAL_CALLER.customer} if ":c" in statement else {})
    return str(placed.id)


async def test_lists_of_an_order_are_walked_page_by_page(client: AsyncClient, order: str) -> None:
    expected: dict[str, tuple[str, list[Any]]] = {
        "suborders": ("number", [1, 2, 3, 4, 5]),
        "deliveries": ("state", ["pending", "delivered", "pending", "pending", "delivered"]),
        "notes": ("text", ["1", "2", "4", "5", "7"]),
        "files": ("seq", [1, 2, 3, 4, 5]),
    }
    for name, (field, values) in expected.items():
        assert [item[field] for item in await walked(client, f"/orders/{order}/{name}")] == values, name
    for name in (*expected, "timeline"):
        whole = (await client.get(f"/orders/{order}/{name}")).json()
        assert whole["next_cursor"] is None
        assert await walked(client, f"/orders/{order}/{name}") == whole["items"]
    sequences = [row["sequence"] for row in await walked(client, f"/orders/{order}/timeline")]
    assert sequences[-4:] == [101, 102, 103, 104]


async def test_a_cursor_of_one_list_leads_into_no_other(client: AsyncClient, order: str) -> None:
    cursor = (await client.get(f"/orders/{order}/suborders?limit=2")).json()["next_cursor"]
    for other in ("deliveries", "timeline", "files", "notes"):
        answer = await client.get(f"/orders/{order}/{other}", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor"), other


async def test_lists_by_name_are_walked_whatever_the_case(client: AsyncClient, order: str) -> None:
    for name in ("b", "É", "C", "a", "é2"):
        assert (await client.post("/views", json={"name": name, "filter": {}})).status_code == 201
    for path in ("/destinations", "/views"):
        assert [item["name"] for item in await walked(client, path)] == ["a", "b", "C", "É", "é2"], path


async def test_the_catalogue_is_walked_page_by_page(client: AsyncClient, make_product: MakeProduct) -> None:
    for sku in ("b", "c", "a"):
        await make_product(sku, files={"one": {f"{n}.tif": b"x" for n in range(3)}})
    products = await walked(client, "/products")
    assert [(product["sku"], product["files"]) for product in products] == [("a", 3), ("b", 3), ("c", 3)]
    (found,) = (await client.get("/products/a/objects")).json()["items"]
    files = await walked(client, f"/objects/{found['id']}/files")
    assert [file["name"] for file in files] == ["0.tif", "1.tif", "2.tif"]
