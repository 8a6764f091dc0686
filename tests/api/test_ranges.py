"""Range and conditional headers, whatever is in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ranges import Span, Unsatisfiable, matches, wanted

ETAG = '"abc"'
HEADERS = st.text() | st.from_regex(r"bytes=[0-9]{0,20}-[0-9]{0,20}", fullmatch=True)


@given(HEADERS, st.integers(0, 2**62))
def test_any_header_gives_a_span_within_the_size_or_the_whole_or_is_refused(header: str, size: int) -> None:
    try:
        span = wanted(header, None, etag=ETAG, size=size)
    except Unsatisfiable:
        return
    assert span is None or 0 <= span.start < span.stop <= size


@given(st.data(), st.integers(1, 2**40))
def test_a_range_within_the_size_is_granted_as_asked(data: st.DataObject, size: int) -> None:
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size - 1))
    assert wanted(f"bytes={first}-{last}", ETAG, etag=ETAG, size=size) == Span(first, last + 1)
    assert wanted(f"bytes={first}-", None, etag=ETAG, size=size) == Span(first, size)
    assert wanted(f"bytes=-{size - first}", None, etag=ETAG, size=size) == Span(first, size)


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_range_behind_the_end_is_refused(size: int, beyond: int) -> None:
    with pytest.raises(Unsatisfiable):
        wanted(f"bytes={size + beyond}-", None, etag=ETAG, size=size)


@given(st.text().filter(lambda text: text.strip() != ETAG))
def test_a_condition_that_does_not_hold_gives_the_whole(condition: str) -> None:
    assert wanted("bytes=0-1", condition, etag=ETAG, size=10) is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (ETAG, True),
        ("W/" + ETAG, True),
        ('"x", "abc"', True),
        ("*", True),
        ('"x"', False),
        ("abc", False),
        (None, False),
    ],
)
def test_an_etag_is_found_in_a_list_of_them(header: str | None, found: bool) -> None:
    assert matches(header, ETAG) is found
