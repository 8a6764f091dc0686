"""Amounts of money, and the one rule of their decimals.

An amount is a Decimal in units of its currency, and whole in the currency's minor units: ISO 4217 gives EUR two
decimals, JPY none, KWD three. An amount with more decimals is refused where it is set, and so is a currency without
minor units. What is computed is rounded to minor units, half up. What is shown has the currency's decimals and is never
rounded: an amount that was stored before this rule, and has more of them, keeps them.
"""

from collections.abc import Mapping, Sequence
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


def rounded(amount: Decimal, currency: str | None) -> Decimal:
    """An amount that was computed, in minor units of its currency; half a unit is rounded up."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)


def minor_unit(currency: str | None) -> Decimal:
    """The smallest amount of a currency, as in `0.01` EUR, `1` JPY and `0.001` KWD."""
    return Decimal(1).scaleb(-minor_units(currency))


def shares(amount: Decimal, weights: Sequence[Decimal], currency: str | None) -> list[Decimal]:
    """An amount in whole minor units, shared out in proportion to weights, of which it is no more than the sum.

    Each share is rounded down; the units that are left go to those who lost most by that, the first among equals. So
    the shares come to the amount, and none is more than its weight.
    """
    one = minor_unit(currency)
    units, whole = int(amount / one), sum(weights, Decimal(0))
    if not whole:
        return [one * 0 for _ in weights]
    exact = [divmod(units * int(weight / one), int(whole / one)) for weight in weights]
    given = [share for share, _ in exact]
    by_loss = sorted(range(len(weights)), key=lambda n: -exact[n][1])
    for n in by_loss[: units - sum(given)]:
        given[n] += 1
    return [share * one for share in given]


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
