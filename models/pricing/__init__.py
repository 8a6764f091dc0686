"""What an order costs: units, discounts, tax, and the one rule of amounts of money. Everything here is pure.

Imported from here; `docs/prices.md` works thirty examples, which the tests compute.
"""

from models.pricing.discounts import (
    AppliedDiscount,
    Discount,
    discount_faults,
    percent_faults,
    unknown_coupon,
    used_by_customer,
    used_up,
    why_not_now,
)
from models.pricing.money import (
    MINOR_UNITS,
    MOST_MINOR_UNITS,
    USUAL_MINOR_UNITS,
    decimals_in_words,
    minor_unit,
    minor_units,
    misfit,
    price_in_words,
    rounded,
    shares,
    unpriceable,
    written,
)
from models.pricing.quote import Quote, QuotedLine, quote
from models.pricing.taxes import AppliedTax, TaxRate, TaxTerms
from models.pricing.units import (
    STANDARD_CLASS,
    TAX_CLASS,
    UNIT_WORDS,
    Measure,
    PriceUnit,
    UnitPrice,
    price_faults,
    quantity_in_words,
)

__all__ = [
    "MINOR_UNITS",
    "MOST_MINOR_UNITS",
    "STANDARD_CLASS",
    "TAX_CLASS",
    "UNIT_WORDS",
    "USUAL_MINOR_UNITS",
    "AppliedDiscount",
    "AppliedTax",
    "Discount",
    "Measure",
    "PriceUnit",
    "Quote",
    "QuotedLine",
    "TaxRate",
    "TaxTerms",
    "UnitPrice",
    "decimals_in_words",
    "discount_faults",
    "minor_unit",
    "minor_units",
    "misfit",
    "percent_faults",
    "price_faults",
    "price_in_words",
    "quantity_in_words",
    "quote",
    "rounded",
    "shares",
    "unknown_coupon",
    "unpriceable",
    "used_by_customer",
    "used_up",
    "why_not_now",
    "written",
]
