"""Instants as people read and write them, in the time of this machine; the API and --json have them in UTC."""

from datetime import date, datetime, timedelta

import typer

_DATE = len("2026-11-01")


def at(text: str) -> str:
    """An instant of the API's, to the second."""
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S}"


def instant(text: str) -> str:
    """The same with the name of its zone, where no heading says it."""
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def from_then(text: str) -> str:
    """What somebody has written as a begin, for the API: a date alone is where that day begins here."""
    return _instant(text, days=0)


def until_then(text: str) -> str:
    """What somebody has written as an end, for the API: a date alone is where that day ends here."""
    return _instant(text, days=1)


def last_of(text: str) -> str:
    """The same where the end belongs to it: the last moment of a day."""
    end = datetime.fromisoformat(until_then(text))
    return (end - timedelta(microseconds=1) if len(text) == _DATE else end).isoformat()


def _instant(text: str, *, days: int) -> str:
    try:
        if len(text) == _DATE:
            day = date.fromisoformat(text) + timedelta(days=days)
            return datetime(day.year, day.month, day.day).astimezone().isoformat()
        # Without an offset it is the time of this machine.
        return datetime.fromisoformat(text).astimezone().isoformat()
    except (ValueError, OverflowError):
        hint = "write it as in 2026-11-01, 2026-11-01T12:30 or 2026-11-01T12:30:00Z"
        raise typer.BadParameter(f"{text!r} is no instant: {hint}") from None
