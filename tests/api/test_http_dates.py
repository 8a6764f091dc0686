"""Dates by the letter of RFC 9110, section 5.6.7."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.dates import parse_http_date

NOW = datetime(2026, 3, 3, tzinfo=UTC)
SECONDS = st.datetimes(timezones=st.just(UTC)).map(lambda instant: instant.replace(microsecond=0))


@given(SECONDS)
def test_every_instant_is_read_as_it_is_written(instant: datetime) -> None:
    assert parse_http_date(format_datetime(instant, usegmt=True), NOW) == instant
    weekday, month = f"{instant:%a}", f"{instant:%b}"
    asctime = f"{weekday} {month} {instant.day:2} {instant:%H:%M:%S} {instant.year:04}"
    assert parse_http_date(asctime, NOW) == instant


@pytest.mark.parametrize(("digits", "year"), [("94", 1994), ("26", 2026), ("76", 2076), ("77", 1977), ("00", 2000)])
def test_two_digits_are_a_year_that_is_at_most_fifty_ahead(digits: str, year: int) -> None:
    assert parse_http_date(f"Sunday, 06-Nov-{digits} 08:49:37 GMT", NOW) == datetime(year, 11, 6, 8, 49, 37, tzinfo=UTC)


def test_a_leap_second_ends_with_the_second_before_it() -> None:
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", NOW) == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GMT",
        "some day",
        "0",
        "Fri, 31 Dec 0000 23:59:59 GMT",
        "Fri, 31 Dec 10000 23:59:59 GMT",
        f"Fri, 31 Dec {'9' * 30} 23:59:59 GMT",
        "Fri, 31 Dec -001 23:59:59 GMT",
        f"Fri Dec 31 23:59:59 {'9' * 30}",
        "Tue, 30 Feb 2026 05:06:07 GMT",
        "Tue, 03 Mar 2026 24:06:07 GMT",
        "Tue, 03 Mar 2026 05:06:61 GMT",
        "Tue, 03 Mar 2026 05:06:07 +0000",
        "Tue, 03 Mar 2026 05:06:07",
        "Tue, 03 mar 2026 05:06:07 GMT",
        "Tue, 03 Mar ٢٠٢٦ 05:06:07 GMT",
        "2026-03-03T05:06:07Z",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_http_date(text, NOW) is None


@given(st.text(max_size=40))
def test_no_text_is_an_error_of_ours(text: str) -> None:
    parse_http_date(text, NOW)
