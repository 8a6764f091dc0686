"""What an order costs, to the cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pricing import quote

PRICES = st.decimals(0, 10**6, places=2)


@pytest.mark.parametrize(
    ("quantity", "price", "total"),
    [(3, "0.10", "0.30"), (0, "9.99", "0.00"), (1, "0.005", "0.01"), (1, "0.004", "0.00"), (7, "1", "7.00")],
)
def test_a_line_is_quantity_times_price_in_cents(quantity: int, price: str, total: str) -> None:
    (line,) = quote([(quantity, Decimal(price), "EUR")]).lines
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
