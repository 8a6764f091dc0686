"""Tax: a rate for each country and class of products, on top of prices or within them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from models.pricing.discounts import HUNDRED
from models.pricing.money import rounded


@dataclass(frozen=True)
class TaxRate:
    """What a country takes of a class of products, and how the tax is called."""

    country: str
    tax_class: str
    percent: Decimal
    name: str

    def of(self, base: Decimal, currency: str | None, *, included: bool) -> Decimal:
        """The tax on a base, or the part of a base that it is, rounded once."""
        whole = HUNDRED + self.percent if included else HUNDRED
        return rounded(base * self.percent / whole, currency)


@dataclass(frozen=True)
class TaxTerms:
    """The country an order is taxed in with its rates by class, and whether prices include them.

    What no rate is known for is not taxed.
    """

    country: str | None = None
    rates: Mapping[str, TaxRate] | None = None
    included: bool = False


@dataclass(frozen=True)
class AppliedTax:
    """What tax an order pays at a rate, and of how much; a base that includes the tax is what is paid in all."""

    name: str
    country: str
    tax_class: str
    percent: Decimal
    base: Decimal
    amount: Decimal


def taxes_on(
    net: Iterable[tuple[str, Decimal]], terms: TaxTerms, currency: str | None, zero: Decimal
) -> tuple[AppliedTax, ...]:
    """The tax at each rate, of amounts by their tax class; in the order of the classes."""
    bases: dict[str, Decimal] = {}
    for tax_class, amount in net:
        if tax_class in (terms.rates or {}):
            bases[tax_class] = bases.get(tax_class, zero) + amount
    found = ((base, (terms.rates or {})[tax_class]) for tax_class, base in sorted(bases.items()))
    return tuple(
        AppliedTax(
            name=rate.name,
            country=rate.country,
            tax_class=rate.tax_class,
            percent=rate.percent,
            base=base,
            amount=rate.of(base, currency, included=terms.included),
        )
        for base, rate in found
        if base
    )
