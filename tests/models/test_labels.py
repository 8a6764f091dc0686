"""Labels, numbers and sizes for people."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels import (
    MAX_LABEL_CHARACTERS,
    counted,
    default_label,
    label_faults,
    numbered,
    order_number,
    size_in_words,
)


def test_a_default_label_tells_the_second() -> None:
    assert default_label(datetime(2026, 3, 4, 5, 6, 7, 999999, tzinfo=UTC)) == "Order of 2026/03/04 at 05:06:07"


@given(st.datetimes(min_value=datetime(1000, 1, 1)), st.integers(2, 10**9))  # noqa: DTZ001 - hypothesis wants it bare
def test_a_default_label_is_always_a_good_one_also_numbered(now: datetime, count: int) -> None:
    label = default_label(now)
    assert label_faults(label) == []
    assert label_faults(numbered(label, count)) == []
    assert numbered(label, count) == f"{label} ({count})"


@given(st.text(max_size=80), st.integers(2, 10**9))
def test_a_numbered_label_stays_within_the_limit_and_ends_with_its_number(label: str, count: int) -> None:
    found = numbered(label, count)
    assert len(found) <= MAX_LABEL_CHARACTERS
    assert found.endswith(f" ({count})")


@pytest.mark.parametrize(
    "label", ["x", "x" * 50, f" {'x' * 50} ", "Žluťoučký kůň 🐎", " a ", "日本語", "a\n", "می\u200cخواهم"]
)
def test_a_readable_label_has_no_fault(label: str) -> None:
    assert label_faults(label) == []


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("x" * 51, "label_too_long"),
        ("\n" * 51, "label_unreadable"),
        ("", "label_unreadable"),
        ("   ", "label_unreadable"),
        ("a\nb", "label_unreadable"),
        ("a\x00b", "label_unreadable"),
        ("a\u202eb", "label_unreadable"),
        ("a\ud800b", "label_unreadable"),
        ("\u00a0", "label_unreadable"),
    ],
)
def test_what_nobody_can_read_is_a_fault_of_its_field(label: str, code: str) -> None:
    (fault,) = label_faults(label, field="label")
    assert (fault.field, fault.code) == ("label", code)


def test_an_order_number_can_be_read_out_and_grows_beyond_six_digits() -> None:
    assert order_number(2026, 42) == "CO-2026-000042"
    assert order_number(2026, 1_234_567) == "CO-2026-1234567"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (14_400_000, "14.4 MB"),
        (2_000_000_000, "2.0 GB"),
        (999_999_999_999, "1.0 TB"),
        (5 * 10**15, "5.0 PB"),
        (10**19, "10000.0 PB"),
    ],
)
def test_a_size_is_told_in_the_unit_that_fits(size: int, words: str) -> None:
    assert size_in_words(size) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (12_000, "12,000 files")])
def test_a_count_has_its_plural(count: int, words: str) -> None:
    assert counted(count, "file") == words
