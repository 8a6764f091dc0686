"""How much of an order may be missing: what is refused, and where an order has failed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import FailureCode, Fault
from models.failure_policy import FailurePolicy, OnMissing

GONE = [Fault(field="scenes/spring", code="unknown_id", text="scenes/spring is no longer in the catalogue")]
REFUSES = FailurePolicy(OnMissing.REFUSE)


def test_what_is_missing_refuses_only_the_order_that_asks_for_it_and_names_all_of_it() -> None:
    assert FailurePolicy().missing(GONE) == REFUSES.missing([]) == []
    first, *rest = REFUSES.missing(GONE)
    assert (first.field, first.code, rest) == ("on_missing", "something_missing", GONE)
    assert "`deliver_the_rest` orders what is left" in first.text


def test_an_order_that_names_no_limit_has_none() -> None:
    assert FailurePolicy().too_many(9, 10) is None


@given(st.integers(1, 10**9), st.data(), st.integers(0, 10_000))
def test_an_order_fails_exactly_where_more_of_its_files_than_its_limit_have_failed(
    files: int, data: st.DataObject, hundredths: int
) -> None:
    failed = data.draw(st.integers(0, files))
    failure = FailurePolicy(max_failed_percent=Decimal(hundredths) / 100).too_many(failed, files)
    assert (failure is not None) == (failed * 10_000 > hundredths * files)


@pytest.mark.parametrize(
    ("failed", "files", "limit", "text"),
    [
        (1, 10_000, "0", "1 of 10,000 files (0.01 %) cannot be delivered; the order allows 0 % at most"),
        (2, 3, "50", "2 of 3 files (66.67 %) cannot be delivered; the order allows 50 % at most"),
        (
            1_000_001,
            10_000_000,
            "10.0",
            "1,000,001 of 10,000,000 files (10.01 %) cannot be delivered; the order allows 10 % at most",
        ),
    ],
)
def test_its_failure_names_figure_and_limit(failed: int, files: int, limit: str, text: str) -> None:
    failure = FailurePolicy(max_failed_percent=Decimal(limit)).too_many(failed, files)
    assert failure is not None
    assert failure.code is FailureCode.TOO_MANY_FAILED
    assert failure.text.endswith(text)


@pytest.mark.parametrize(
    ("percent", "good"),
    [("0", True), ("100", True), ("0.01", True), ("0.001", False), ("-1", False), ("100.01", False), ("1e308", False)],
)
def test_a_limit_is_a_percentage_of_two_decimals(percent: str, good: bool) -> None:
    assert [fault.code for fault in FailurePolicy(max_failed_percent=Decimal(percent)).faults] == (
        [] if good else ["not_a_percentage"]
    )


def test_what_is_not_given_anew_stays() -> None:
    old = FailurePolicy(OnMissing.REFUSE, Decimal(5))
    assert old.changed(None, None) == old
    assert old.changed(OnMissing.DELIVER_THE_REST, Decimal(0)) == FailurePolicy(max_failed_percent=Decimal(0))
