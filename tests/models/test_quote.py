"""What an order costs: lines, discounts and tax, by properties and by the examples that the documentation works."""

import re
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pricing import (
    MINOR_UNITS,
    Discount,
    Measure,
    PriceUnit,
    QuotedLine,
    TaxRate,
    TaxTerms,
    UnitPrice,
    discount_faults,
    misfit,
    percent_faults,
    price_faults,
    quote,
    written,
)

PAGE = Path(__file__).parents[2] / "docs" / "prices.md"
UNITS = {"object": PriceUnit.OBJECT, "file": PriceUnit.FILE, "GB": PriceUnit.GB, "flat": PriceUnit.FLAT}


class Example(NamedTuple):
    """A row of the table."""

    number: str
    lines: str
    discounts: str
    tax: str
    subtotal: str
    discount: str
    taxed: str
    total: str


def examples() -> list[Example]:
    """The rows of the table of worked examples."""
    rows = re.findall(r"^\| *(\d+) *\|(.*)\|$", PAGE.read_text(), re.MULTILINE)
    return [Example(number, *(cell.strip() for cell in rest.split("|"))) for number, rest in rows]


def line(text: str, sku: str) -> QuotedLine:
    """Read `3 objects at 2.50 EUR, reduced`."""
    what, _, tax_class = text.partition(",")
    count, price = what.split(" at ")
    amount, currency = price.split()
    number, word = count.split() if " " in count else ("1", count)
    unit = UNITS[word.removesuffix("s")]
    size = int(Decimal(number) * 10**9) if unit is PriceUnit.GB else 0
    measure = Measure(1 if size else int(number), 1 if size else int(number), size)
    return QuotedLine(sku, UnitPrice(Decimal(amount), currency, unit), measure, tax_class.strip() or "standard")


def discount(text: str) -> Discount:
    """Read `coupon 10 % of A from 50 EUR`."""
    is_coupon, text = text.startswith("coupon "), text.removeprefix("coupon ").removesuffix(" (refused)")
    text, _, least = text.partition(" from ")
    text, _, skus = text.partition(" of ")
    number, word = text.split()
    minimum, _, currency = least.partition(" ")
    return Discount(
        name=text,
        percent=Decimal(number) if word == "%" else None,
        amount=None if word == "%" else Decimal(number),
        currency=(currency or None) if word == "%" else word,
        minimum=Decimal(minimum) if minimum else None,
        skus=frozenset(skus.split()),
        code="CODE" if is_coupon else None,
    )


def terms(text: str) -> TaxTerms:
    """Read `20 %, reduced 5.5 % included`."""
    included, text = text.endswith(" included"), text.removesuffix(" included")
    rates = {}
    for part in filter(None, text.split(", ")):
        *named, percent, _ = part.split()
        tax_class = named[0] if named else "standard"
        rates[tax_class] = TaxRate("FR", tax_class, Decimal(percent), "VAT")
    return TaxTerms("FR", rates, included)


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.number)
def test_the_documentations_examples_are_what_is_computed(example: Example) -> None:
    lines = [line(text, sku) for text, sku in zip(example.lines.split("; "), "ABCDEFGH", strict=False)]
    given = [discount(text) for text in filter(None, example.discounts.split("; "))]
    coupon = next((one for one in given if one.code), None)
    made = quote(lines, [one for one in given if not one.code], coupon, terms(example.tax))
    shown = [written(amount, made.currency) for amount in (made.subtotal, made.discount, made.tax, made.total)]
    assert shown == [example.subtotal, example.discount, example.taxed, example.total]
    assert (made.refused is not None) == example.discounts.endswith("(refused)")


def test_there_are_thirty_examples() -> None:
    assert [int(example.number) for example in examples()] == list(range(1, 31))


CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
CLASSES = st.sampled_from(["standard", "reduced", "untaxed"])
PERCENTS = st.decimals(0, 100, places=4)


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """Lines of one currency, discounts, a coupon and tax, at random."""
    currency = draw(CURRENCIES)
    one = Decimal(1).scaleb(-MINOR_UNITS[currency])
    sums = st.integers(1, 10**7).map(lambda units: units * one)
    lines = [
        QuotedLine(
            f"p{n}",
            UnitPrice(draw(st.integers(0, 10**6)) * one, currency, draw(st.sampled_from(PriceUnit))),
            Measure(draw(st.integers(1, 10**4)), draw(st.integers(1, 10**4)), draw(st.integers(0, 10**13))),
            draw(CLASSES),
        )
        for n in range(draw(st.integers(1, 6)))
    ]
    skus = st.frozensets(st.sampled_from([each.sku for each in lines]))
    percent = st.builds(Discount, st.just("p"), percent=PERCENTS.filter(bool), skus=skus)
    amount = st.builds(Discount, st.just("a"), amount=sums, currency=CURRENCIES, minimum=st.none() | sums, skus=skus)
    coupon = draw(st.none() | percent | amount)
    rates = {name: TaxRate("FR", name, draw(PERCENTS), "VAT") for name in ("standard", "reduced")}
    return {
        "lines": lines,
        "discounts": draw(st.lists(percent | amount, max_size=3)),
        "coupon": coupon and replace(coupon, code="X"),
        "tax": TaxTerms("FR", rates, draw(st.booleans())),
    }


@given(orders())
def test_lines_discounts_and_tax_come_to_the_total_in_whole_minor_units(order: dict[str, Any]) -> None:
    made = quote(**order)
    currency = made.currency or ""
    assert made.subtotal == sum(each.total for each in made.lines)
    assert made.discount == sum(applied.amount for applied in made.discounts)
    assert made.total == made.subtotal - made.discount + (0 if made.tax_included else made.tax)
    for amount in (made.subtotal, made.discount, made.tax, made.total, *(part.base for part in made.taxes)):
        assert misfit(amount, currency) is None
        assert -(amount.as_tuple().exponent) == MINOR_UNITS[currency]  # type: ignore[operator]


@given(orders())
def test_discounts_take_off_no_more_than_there_is_and_at_most_one_with_the_coupon(order: dict[str, Any]) -> None:
    made = quote(**order)
    left = made.subtotal
    for applied in made.discounts:
        assert 0 < applied.amount <= applied.base <= left
        left -= applied.amount
    assert made.total >= 0
    assert [applied.code for applied in made.discounts] in ([], [None], ["X"], [None, "X"])
    alone = [quote(order["lines"], [one]).discount for one in order["discounts"]]
    assert sum(applied.amount for applied in made.discounts if not applied.code) == max(alone, default=0)


@given(orders())
def test_nothing_is_taken_off_an_order_of_another_currency_or_below_the_minimum(order: dict[str, Any]) -> None:
    coupon, made = order["coupon"], quote(**order)
    applied = any(one.code for one in made.discounts)
    if coupon and coupon.currency not in {None, made.currency} and made.subtotal:
        assert not applied
        assert made.refused is not None
    if coupon and coupon.minimum and made.subtotal < coupon.minimum:
        assert not applied


@given(orders())
def test_each_rate_takes_its_part_of_what_is_paid_of_its_class_rounded_once(order: dict[str, Any]) -> None:
    made = quote(**order)
    one = Decimal(1).scaleb(-MINOR_UNITS[made.currency or ""])
    for tax in made.taxes:
        whole = 100 + tax.percent if made.tax_included else Decimal(100)
        assert tax.amount == (tax.base * tax.percent / whole).quantize(one, ROUND_HALF_UP)
        assert tax.amount < tax.base or not made.tax_included
    untaxed = sum(each.total for each in made.lines if each.tax_class == "untaxed")
    bases = sum((tax.base for tax in made.taxes), Decimal(0))
    assert made.subtotal - made.discount - untaxed <= bases <= made.subtotal - made.discount


@given(st.integers(1, 10**9), PERCENTS)
def test_tax_within_a_price_is_the_tax_on_top_of_what_is_left_without_it(units: int, percent: Decimal) -> None:
    lines = [QuotedLine("a", UnitPrice(Decimal(units).scaleb(-2), "EUR"), Measure(1))]
    rates = {"standard": TaxRate("FR", "standard", percent, "VAT")}
    within = quote(lines, tax=TaxTerms("FR", rates, included=True))
    net = within.total - within.tax
    on_top = quote([QuotedLine("a", UnitPrice(net, "EUR"), Measure(1))], tax=TaxTerms("FR", rates))
    assert abs(on_top.total - within.total) <= Decimal("0.01")


@given(st.integers(0, 10**15))
def test_gigabytes_are_billed_to_the_byte(size: int) -> None:
    assert Measure(1, 1, size).billed(PriceUnit.GB) * 10**9 == size


def test_nothing_at_all_has_no_flat_price() -> None:
    flat = UnitPrice(Decimal(100), "EUR", PriceUnit.FLAT)
    totals = [str(QuotedLine("a", flat, Measure(*counts)).total) for counts in ((0, 0, 0), (1, 1, 5), (0, 3, 5))]
    assert totals == ["0.00", "100.00", "100.00"]
    assert (str(flat), str(UnitPrice(Decimal(0), "EUR"))) == ("100.00 EUR for an order", "nothing")


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
    made = quote(QuotedLine("a", UnitPrice(Decimal(price), word), Measure(count)) for count, price, word in lines)
    assert made.currency == currency


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({"percent": "10"}, []),
        ({"percent": "0"}, ["percent_out_of_bounds"]),
        ({"percent": "100.00001"}, ["percent_out_of_bounds"]),
        ({"percent": "33.33333"}, ["percent_out_of_bounds"]),
        ({}, ["discount_unclear"]),
        ({"percent": "10", "amount": "5", "currency": "EUR"}, ["discount_unclear"]),
        ({"amount": "5"}, ["currency_missing"]),
        ({"amount": "5", "currency": "XAU"}, ["currency_unknown"]),
        ({"amount": "0.5", "currency": "JPY"}, ["price_unfit"]),
        ({"amount": "-5", "currency": "EUR"}, ["amount_not_positive"]),
        ({"percent": "10", "minimum": "5"}, ["currency_missing"]),
    ],
)
def test_a_discount_is_refused_for_what_is_wrong_with_it(given: dict[str, str], codes: list[str]) -> None:
    amounts = {name: value if name == "currency" else Decimal(value) for name, value in given.items()}
    assert [fault.code for fault in discount_faults(Discount("x", **amounts))] == codes  # type: ignore[arg-type]


def test_prices_and_rates_are_refused_for_what_is_wrong_with_them() -> None:
    given = [("2.50", "EUR"), ("-1", "EUR"), ("1.5", "JPY"), ("1", "ABC")]
    found = [[fault.code for fault in price_faults(Decimal(amount), word)] for amount, word in given]
    assert found == [[], ["price_negative"], ["price_unfit"], ["currency_unknown"]]
    rates = [bool(percent_faults(Decimal(text), least_is_zero=True)) for text in ("0", "5.5", "100", "101", "-1")]
    assert rates == [False, False, False, True, True]
