"""Instants as others write them."""

from datetime import UTC, datetime


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
