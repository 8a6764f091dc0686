"""What part of a representation a request asks for (RFC 9110, sections 13 and 14)."""

import re
from typing import NamedTuple

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Span(NamedTuple):
    """Bytes from `start` up to, not including, `stop`."""

    start: int
    stop: int


class Unsatisfiable(Exception):
    """The range lies wholly behind the end."""


def wanted(range_header: str | None, if_range: str | None, *, etag: str, size: int) -> Span | None:
    """The one span asked for, or None for everything: also for a range we do not understand, as the RFC says.

    Raises Unsatisfiable. `If-Range` must be the strong ETag, or the range does not count.
    """
    if range_header is None or (if_range is not None and if_range.strip() != etag):
        return None
    if (match := _RANGE.fullmatch(range_header.strip().lower())) is None:
        return None
    first, last = match.groups()
    if first == "" and last == "":
        return None
    if first == "":
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= stop:
        raise Unsatisfiable
    return Span(start, stop)


def matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match names this ETag; the comparison is weak."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags
