"""Dates of HTTP in the three forms that RFC 9110, section 5.6.7, has recipients read.

Ours: `email.utils` reads mail's many forms, takes years of five digits and raises OverflowError for longer ones.
"""

import re
from datetime import UTC, datetime
from typing import Final

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH: Final = f"(?P<month>{'|'.join(_MONTHS)})"
_DAY: Final = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_WHOLE_DAY: Final = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_TIME: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_FORMS: Final = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"{_DAY}, (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}}) {_TIME} GMT",
        rf"{_WHOLE_DAY}, (?P<day>\d\d)-{_MONTH}-(?P<year>\d\d) {_TIME} GMT",
        rf"{_DAY} {_MONTH} (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
    )
)
_FUTURE_YEARS: Final = 50
"""A year of two digits that appears to lie further ahead is the last one before that ends in them."""


def parse_http_date(text: str, now: datetime) -> datetime | None:
    """The instant of an HTTP date, or None where the text is not one; `now` tells the century of two digits."""
    found = next(filter(None, (form.fullmatch(text.strip(" \t")) for form in _FORMS)), None)
    if found is None:
        return None
    hour, minute, second = (int(found[name]) for name in ("hour", "minute", "second"))
    # A leap second, which the grammar has and Python has not, ends with the second before it.
    second = 59 if second == 60 else second
    month, day = _MONTHS.index(found["month"]) + 1, int(found["day"])
    try:
        return datetime(_year(found["year"], now), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _year(digits: str, now: datetime) -> int:
    if len(digits) == 4:
        return int(digits)
    year = now.year // 100 * 100 + int(digits)
    return year - 100 if year > now.year + _FUTURE_YEARS else year
