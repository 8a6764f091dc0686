"""What a price is for: an object, a file, a gigabyte, or all that is ordered of a product."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from models.errors import Fault
from models.pricing.money import misfit, price_in_words, unpriceable

GIGABYTE: Final = 10**9
"""Bytes of a GB as it is sold: the decimal one of SI, not the GiB of 2^30."""

TAX_CLASS: Final = "^[a-z][a-z0-9_-]{0,39}$"
"""What the name of a tax class looks like."""

STANDARD_CLASS: Final = "standard"


class PriceUnit(StrEnum):
    """What a product's price is for; `flat` is whatever is ordered of it."""

    OBJECT = "object"
    FILE = "file"
    GB = "gb"
    FLAT = "flat"


UNIT_WORDS: Mapping[PriceUnit, str] = MappingProxyType(
    {PriceUnit.OBJECT: "an object", PriceUnit.FILE: "a file", PriceUnit.GB: "a GB", PriceUnit.FLAT: "an order"}
)
"""How a sentence names them."""


@dataclass(frozen=True)
class Measure:
    """How much of a product is ordered, after what was left out of it."""

    objects: int
    files: int = 0
    bytes: int = 0

    def billed(self, unit: PriceUnit) -> Decimal:
        """How many units are paid for. Gigabytes are exact, to the byte; nothing at all has no flat price either."""
        match unit:
            case PriceUnit.OBJECT:
                return Decimal(self.objects)
            case PriceUnit.FILE:
                return Decimal(self.files)
            case PriceUnit.GB:
                return Decimal(self.bytes).scaleb(-9)
            case PriceUnit.FLAT:
                return Decimal(1 if self.objects or self.files else 0)


@dataclass(frozen=True)
class UnitPrice:
    """So much for one unit."""

    amount: Decimal
    currency: str
    unit: PriceUnit = PriceUnit.OBJECT

    def __str__(self) -> str:
        """As in `2.50 EUR for a GB`, and `nothing` where it is free."""
        price = price_in_words(self.amount, self.currency)
        return f"{price} for {UNIT_WORDS[self.unit]}" if price else "nothing"


def quantity_in_words(billed: Decimal) -> str:
    """How many units, without zeros that say nothing, as in `3` and `1.234`."""
    return f"{billed.normalize():f}"


def price_faults(amount: Decimal, currency: str) -> list[Fault]:
    """What is wrong with a price for a product."""
    if reason := unpriceable(currency):
        return [Fault(field="currency", code="currency_unknown", text=reason)]
    if amount < 0:
        return [Fault(field="unit_price", code="price_negative", text="a price is not negative")]
    if reason := misfit(amount, currency):
        return [Fault(field="unit_price", code="price_unfit", text=reason)]
    return []
