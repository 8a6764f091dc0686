"""The price of an order: its lines, less discounts, with tax.

It is rounded in three places, and half a minor unit always up: each line's total, what a percentage takes off, and the
tax at each rate. All else is sums of these.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from models.errors import Fault
from models.pricing.discounts import AppliedDiscount, Discount, why_not_for
from models.pricing.money import minor_unit, rounded, shares
from models.pricing.taxes import AppliedTax, TaxTerms, taxes_on
from models.pricing.units import STANDARD_CLASS, Measure, UnitPrice


@dataclass(frozen=True)
class QuotedLine:
    """The price of what is ordered of one product."""

    sku: str
    price: UnitPrice
    measure: Measure
    tax_class: str = STANDARD_CLASS

    @property
    def billed(self) -> Decimal:
        """How many units are paid for."""
        return self.measure.billed(self.price.unit)

    @property
    def total(self) -> Decimal:
        """Units times price, rounded to the minor unit."""
        return rounded(self.billed * self.price.amount, self.price.currency)


@dataclass(frozen=True)
class Quote:
    """The price of an order and what it is made of. `refused` says why the coupon takes nothing off."""

    lines: tuple[QuotedLine, ...]
    discounts: tuple[AppliedDiscount, ...] = ()
    taxes: tuple[AppliedTax, ...] = ()
    tax_included: bool = False
    country: str | None = None
    refused: Fault | None = field(default=None, compare=False)

    @property
    def subtotal(self) -> Decimal:
        """The price of all lines."""
        return sum((line.total for line in self.lines), self._zero)

    @property
    def discount(self) -> Decimal:
        """What is taken off, all discounts together."""
        return sum((applied.amount for applied in self.discounts), self._zero)

    @property
    def tax(self) -> Decimal:
        """The tax at all rates."""
        return sum((applied.amount for applied in self.taxes), self._zero)

    @property
    def total(self) -> Decimal:
        """What is to be paid; tax comes on top where prices do not include it."""
        return self.subtotal - self.discount + (self._zero if self.tax_included else self.tax)

    @property
    def currency(self) -> str | None:
        """The currency of the lines that cost something, else of the first one; None without lines."""
        return _currency(self.lines)

    @property
    def _zero(self) -> Decimal:
        return 0 * minor_unit(self.currency)


def quote(
    lines: Iterable[QuotedLine],
    discounts: Sequence[Discount] = (),
    coupon: Discount | None = None,
    tax: TaxTerms = TaxTerms(),  # noqa: B008 - immutable
) -> Quote:
    """Price an order: of the discounts without a code the one that takes most off, and the coupon off what is left."""
    lines = tuple(lines)
    left = [line.total for line in lines]
    currency, applied = _currency(lines), list[AppliedDiscount]()
    refused = None if coupon is None else _why_not(coupon, lines)
    fitting = [discount for discount in discounts if _why_not(discount, lines) is None]
    # The first of the name among those that take as much off.
    fitting.sort(key=lambda discount: (-discount.off(_base(discount, lines, left), currency), discount.name))
    for discount in (*fitting[:1], *((coupon,) if coupon is not None and refused is None else ())):
        base = _base(discount, lines, left)
        amount = discount.off(base, currency)
        covered = [total if discount.covers(line.sku) else total * 0 for line, total in zip(lines, left, strict=True)]
        left = [total - share for total, share in zip(left, shares(amount, covered, currency), strict=True)]
        if amount:
            applied.append(AppliedDiscount(discount.name, base, amount, discount.percent, discount.code))
    net = ((line.tax_class, total) for line, total in zip(lines, left, strict=True))
    taxes = taxes_on(net, tax, currency, 0 * minor_unit(currency))
    return Quote(lines, tuple(applied), taxes, tax.included, tax.country, refused)


def _why_not(discount: Discount, lines: Sequence[QuotedLine]) -> Fault | None:
    prices = [(line.sku, line.price) for line in lines]
    return why_not_for(discount, prices, sum((line.total for line in lines), Decimal(0)), _currency(lines))


def _base(discount: Discount, lines: Sequence[QuotedLine], left: Sequence[Decimal]) -> Decimal:
    covered = (total for line, total in zip(lines, left, strict=True) if discount.covers(line.sku))
    return sum(covered, 0 * minor_unit(_currency(lines)))


def _currency(lines: Sequence[QuotedLine]) -> str | None:
    priced = (line.price.currency for line in lines if line.price.amount)
    return next(priced, lines[0].price.currency if lines else None)
