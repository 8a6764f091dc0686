"""Prices as orders are placed at them: of groups, with discounts, coupons and tax, frozen in the order."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel, col
from temporalio.testing import ActivityEnvironment

from activities.orders import OrderActivities
from models.access import Caller, Role
from models.errors import InvalidOrder
from models.messages import Projection, TimelineEntry
from models.order import OrderStatus
from models.order_request import OrderRequest, RequestedLine
from models.pricing import PriceUnit
from models.quotas import Quotas
from models.splitting import Limits
from models.tables import CouponUse, DiscountTerms, ListPrice, Order, OrderItem, PriceTerms, Product, TaxRateRow, User
from services.estimating import estimate
from services.placing import place, renew_draft
from services.storage_check import StorageCheck
from storage.pool import StoragePool
from storage.sources.registry import Sources
from tests.factories import LONG_AGO, Sessions, add_product

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MARIA = Caller("maria", groups=frozenset({"labs", "partners"}))
BOB, ADA = Caller("bob"), Caller("ada", frozenset({Role.ADMIN}))
ALL = OrderRequest((RequestedLine("scenes"),))
FILES = {"spring": {"a.tif": b"a" * 600, "b.tif": b"b" * 400}, "summer": {"a.tif": b"c" * 1000}}
SAVE10: dict[str, Any] = {"name": "Spring sale", "code": "SAVE10", "percent": Decimal(10)}


@pytest.fixture
async def scenes(sessions: Sessions, tmp_path: Path) -> Product:
    return await add_product(sessions, tmp_path, "scenes", FILES, price=Decimal("20.00"))


async def keep(sessions: Sessions, *rows: SQLModel) -> None:
    async with sessions.begin() as session:
        session.add_all(rows)


async def change(sessions: Sessions, table: type[SQLModel], **values: object) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.update(table).values(**values))


async def placed(sessions: Sessions, caller: Caller = MARIA, **more: Any) -> Order:
    async with sessions.begin() as session:
        return await place(session, caller, replace(ALL, **more), NOW)


async def refused(sessions: Sessions, caller: Caller = MARIA, **more: Any) -> Sequence[str]:
    """The codes by which both an order and its estimate are refused."""
    with pytest.raises(InvalidOrder) as found:
        await placed(sessions, caller, **more)
    async with sessions.begin() as session:
        told = await estimate(session, caller, replace(ALL, **more), NOW, limits=Limits(), quotas=Quotas())
    codes = [fault.code for fault in found.value.faults]
    assert [fault.code for fault in told.faults] == codes
    return codes


async def uses(sessions: Sessions) -> int:
    async with sessions.begin() as session:
        return (await session.execute(sa.select(sa.func.count()).select_from(CouponUse))).scalar_one()


@pytest.mark.parametrize(
    ("unit", "price", "total"),
    [("object", "20", "40"), ("file", "0.15", "0.45"), ("gb", "1000000", "2.00"), ("flat", "9.99", "9.99")],
)
async def test_a_line_is_paid_by_the_unit_of_its_product(
    sessions: Sessions, scenes: Product, unit: str, price: str, total: str
) -> None:
    await change(sessions, Product, unit_price=Decimal(price), price_unit=unit)
    order = await placed(sessions)
    async with sessions.begin() as session:
        item = (await session.execute(sa.select(OrderItem))).scalar_one()
    assert (order.total_price, item.line_total) == (Decimal(total), Decimal(total))
    assert (item.price_unit, item.quantity, item.files, item.bytes) == (unit, 2, 3, 2000)


@pytest.mark.parametrize(("unit", "price", "total"), [("file", "0.15", "0.30"), ("gb", "1000000", "1.00")])
async def test_files_that_accompany_a_product_are_never_paid_for(
    sessions: Sessions, scenes: Product, unit: str, price: str, total: str
) -> None:
    await change(sessions, Product, unit_price=Decimal(price), price_unit=unit)
    check = StorageCheck(Sources(), StoragePool("checks", 1))
    draft = await placed(sessions, draft=True)
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE catalogue_objects SET accompanies = true WHERE name = 'summer'"))
        told = await estimate(session, MARIA, ALL, NOW, limits=Limits(), quotas=Quotas())
        submitted = await renew_draft(session, MARIA, draft.id, check, NOW)
    order = await placed(sessions)
    prices = (told.quote.total, order.total_price, submitted.total_price)
    assert prices == (Decimal(total), Decimal(total), Decimal(total))
    assert (order.objects_total, order.files_total, order.bytes_total) == (1, 2, 1000)


async def test_a_customer_pays_the_best_price_of_their_groups_and_an_operator_orders_at_theirs(
    sessions: Sessions, scenes: Product
) -> None:
    lists = [("labs", "15", "EUR", "object"), ("partners", "12", "EUR", "object"), ("others", "1", "EUR", "object")]
    rows = [
        ListPrice(group_name=group, sku="scenes", unit_price=Decimal(price), currency=currency, price_unit=unit)
        for group, price, currency, unit in [*lists, ("admins", "1", "USD", "object")]
    ]
    await keep(sessions, *rows)
    mine, bobs = await placed(sessions), await placed(sessions, BOB)
    assert (mine.total_price, bobs.total_price) == (Decimal(24), Decimal(40))
    groups = sorted(MARIA.groups)
    await keep(sessions, User(id="maria", issuer="i", subject="m", roles=[], groups=groups, asserted_at=LONG_AGO))
    async with sessions.begin() as session:
        again = await place(session, ADA, OrderRequest(again=mine.id), NOW)
    assert (again.total_price, again.warnings) == (Decimal(24), [])
    # What is on a list in another unit or currency than the product's is of a price that is no more.
    await change(sessions, Product, price_unit=PriceUnit.FLAT)
    assert (await placed(sessions)).total_price == 20


async def test_the_order_keeps_all_that_its_price_is_made_of_and_the_estimate_says_the_same(
    sessions: Sessions, scenes: Product
) -> None:
    await keep(
        sessions,
        DiscountTerms(name="For labs", percent=Decimal(5), groups=["labs"]),
        DiscountTerms(name="Gone", percent=Decimal(50), valid_until=NOW),
        DiscountTerms(name="To come", percent=Decimal(50), valid_from=NOW + timedelta(seconds=1)),
        DiscountTerms(**SAVE10),
        TaxRateRow(country="FR", tax_class="standard", percent=Decimal(20), name="TVA"),
        TaxRateRow(country="DE", tax_class="standard", percent=Decimal(19), name="MwSt."),
        PriceTerms(country="DE"),
    )
    request = replace(ALL, coupon=" save10 ", country="fr")
    async with sessions.begin() as session:
        told = await estimate(session, MARIA, request, NOW, limits=Limits(), quotas=Quotas())
        order = await place(session, MARIA, request, NOW)
    assert (order.subtotal, order.discount, order.tax, order.total_price) == (
        Decimal("40.00"), Decimal("5.80"), Decimal("6.84"), Decimal("41.04"),
    )  # fmt: skip
    assert (order.country, order.coupon, order.tax_included) == ("FR", "SAVE10", False)
    assert [(part["name"], part["base"], part["amount"]) for part in order.discounts] == [
        ("For labs", "40.00", "2.00"),
        ("Spring sale", "38.00", "3.80"),
    ]
    assert [(part["name"], part["percent"], part["base"], part["amount"]) for part in order.taxes] == [
        ("TVA", "20", "34.20", "6.84")
    ]
    assert (told.quote.total, told.quote.tax, told.faults) == (order.total_price, order.tax, [])
    # The shop's own country, and prices that include the tax; what is frozen stays.
    await change(sessions, PriceTerms, tax_included=True)
    bobs = await placed(sessions, BOB)
    assert (bobs.country, bobs.tax, bobs.total_price, bobs.tax_included) == ("DE", Decimal("6.39"), Decimal(40), True)


@pytest.mark.parametrize(
    ("terms", "codes"),
    [
        ({"valid_from": NOW + timedelta(days=1)}, ["coupon_not_yet_valid"]),
        ({"valid_until": NOW}, ["coupon_expired"]),
        ({"minimum": Decimal(41), "currency": "EUR"}, ["coupon_below_minimum"]),
        ({"currency": "USD"}, ["coupon_other_currency"]),
        ({"skus": ["maps"]}, ["coupon_covers_nothing"]),
        ({"groups": ["others"]}, ["unknown_coupon"]),
        ({"code": "OTHER"}, ["unknown_coupon"]),
        ({"most_uses": 0}, ["coupon_used_up"]),
        ({"most_uses_each": 0}, ["coupon_used_up"]),
    ],
)
async def test_an_order_is_refused_for_a_coupon_that_is_not_for_it(
    sessions: Sessions, scenes: Product, terms: dict[str, Any], codes: list[str]
) -> None:
    await keep(sessions, DiscountTerms(**SAVE10 | terms))
    assert await refused(sessions, coupon="SAVE10") == codes
    assert await uses(sessions) == 0


async def test_a_coupon_is_used_once_for_each_order_and_by_each_customer_as_often_as_it_says(
    sessions: Sessions, scenes: Product
) -> None:
    await keep(sessions, DiscountTerms(**SAVE10, most_uses=2, most_uses_each=1))
    assert (await placed(sessions, coupon="SAVE10")).total_price == 36
    assert await refused(sessions, coupon="SAVE10") == ["coupon_used_up"]
    await placed(sessions, BOB, coupon="SAVE10")
    assert await refused(sessions, ADA, coupon="SAVE10") == ["coupon_used_up"]
    assert await uses(sessions) == 2


async def test_orders_at_once_never_use_a_coupon_more_often_than_it_may_be(sessions: Sessions, scenes: Product) -> None:
    await keep(sessions, DiscountTerms(**SAVE10, most_uses=3))
    tries = (placed(sessions, Caller(f"c{n}"), coupon="SAVE10") for n in range(8))
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, Order) for one in found) == 3
    faults = [fault.code for one in found if isinstance(one, InvalidOrder) for fault in one.faults]
    assert faults == ["coupon_used_up"] * 5
    assert await uses(sessions) == 3


@pytest.mark.parametrize(
    ("before", "given_back"), [(OrderStatus.PENDING_PAYMENT, True), (OrderStatus.PROVISIONING, False)]
)
async def test_a_coupon_is_given_back_by_an_order_that_is_cancelled_before_it_is_paid(
    sessions: Sessions, scenes: Product, before: OrderStatus, given_back: bool
) -> None:
    await keep(sessions, DiscountTerms(**SAVE10, most_uses=1))
    order = await placed(sessions, coupon="SAVE10")
    cancelled = TimelineEntry(
        sequence=2, at=NOW, actor="customer:maria", what="cancelled", status_before=before,
        status_after=OrderStatus.CANCELLED,
    )  # fmt: skip
    news = Projection(order_id=order.id, entries=(cancelled,))
    for _ in range(2):
        await ActivityEnvironment().run(OrderActivities(sessions).record, news)
    if given_back:
        await placed(sessions, BOB, coupon="SAVE10")
    else:
        assert await refused(sessions, BOB, coupon="SAVE10") == ["coupon_used_up"]


async def test_a_draft_uses_its_coupon_when_it_is_submitted_and_goes_without_one_that_is_used_up(
    sessions: Sessions, scenes: Product
) -> None:
    check = StorageCheck(Sources(), StoragePool("checks", 1))
    await keep(sessions, DiscountTerms(**SAVE10, most_uses=1))
    first, second = (
        await placed(sessions, draft=True, coupon="SAVE10"),
        await placed(sessions, draft=True, coupon="SAVE10"),
    )
    assert (first.total_price, second.total_price, await uses(sessions)) == (Decimal(36), Decimal(36), 0)
    async with sessions.begin() as session:
        paid = await renew_draft(session, MARIA, first.id, check, NOW)
    assert (paid.total_price, paid.warnings, await uses(sessions)) == (Decimal(36), [], 1)
    async with sessions.begin() as session:
        late = await renew_draft(session, MARIA, second.id, check, NOW)
    assert (late.total_price, late.coupon) == (Decimal(40), None)
    assert [warning["code"] for warning in late.warnings] == ["coupon_used_up"]


async def test_a_draft_is_submitted_at_todays_tax_and_says_that_it_costs_another_sum(
    sessions: Sessions, scenes: Product
) -> None:
    check = StorageCheck(Sources(), StoragePool("checks", 1))
    await keep(sessions, TaxRateRow(country="FR", tax_class="standard", percent=Decimal(20), name="TVA"))
    draft = await placed(sessions, draft=True, country="FR")
    await change(sessions, TaxRateRow, percent=Decimal(10))
    async with sessions.begin() as session:
        order = await renew_draft(session, MARIA, draft.id, check, NOW)
    assert (draft.total_price, order.total_price, order.tax) == (Decimal(48), Decimal(44), Decimal(4))
    assert [warning["text"] for warning in order.warnings] == [
        "the order costs 44.00 EUR today, where it was 48.00 EUR"
    ]
    async with sessions.begin() as session:
        assert (await session.execute(sa.select(sa.func.count(col(OrderItem.sku))))).scalar_one() == 1


async def test_an_order_again_says_where_the_unit_of_a_price_is_another(sessions: Sessions, scenes: Product) -> None:
    old = await placed(sessions)
    await change(sessions, Product, price_unit=PriceUnit.GB, unit_price=Decimal(4))
    async with sessions.begin() as session:
        again = await place(session, MARIA, OrderRequest(again=old.id), NOW)
    texts = [warning["text"] for warning in again.warnings]
    assert texts == ["scenes costs 4.00 EUR for a GB today, where it was 20.00 EUR for an object"]
