"""People read and write the time of their machine."""

import time
from collections.abc import Iterator

import pytest
import typer

from cli.local_time import at, from_then, instant, last_of, until_then


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in Berlin, where a day of October has 25 hours."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def test_an_instant_is_shown_in_local_time() -> None:
    assert at("2026-11-28T23:30:05.123456Z") == "2026-11-29 00:30:05"
    assert instant("2026-07-01T10:00:00Z") == "2026-07-01 12:00:00 CEST"


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-11-01", "2026-11-01T00:00:00+01:00", "2026-11-02T00:00:00+01:00"),
        ("2026-10-25", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
        ("2026-11-01T12:30", "2026-11-01T12:30:00+01:00", "2026-11-01T12:30:00+01:00"),
        ("2026-11-01 12:30:01Z", "2026-11-01T13:30:01+01:00", "2026-11-01T13:30:01+01:00"),
    ],
)
def test_a_date_alone_is_a_whole_local_day(text: str, begin: str, end: str) -> None:
    assert (from_then(text), until_then(text)) == (begin, end)


def test_a_day_ends_with_its_last_moment_where_the_end_belongs_to_it() -> None:
    assert last_of("2026-11-01") == "2026-11-01T23:59:59.999999+01:00"
    assert last_of("2026-11-01T12:30Z") == "2026-11-01T13:30:00+01:00"


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "9999-12-31", ""])
def test_what_is_no_instant_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no instant: write it as in 2026-11-01"):
        until_then(text)
