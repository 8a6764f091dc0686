"""What an order costs, to the cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pricing import line_total, order_total

PRICES = st.decimals(0, 10**6, places=2)


@pytest.mark.parametrize(
    ("quantity", "price", "total"),
    [(3, "0.10", "0.30"), (0, "9.99", "0.00"), (1, "0.005", "0.01"), (1, "0.004", "0.00"), (7, "1", "7.00")],
)
def test_a_line_is_quantity_times_price_in_cents(quantity: int, price: str, total: str) -> None:
    assert str(line_total(quantity, Decimal(price))) == total


@given(st.lists(st.tuples(st.integers(0, 10_000), PRICES), max_size=50))
def test_an_order_costs_exactly_what_its_lines_cost(lines: list[tuple[int, Decimal]]) -> None:
    total = order_total(line_total(quantity, price) for quantity, price in lines)
    assert int(total * 100) == sum(quantity * int(price * 100) for quantity, price in lines)
    assert total.as_tuple().exponent == -2
