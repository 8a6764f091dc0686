"""Amounts of money, to the minor unit of their currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pricing import (
    MINOR_UNITS,
    MOST_MINOR_UNITS,
    minor_units,
    misfit,
    price_in_words,
    shares,
    unpriceable,
    written,
)

CURRENCIES = st.sampled_from(sorted(MINOR_UNITS))


def test_currencies_have_the_decimals_of_iso_4217() -> None:
    some = {
        code: MINOR_UNITS.get(code) for code in ("EUR", "USD", "JPY", "KRW", "KWD", "BHD", "IDR", "CLF", "XAU", "XXX")
    }
    assert some == {
        "EUR": 2, "USD": 2, "JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "IDR": 2, "CLF": 4, "XAU": None, "XXX": None,
    }  # fmt: skip
    assert len(MINOR_UNITS) > 150
    assert (minor_units("DEM"), minor_units(None), MOST_MINOR_UNITS) == (2, 2, 4)


@given(CURRENCIES, st.integers(0, 10**14))
def test_so_many_minor_units_are_written_with_the_decimals_of_their_currency(currency: str, units: int) -> None:
    decimals = MINOR_UNITS[currency]
    amount = Decimal(units).scaleb(-decimals)
    text = written(amount, currency)
    assert (Decimal(text), len(text.partition(".")[2])) == (amount, decimals)
    assert written(amount.normalize(), currency) == text
    assert misfit(amount, currency) is None


@given(CURRENCIES, st.integers(0, 10**10), st.integers(1, 9), st.integers(0, 3))
def test_an_amount_with_more_decimals_is_refused_and_shown_as_it_is(
    currency: str, units: int, digit: int, more: int
) -> None:
    amount = Decimal(units * 10 ** (more + 1) + digit).scaleb(-MINOR_UNITS[currency] - more - 1)
    assert misfit(amount, currency) is not None
    assert Decimal(written(amount, currency)) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("7.5", "EUR", "7.50"), ("0", "EUR", "0.00"), ("1500.00", "JPY", "1500"), ("0.00", "JPY", "0"),
        ("1.5E+3", "JPY", "1500"), ("4.5", "KWD", "4.500"), ("7.50", "JPY", "7.5"), ("7.5", "DEM", "7.50"),
        ("0", "", "0.00"),        ("12345678901234567890123456789.01", "EUR", "12345678901234567890123456789.01"),
    ],
)  # fmt: skip
def test_an_amount_is_written_with_what_its_currency_has_and_nothing_lost(
    amount: str, currency: str, text: str
) -> None:
    assert written(Decimal(amount), currency) == text


def test_refusals_say_what_the_currency_has() -> None:
    assert misfit(Decimal("12.50"), "JPY") == "12.5 JPY cannot be paid: JPY has no decimals"
    assert misfit(Decimal("1.0051"), "KWD") == "1.0051 KWD cannot be paid: KWD has 3 decimals"
    assert [code for code in ("EUR", "XAU", "ABC", "DEM") if unpriceable(code)] == ["XAU", "ABC", "DEM"]
    assert [price_in_words(Decimal(price), "KWD") for price in ("0", "2.5")] == ["", "2.500 KWD"]


@given(CURRENCIES, st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.data())
def test_shares_come_to_the_amount_and_none_is_more_than_its_weight(
    currency: str, units: list[int], data: st.DataObject
) -> None:
    one = Decimal(1).scaleb(-MINOR_UNITS[currency])
    weights = [count * one for count in units]
    amount = data.draw(st.integers(0, sum(units))) * one
    given = shares(amount, weights, currency)
    assert sum(given) == amount
    assert all(0 <= share <= weight for share, weight in zip(given, weights, strict=True))
    exact = [amount * weight / sum(weights) if amount else 0 for weight in weights]
    assert all(abs(share - part) < one for share, part in zip(given, exact, strict=True))
