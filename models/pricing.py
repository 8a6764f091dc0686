"""What an order costs."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def line_total(quantity: int, unit_price: Decimal) -> Decimal:
    """The price of one line, in cents of its currency."""
    return (quantity * unit_price).quantize(CENT, rounding=ROUND_HALF_UP)


def order_total(lines: Iterable[Decimal]) -> Decimal:
    """The price of all lines."""
    return sum(lines, Decimal(0)).quantize(CENT)
