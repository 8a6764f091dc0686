"""What an order costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
_NOTHING = Decimal("0.00")


@dataclass(frozen=True)
class QuotedLine:
    """The price of one line, in cents of its currency."""

    quantity: int
    unit_price: Decimal
    currency: str

    @property
    def total(self) -> Decimal:
        """Quantity times price, rounded to the cent."""
        return (self.quantity * self.unit_price).quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Quote:
    """The price of an order and what it is made of. Discounts and tax are part of the sum, and zero today."""

    lines: tuple[QuotedLine, ...]
    discounts: Decimal = _NOTHING
    tax: Decimal = _NOTHING

    @property
    def subtotal(self) -> Decimal:
        """The price of all lines."""
        return sum((line.total for line in self.lines), Decimal(0)).quantize(CENT)

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
