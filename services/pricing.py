"""What prices hold for a customer now, and the uses of coupons: looked up here, computed by `models.pricing`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Fault
from models.pricing import (
    AppliedDiscount,
    AppliedTax,
    Discount,
    Measure,
    PriceUnit,
    Quote,
    QuotedLine,
    TaxTerms,
    UnitPrice,
    quote,
    unknown_coupon,
    used_by_customer,
    used_up,
    why_not_now,
)
from models.queries import prices as queries
from models.tables import DiscountTerms, Order, Product


@dataclass(frozen=True)
class Prices:
    """What holds for a customer now: unit prices by SKU, discounts, a coupon, tax.

    `faults` say why the code that was given is no coupon, or not now, or not for this customer any more.
    """

    units: Mapping[str, UnitPrice]
    discounts: Sequence[Discount]
    coupon: Discount | None
    tax: TaxTerms
    faults: Sequence[Fault] = ()

    def quote(self, products: Sequence[Product], measures: Sequence[Measure]) -> Quote:
        """The price of so much of products."""
        lines = (
            QuotedLine(product.sku, self.units[product.sku], measure, product.tax_class)
            for product, measure in zip(products, measures, strict=True)
        )
        return quote(lines, self.discounts, self.coupon, self.tax)

    def without_coupon(self) -> "Prices":
        """The same for an order without a coupon."""
        return replace(self, coupon=None, faults=())


@dataclass(frozen=True)
class Buyer:
    """Whose prices they are: a customer with their groups, and what an order says of itself."""

    customer: str
    groups: Collection[str]
    country: str | None = None
    coupon: str | None = None


async def groups_of(session: AsyncSession, customer: str) -> Collection[str]:
    """The groups of a customer for whom somebody else orders."""
    return (await session.execute(queries.groups_of(customer))).scalar_one_or_none() or []


async def prices_for(session: AsyncSession, buyer: Buyer, products: Sequence[Product], now: datetime) -> Prices:
    """Look up what holds for a customer who orders these products now."""
    units = await _unit_prices(session, buyer.groups, products)
    discounts = [row.discount for row in (await session.execute(queries.discounts_for(buyer.groups, now))).scalars()]
    coupon, faults = await _coupon(session, buyer, now)
    return Prices(units, discounts, coupon, await _tax(session, buyer.country), faults)


async def use_coupon(session: AsyncSession, order: Order, coupon: Discount | None) -> Fault | None:
    """Use a coupon for an order, once, whoever else is about to; the fault if it has been used as often as it may."""
    if coupon is None or coupon.id is None:
        return None
    held = (await session.execute(queries.coupon_held(coupon.id))).scalar_one_or_none()
    if held is None:
        return unknown_coupon(coupon.code or "")
    if (fault := await _used_up(session, held, order.customer, order.id)) is None:
        await session.execute(queries.use_coupon(order.id, coupon.id, order.customer))
    return fault


def freeze(order: Order, priced: Quote) -> None:
    """Keep the price of an order with all it is made of."""
    order.subtotal, order.discount, order.tax = priced.subtotal, priced.discount, priced.tax
    order.total_price, order.currency = priced.total, priced.currency or ""
    order.tax_included, order.country = priced.tax_included, priced.country
    order.coupon = next((applied.code for applied in priced.discounts if applied.code), None)
    order.discounts, order.taxes = kept_parts(priced.discounts), kept_parts(priced.taxes)


def kept_parts(parts: Sequence[AppliedDiscount | AppliedTax]) -> list[dict[str, str]]:
    """Parts of a price as JSON: decimal numbers are texts."""
    return [{name: str(value) for name, value in asdict(part).items() if value is not None} for part in parts]


async def _unit_prices(
    session: AsyncSession, groups: Collection[str], products: Sequence[Product]
) -> dict[str, UnitPrice]:
    """The best price on the lists of a customer's groups, of each product that is on one, else its own."""
    own = {p.sku: UnitPrice(p.unit_price, p.currency, PriceUnit(p.price_unit)) for p in products}
    found = (await session.execute(queries.list_prices(list(own), groups))).scalars() if groups and own else ()
    listed: dict[str, UnitPrice] = {}
    for row in found:
        price = UnitPrice(row.unit_price, row.currency, PriceUnit(row.price_unit))
        # What a list says of another unit or currency is of a price that the product no longer has.
        if (price.unit, price.currency) == (own[row.sku].unit, own[row.sku].currency):
            listed[row.sku] = min(price, listed.get(row.sku, price), key=lambda one: one.amount)
    return own | listed


async def _coupon(session: AsyncSession, buyer: Buyer, now: datetime) -> tuple[Discount | None, list[Fault]]:
    if buyer.coupon is None:
        return None, []
    row = (await session.execute(queries.coupon_for(buyer.groups, buyer.coupon))).scalar_one_or_none()
    if row is None:
        return None, [unknown_coupon(buyer.coupon)]
    fault = why_not_now(row.discount, now) or await _used_up(session, row, buyer.customer, None)
    return (None, [fault]) if fault else (row.discount, [])


async def _used_up(session: AsyncSession, coupon: DiscountTerms, customer: str, besides: UUID | None) -> Fault | None:
    used, mine = (await session.execute(queries.uses_of(coupon.id, customer, besides))).one()
    if coupon.most_uses is not None and used >= coupon.most_uses:
        return used_up(coupon.code or "")
    if coupon.most_uses_each is not None and mine >= coupon.most_uses_each:
        return used_by_customer(coupon.code or "")
    return None


async def _tax(session: AsyncSession, country: str | None) -> TaxTerms:
    terms = (await session.execute(queries.terms())).scalar_one_or_none()
    included = terms is not None and terms.tax_included
    if (country := country or (terms.country if terms else None)) is None:
        return TaxTerms(included=included)
    rows = (await session.execute(queries.tax_rates_of(country))).scalars()
    return TaxTerms(country, {row.tax_class: row.rate for row in rows}, included)
