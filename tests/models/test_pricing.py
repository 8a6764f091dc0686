"""What an order costs, to the minor unit of its currency."""

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
    quote,
    unpriceable,
    written,
)

PRICES = st.decimals(0, 10**6, places=2)
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


@given(CURRENCIES, st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 10**10)), max_size=9))
def test_an_order_costs_whole_minor_units_in_every_currency(currency: str, lines: list[tuple[int, int]]) -> None:
    one = Decimal(1).scaleb(-MINOR_UNITS[currency])
    made = quote((quantity, units * one, currency) for quantity, units in lines)
    assert made.total == sum(quantity * units for quantity, units in lines) * one
    assert misfit(made.total, currency) is None


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


@pytest.mark.parametrize(
    ("quantity", "price", "total"),
    [
        (3, "0.10 EUR", "0.30"), (0, "9.99 EUR", "0.00"), (1, "0.005 EUR", "0.01"), (1, "0.004 EUR", "0.00"),
        (7, "1 EUR", "7.00"), (3, "500 JPY", "1500"), (1, "0.5 JPY", "1"), (3, "1.505 KWD", "4.515"),
    ],
)  # fmt: skip
def test_a_line_is_quantity_times_price_in_minor_units(quantity: int, price: str, total: str) -> None:
    amount, currency = price.split()
    (line,) = quote([(quantity, Decimal(amount), currency)]).lines
    assert str(line.total) == total


@given(st.lists(st.tuples(st.integers(0, 10_000), PRICES, st.just("EUR")), max_size=50))
def test_an_order_costs_exactly_what_its_lines_cost(lines: list[tuple[int, Decimal, str]]) -> None:
    made = quote(lines)
    assert int(made.total * 100) == sum(quantity * int(price * 100) for quantity, price, _ in lines)
    assert made.total == made.subtotal - made.discounts + made.tax
    assert made.total.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("lines", "currency"),
    [
        ([], None),
        ([(1, "0", "CHF")], "CHF"),
        ([(1, "0", "CHF"), (1, "2", "EUR")], "EUR"),
        ([(0, "2", "USD"), (1, "0", "EUR")], "USD"),
    ],
)
def test_the_currency_is_that_of_what_costs_something(lines: list[tuple[int, str, str]], currency: str | None) -> None:
    assert quote((quantity, Decimal(price), word) for quantity, price, word in lines).currency == currency
