"""What an order costs, and the one rule of amounts of money.

An amount is a Decimal in units of its currency, and whole in the currency's minor units: ISO 4217 gives EUR two
decimals, JPY none, KWD three. An amount with more decimals is refused where it is set, and so is a currency without
minor units. What is computed is rounded to minor units, half up. What is shown has the currency's decimals and is never
rounded: an amount that was stored before this rule, and has more of them, keeps them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from iso4217 import Currency

MINOR_UNITS: Final[Mapping[str, int]] = {
    currency.code: currency.exponent for currency in Currency if currency.exponent is not None
}
"""The decimals of every currency that has minor units; metals, funds' baskets and testing codes have none."""

USUAL_MINOR_UNITS: Final = 2
"""The decimals of what is no currency of today: one that was given up, or none at all where nothing was ordered."""

MOST_MINOR_UNITS: Final = max(MINOR_UNITS.values())


def minor_units(currency: str | None) -> int:
    """How many decimals an amount in a currency has."""
    return MINOR_UNITS.get(currency or "", USUAL_MINOR_UNITS)


def written(amount: Decimal, currency: str | None) -> str:
    """An amount with the decimals of its currency, as in `7.50`, `1500` or `4.500`; none that it has is lost."""
    return f"{amount:.{max(minor_units(currency), _decimals(amount))}f}"


def price_in_words(amount: Decimal, currency: str) -> str:
    """A price with its currency, as in `37.50 EUR`; nothing where it is free."""
    return f"{written(amount, currency)} {currency}" if amount else ""


def misfit(amount: Decimal, currency: str) -> str | None:
    """Why an amount cannot be paid in its currency; None where it can."""
    most = minor_units(currency)
    if _decimals(amount) <= most:
        return None
    return f"{written(amount, currency)} {currency} cannot be paid: {currency} has {decimals_in_words(most)}"


def decimals_in_words(count: int) -> str:
    """How many decimals, as in `2 decimals` and `no decimals`."""
    return f"{count or 'no'} decimals"


def unpriceable(currency: str) -> str | None:
    """Why nothing can be priced in a currency; None where it can."""
    if currency in MINOR_UNITS:
        return None
    return f"nothing can be priced in {currency}, which is no currency of ISO 4217 with minor units; EUR is one"


def _decimals(amount: Decimal) -> int:
    return len(f"{amount:f}".partition(".")[2].rstrip("0"))


@dataclass(frozen=True)
class QuotedLine:
    """The price of one line, in minor units of its currency."""

    quantity: int
    unit_price: Decimal
    currency: str

    @property
    def total(self) -> Decimal:
        """Quantity times price, rounded to the minor unit."""
        one = Decimal(1).scaleb(-minor_units(self.currency))
        return (self.quantity * self.unit_price).quantize(one, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Quote:
    """The price of an order and what it is made of. Discounts and tax are part of the sum, and zero today."""

    lines: tuple[QuotedLine, ...]
    discounts: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)

    @property
    def subtotal(self) -> Decimal:
        """The price of all lines."""
        return sum((line.total for line in self.lines), Decimal(0).scaleb(-minor_units(self.currency)))

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return self.subtotal - self.discounts + self.tax

    @property
    def currency(self) -> str | None:
        """The currency of the lines that cost something, else of the first one; None without lines."""
        priced = (line.currency for line in self.lines if line.unit_price)
        return next(priced, self.lines[0].currency if self.lines else None)


def quote(lines: Iterable[tuple[int, Decimal, str]]) -> Quote:
    """Price an order, given the quantity, unit price and currency of each line."""
    return Quote(tuple(QuotedLine(*line) for line in lines))
