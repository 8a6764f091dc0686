"""Instants as others write them are read; the years that can be kept are few."""

import pytest

from models.instants import kept_ns, read_instant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2016-12-31T23:59:59Z", "2016-12-31T23:59:59+00:00"),
        ("2016-12-31t23:59:59z", "2016-12-31T23:59:59+00:00"),
        ("2016-12-31 23:59:59+0100", "2016-12-31T23:59:59+01:00"),
        ("2016-12-31T23:59:59.123456789Z", "2016-12-31T23:59:59.123456+00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("2016-12-31T23:59:60.25+01:00", "2017-01-01T00:00:00.250000+01:00"),
        ("20161231T235960Z", "2017-01-01T00:00:00+00:00"),
        ("2016-12-31T24:00:00Z", "2017-01-01T00:00:00+00:00"),
        ("2016-12-31 24:00", "2017-01-01T00:00:00"),
        (" 2016-12-31T23:59:59 ", "2016-12-31T23:59:59"),
        ("2016-12-31", "2016-12-31T00:00:00"),
    ],
)
def test_an_instant_is_read_as_people_write_it(text: str, meant: str) -> None:
    assert read_instant(text).isoformat() == meant


@pytest.mark.parametrize(
    "text",
    ["", "2016", "yesterday", "2016-12-31T23:60:00Z", "2016-12-31T24:00:01Z", "2016-12-31T23:59:61Z",
     "9999-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "\ud800"],
)  # fmt: skip
def test_what_is_no_instant_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_instant(text)


def test_nanoseconds_beyond_64_bits_are_the_nearest() -> None:
    kept = [kept_ns(at) for at in (-(2**70), -(2**63), 0, 2**63 - 1, 2**63, 2**70)]
    assert kept == [-(2**63), -(2**63), 0, 2**63 - 1, 2**63 - 1, 2**63 - 1]
