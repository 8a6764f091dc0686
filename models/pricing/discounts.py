"""Discounts: what is taken off, and what stands against it. One with a code is a coupon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from models.errors import Fault
from models.pricing.money import misfit, price_in_words, rounded, unpriceable
from models.pricing.units import UnitPrice

HUNDRED: Final = Decimal(100)

PERCENT_DECIMALS: Final = 4
"""The decimals that a percentage may have."""


@dataclass(frozen=True)
class Discount:
    """A percentage or an amount off, of all products or of some; with a code it is a coupon.

    One of `percent` and `amount` is given. `currency` is that of the amount and of the minimum, and of the orders that
    the discount is for; None for orders of any.
    """

    name: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    currency: str | None = None
    minimum: Decimal | None = None
    """The subtotal from which it is given."""
    skus: frozenset[str] = frozenset()
    """The products that it is taken off; off all where there are none."""
    code: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    """The first instant at which it is not valid any more."""
    id: UUID | None = None

    def covers(self, sku: str) -> bool:
        """Whether it is taken off this product."""
        return not self.skus or sku in self.skus

    def off(self, base: Decimal, currency: str | None) -> Decimal:
        """What it takes off a base: its part of it, rounded, or its amount, and never more than all of it."""
        if self.percent is not None:
            return rounded(base * self.percent / HUNDRED, currency)
        return min(self.amount or Decimal(0), base)


@dataclass(frozen=True)
class AppliedDiscount:
    """What a discount has taken off an order, and off how much."""

    name: str
    base: Decimal
    amount: Decimal
    percent: Decimal | None = None
    code: str | None = None


def why_not_now(discount: Discount, now: datetime) -> Fault | None:
    """Why it is not the time for a coupon; None while it is."""
    if discount.valid_from is not None and now < discount.valid_from:
        return _fault(
            "coupon_not_yet_valid", f"the coupon {discount.code} is valid from {discount.valid_from:%Y-%m-%d}"
        )
    if discount.valid_until is not None and now >= discount.valid_until:
        return _fault("coupon_expired", f"the coupon {discount.code} was valid until {discount.valid_until:%Y-%m-%d}")
    return None


def why_not_for(
    discount: Discount, prices: Sequence[tuple[str, UnitPrice]], subtotal: Decimal, currency: str | None
) -> Fault | None:
    """Why a coupon takes nothing off an order of these SKUs at these prices; None where it does."""
    if discount.currency is not None and currency is not None and discount.currency != currency:
        text = f"the coupon {discount.code} is for orders in {discount.currency}, and this one is in {currency}"
        return _fault("coupon_other_currency", text)
    if not any(discount.covers(sku) and price.amount for sku, price in prices):
        return _fault("coupon_covers_nothing", f"the coupon {discount.code} is for nothing that this order has to pay")
    if discount.minimum is not None and subtotal < discount.minimum:
        least = price_in_words(discount.minimum, currency or "")
        return _fault("coupon_below_minimum", f"the coupon {discount.code} is for orders from {least} on")
    return None


def used_up(code: str) -> Fault:
    """What is wrong with a coupon that has been used as often as it may."""
    return _fault("coupon_used_up", f"the coupon {code} has been used as often as it may be; order without it")


def used_by_customer(code: str) -> Fault:
    """What is wrong with a coupon that this customer has used as often as one may."""
    return _fault("coupon_used_up", f"you have used the coupon {code} as often as you may; order without it")


def unknown_coupon(code: str) -> Fault:
    """What is wrong with a code that is no coupon for this customer."""
    return _fault("unknown_coupon", f"there is no coupon {code if len(code) <= 80 else f'{code[:80]}…'!r} for you")


def discount_faults(discount: Discount) -> list[Fault]:
    """What is wrong with a discount that an administrator gives, all at once."""
    faults = []
    if (discount.percent is None) == (discount.amount is None):
        faults.append(Fault(field="percent", code="discount_unclear", text="give either a percentage or an amount"))
    if discount.percent is not None:
        faults += percent_faults(discount.percent, least_is_zero=False)
    sums = {"amount": discount.amount, "minimum": discount.minimum}
    given = {field: amount for field, amount in sums.items() if amount is not None}
    if discount.currency is None and given:
        faults.append(Fault(field="currency", code="currency_missing", text="say in which currency the amount is"))
    elif discount.currency is not None and (reason := unpriceable(discount.currency)):
        faults.append(Fault(field="currency", code="currency_unknown", text=reason))
    else:
        for field, amount in given.items():
            if reason := misfit(amount, discount.currency or ""):
                faults.append(Fault(field=field, code="price_unfit", text=reason))
    faults += [
        Fault(field=field, code="amount_not_positive", text=f"the {field} has to be more than nothing")
        for field, amount in given.items()
        if amount <= 0
    ]
    ends = discount.valid_from, discount.valid_until
    if ends[0] is not None and ends[1] is not None and ends[0] >= ends[1]:
        faults.append(Fault(field="valid_until", code="ends_before_it_begins", text="it ends before it is valid"))
    return faults


def percent_faults(percent: Decimal, *, least_is_zero: bool, field: str = "percent") -> list[Fault]:
    """What is wrong with a percentage."""
    in_bounds = 0 <= percent <= HUNDRED if least_is_zero else 0 < percent <= HUNDRED
    if in_bounds and percent == percent.quantize(Decimal(1).scaleb(-PERCENT_DECIMALS)):
        return []
    bounds = "from 0 to 100" if least_is_zero else "above 0, and at most 100"
    text = f"a percentage is {bounds}, with {PERCENT_DECIMALS} decimals at most"
    return [Fault(field=field, code="percent_out_of_bounds", text=text)]


def _fault(code: str, text: str) -> Fault:
    return Fault(field="coupon", code=code, text=text)
