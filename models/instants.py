"""Instants as others write them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

# RFC 3339 knows the 60th second, ISO 8601 the 24th hour; both are the beginning of what comes next.
_LEAP_SECOND: Final = re.compile(r"(\d\d:?\d\d:?)60(?=$|[^\d:])")
_MIDNIGHT: Final = re.compile(r"(?<=[T ])24(?=:?00(?::?00(?:\.0+)?)?(?:$|[Z+-]))")

_LOST_PLUS: Final = re.compile(r"(\d\d:\d\d(?::\d\d(?:\.\d+)?)?) (\d\d:\d\d)(?=$|/)", re.ASCII)

NS_MIN: Final = -(2**63)
NS_MAX: Final = 2**63 - 1
"""The first and the last nanosecond since 1970 that 64 bits hold: in the years 1677 and 2262."""


def with_plus(text: str) -> str:
    """The instants of a query as they were meant: there a `+` that is not written `%2B` arrives as a blank."""
    return _LOST_PLUS.sub(r"\1+\2", text)


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC: PostgreSQL knows no offsets of 16 hours and more, RFC 3339 does."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        # On the first or the last day that there is: hardly anything lies beyond.
        return instant.replace(tzinfo=UTC)


def rfc3339(instant: datetime, timespec: str = "auto") -> str:
    """The same instant in UTC as RFC 3339 writes it; `timespec` as `datetime.isoformat` takes it."""
    return instant.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def read_instant(text: str) -> datetime:
    """Read an instant of RFC 3339 or ISO 8601; without an offset it has no time zone. Raises ValueError.

    Letters may be small, a leap second is the second after it, and of a fraction six digits count.
    """
    text = text.strip().upper()
    plain, leaps = _LEAP_SECOND.subn(r"\g<1>59", text)
    plain, days = _MIDNIGHT.subn("00", plain)
    try:
        return datetime.fromisoformat(plain) + timedelta(seconds=leaps, days=days)
    except OverflowError as error:
        raise ValueError(f"{text} is beyond the years 1 to 9999") from error


def kept_ns(nanoseconds: int) -> int:
    """The nearest instant that can be kept to one in nanoseconds since 1970: a file system knows more years."""
    return min(max(nanoseconds, NS_MIN), NS_MAX)
