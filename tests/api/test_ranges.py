"""Conditions and ranges by the letter of RFC 9110."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.ranges import MAX_RANGES, Unsatisfiable, Version, not_modified, parse_range
from models.coverage import Span
from models.errors import PreconditionFailed

MADE = datetime(2026, 3, 3, 5, 6, 7, 891, tzinfo=UTC)
DATE, BEFORE, AFTER = (f"Tue, 03 Mar 2026 05:06:0{second} GMT" for second in (7, 6, 8))
RFC_850, ASCTIME = "Tuesday, 03-Mar-26 05:06:07 GMT", "Tue Mar  3 05:06:07 2026"
NOW = MADE + timedelta(hours=1)
V = Version('"a"', 1000, MADE)


def spans(asked: str, version: Version = V, **more: str) -> list[Span] | None:
    return parse_range({"range": asked, **{k.replace("_", "-"): v for k, v in more.items()}}, version, now=NOW)


@given(st.integers(0, 2_000), st.integers(0, 2_000), st.integers(0, 1_000))
def test_a_range_is_a_slice(first: int, last: int, size: int) -> None:
    version = V._replace(size=size)
    everything = bytes(i % 251 for i in range(size))
    if last < first:
        assert spans(f"bytes={first}-{last}", version) is None
    elif first >= size:
        with pytest.raises(Unsatisfiable):
            spans(f"bytes={first}-{last}", version)
    else:
        found = spans(f"bytes={first}-{last}", version)
        assert found is not None
        assert everything[found[0].start : found[0].stop] == everything[first : last + 1]


@given(st.integers(1, 2_000), st.integers(1, 1_000))
def test_a_suffix_is_the_end(count: int, size: int) -> None:
    assert spans(f"bytes=-{count}", V._replace(size=size)) == [Span(max(size - count, 0), size)]


@given(st.text(max_size=30))
def test_no_text_is_an_error_of_ours(text: str) -> None:
    for asked in (text, f"bytes={text}"):
        try:
            found = spans(asked, if_range=text)
        except Unsatisfiable:
            continue
        assert found is None or all(0 <= span.start < span.stop <= 1000 for span in found)


def test_several_ranges_are_given_as_they_were_asked_for_and_those_behind_the_end_left_out() -> None:
    assert spans("bytes= 500-599 ,0-1,, 2000-, -10") == [Span(500, 600), Span(0, 2), Span(990, 1000)]
    assert spans("bytes=0-0,2000-") == [Span(0, 1)]
    with pytest.raises(Unsatisfiable):
        spans("bytes=1000-,2000-3000,-0")


def test_ranges_that_overlap_or_are_too_many_give_the_whole() -> None:
    assert spans("bytes=0-10,5-20") is None
    assert spans("bytes=0-,-1") is None
    many = ",".join(f"{2 * n}-{2 * n}" for n in range(MAX_RANGES + 1))
    assert spans(f"bytes={many}") is None
    assert len(spans("bytes=" + many.rpartition(",")[0]) or ()) == MAX_RANGES


LARGE = ["1" + "0" * digits for digits in (17, 18, 19, 20, 400, 5_000)]


@pytest.mark.parametrize("position", LARGE, ids=len)
def test_a_position_of_however_many_digits_is_a_position(position: str) -> None:
    for beyond in (f"bytes={position}-", f"bytes={position}-{position}", f"bytes=1000-{position}"):
        with pytest.raises(Unsatisfiable):
            spans(beyond)
    for cut in (f"bytes=10-{position}", f"bytes=00{'0' * 20}10-{position}", f"bytes={position}-,10-{position}"):
        assert spans(cut) == [Span(10, 1000)]
    assert spans(f"bytes=-{position}") == [Span(0, 1000)]
    # The end before the beginning is not a range, so that it does not count.
    assert spans(f"bytes={position}1-{position}") is None
    assert spans(f"bytes={position}-{position[:-1]}") is None


def test_zeros_before_a_position_change_nothing() -> None:
    assert spans("bytes=000-0000") == [Span(0, 1)]
    assert spans("bytes=-0001") == [Span(999, 1000)]
    with pytest.raises(Unsatisfiable):
        spans("bytes=-00")


@pytest.mark.parametrize("asked", ["bytes=0-1,x", "bytes=1-0,5-6", "bytes=-", "lines=0-1", "bytes", "0-1"])
def test_what_is_no_range_does_not_count(asked: str) -> None:
    assert spans(asked) is None


def test_if_range_lets_a_range_count_for_the_very_version_only() -> None:
    for good in ('"a"', DATE, RFC_850, ASCTIME):
        assert spans("bytes=0-1", if_range=good) == [Span(0, 2)]
    for bad in ('"b"', 'W/"a"', BEFORE, AFTER, "", "yesterday"):
        assert spans("bytes=0-1", if_range=bad) is None, bad
    # Within the second that a date can tell of, there may have been another version.
    young = {"range": "bytes=0-1", "if-range": DATE}
    assert parse_range(young, V, now=MADE + timedelta(milliseconds=500)) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"if-none-match": '"a"'}, True),
        ({"if-none-match": '"b", W/"a"'}, True),
        ({"if-none-match": "*"}, True),
        ({"if-none-match": '"b"', "if-modified-since": AFTER}, False),
        ({"if-modified-since": DATE}, True),
        ({"if-modified-since": BEFORE}, False),
        ({"if-modified-since": "some day"}, False),
        ({"if-none-match": '"b,c", "a"'}, True),
        ({"if-none-match": '"b, ", "a", "c"'}, True),
        ({"if-none-match": '"*"'}, False),
        ({"if-none-match": '"a-gzip"'}, True),
        ({"if-none-match": 'W/"a;br"'}, True),
        ({"if-none-match": '"a-zip"'}, False),
        ({"if-none-match": ""}, False),
        ({"if-modified-since": RFC_850}, True),
        ({"if-modified-since": ASCTIME}, True),
        ({"if-modified-since": "Tue Mar  3 05:06:06 2026"}, False),
        ({"if-modified-since": f"{DATE}, {DATE}"}, False),
        ({"if-match": '"b", "a"'}, False),
        ({"if-match": '"a"', "if-unmodified-since": BEFORE}, False),
        ({"if-match": "*"}, False),
        ({"if-unmodified-since": DATE}, False),
        ({"if-unmodified-since": RFC_850}, False),
        ({"if-unmodified-since": ASCTIME}, False),
        ({"if-unmodified-since": "Tue, 03 Mar 20266 05:06:06 GMT"}, False),
    ],
)
def test_a_client_is_told_when_it_has_this_version_already(headers: dict[str, str], expected: bool) -> None:
    assert not_modified(headers, V, now=NOW) == expected


@pytest.mark.parametrize(
    "headers",
    [
        *({"if-match": tags} for tags in ('"b"', 'W/"a"', "", '"a-gzip"', '"b, a"', "a")),
        *(
            {"if-unmodified-since": date}
            for date in (BEFORE, "Tue Mar  3 05:06:06 2026", "Tue, 03 Mar 1000 05:06:06 GMT")
        ),
    ],
)
def test_a_request_meant_for_another_version_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(PreconditionFailed):
        not_modified(headers, V, now=NOW)
