"""Invoices: what an order has kept of its price, as JSON and as a page, whoever wrote its texts."""

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient

from api.http.preferences import preferred
from models.order import OrderStatus
from models.tables import DiscountTerms, Order, PriceTerms, Product, TaxRateRow
from tests.api.conftest import MakeProduct
from tests.factories import Sessions, add_order

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
HOSTILE = '<script>alert("1")</script>\u202e'


@pytest.fixture
async def order(sessions: Sessions, make_product: MakeProduct) -> Order:
    """An order by files with a discount and tax, of a product of a hostile name."""
    await make_product(price="2.50")
    async with sessions.begin() as session:
        await session.execute(sa.update(Product).values(price_unit="file", name=HOSTILE))
        session.add(DiscountTerms(name="Sale <b>", percent=Decimal(10)))
        session.add(TaxRateRow(country="FR", tax_class="standard", percent=Decimal(20), name="TVA"))
        session.add(PriceTerms(country="FR"))
    return await add_order(sessions, {"scenes": "all"}, label="A & B")


async def page(client: AsyncClient, order: Order, **headers: str) -> str:
    answer = await client.get(f"/orders/{order.id}/invoice", headers={"Accept": BROWSER, **headers})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), answer.text
    assert "accept-language" in answer.headers["vary"].lower()
    return answer.text


async def test_an_invoice_shows_what_the_order_has_kept_and_not_what_holds_today(
    client: AsyncClient, sessions: Sessions, order: Order
) -> None:
    before = (await client.get(f"/orders/{order.id}/invoice")).json()
    async with sessions.begin() as session:
        await session.execute(sa.update(Product).values(name="Other", unit_price=9, price_unit="flat"))
        await session.execute(sa.update(TaxRateRow).values(percent=1))
    found = (await client.get(f"/orders/{order.id}/invoice")).json()
    assert found == before
    (line,) = found["items"]
    assert (line["billed_quantity"], line["price_unit"], line["unit_price"], line["line_total"]) == (
        "5", "file", "2.50", "12.50",
    )  # fmt: skip
    price: dict[str, Any] = found["price"]
    assert (price["subtotal"], price["total_price"], price["currency"]) == ("12.50", "13.50", "EUR")
    assert [part["amount"] for part in (*price["discounts"], *price["taxes"])] == ["1.25", "2.25"]


async def test_a_page_speaks_the_language_of_the_reader_and_runs_nothing(client: AsyncClient, order: Order) -> None:
    english = await page(client, order)
    assert '<html lang="en">' in english
    assert "13.50 EUR" in english
    assert "&lt;script&gt;alert" in english
    assert "Sale &lt;b&gt;" in english
    assert "A &amp; B" in english
    assert [mark for mark in ("<script", "<b>", "\u202e") if mark in english] == []
    french = await page(client, order, **{"Accept-Language": "fr-CH, en;q=0.8"})
    assert '<html lang="fr">' in french
    assert "5 fichiers" in french
    assert "Sous-total" in french
    answer = await client.get(f"/orders/{order.id}/invoice", params={"format": "html"})
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    as_json = await client.get(f"/orders/{order.id}/invoice", params={"format": "json"}, headers={"Accept": BROWSER})
    assert as_json.json()["label"] == "A & B"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (OrderStatus.PENDING_PAYMENT, "not paid yet"),
        (OrderStatus.CANCELLED, "cancelled"),
        (OrderStatus.FULFILLED, None),
    ],
)
async def test_a_page_says_of_an_order_that_it_is_not_paid_or_was_cancelled(
    client: AsyncClient, sessions: Sessions, order: Order, status: OrderStatus, said: str
) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).values(status=status))
    shown = await page(client, order)
    assert ("<dt>Status</dt>" in shown) == bool(said)
    assert not said or f"<dd><bdi>{said}</bdi></dd>" in shown


async def test_a_free_order_shows_no_price(client: AsyncClient, sessions: Sessions, make_product: MakeProduct) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    found = (await client.get(f"/orders/{order.id}/invoice")).json()
    assert (found["price"], found["items"][0]["unit_price"], found["items"][0]["line_total"]) == (None, None, None)
    shown = await page(client, order)
    assert "0.00" not in shown
    assert "Unit price" not in shown


async def test_a_draft_has_no_invoice_and_says_what_to_do(
    client: AsyncClient, sessions: Sessions, order: Order
) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).values(status=OrderStatus.DRAFT))
    refused = await client.get(f"/orders/{order.id}/invoice")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_invoiced")
    assert "submit it first" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "en"),
        ("*", "en"),
        ("de", "en"),
        ("fr", "fr"),
        ("FR-ca;q=0.5, en;q=0.4", "fr"),
        ("fr;q=0, *", "en"),
        ("fr;q=x", "en"),
        ("en;q=0.1, *;q=0.5", "fr"),
    ],
)
def test_what_a_header_prefers_is_given(header: str, expected: str) -> None:
    assert preferred(header, ("en", "fr")) == expected
