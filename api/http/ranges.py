"""What part of a representation a request asks for (RFC 9110, sections 13 and 14).

Ours, though werkzeug.http reads the same headers: it cuts no range at the end, refuses none that overlap, reads dates
as mail does, and takes 30 ms of every start to be imported.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from api.http.dates import parse_http_date
from api.http.entity_tags import EntityTags
from models.coverage import Span
from models.errors import PreconditionFailed

MAX_RANGES = 32
"""Ranges in one request; a request for more gets everything, which costs less than many pieces."""

_RANGE = re.compile(r"(\d*)-(\d*)", re.ASCII)
_BEYOND = 2**63
"""Stands for every position that has more digits than any content has bytes; Python reads no number of 4,301 digits."""
_STRONG_AFTER = timedelta(seconds=1)


class Version(NamedTuple):
    """A version of a representation: a strong ETag, a length, and when it was made if that is known."""

    etag: str
    size: int
    modified: datetime | None


class Unsatisfiable(Exception):
    """Every range lies wholly behind the end."""


def not_modified(headers: Mapping[str, str], version: Version, *, now: datetime) -> bool:
    """Whether the client has this version already (304). Raises PreconditionFailed (412).

    In the order of RFC 9110, section 13.2.2: a condition with an ETag takes precedence over one with a date.
    """
    if (tags := headers.get("if-match")) is not None:
        # Strong comparison: a weak tag never matches.
        if not EntityTags(tags).match_bytes(version.etag):
            raise PreconditionFailed
    elif _is_younger(version, _instant(headers.get("if-unmodified-since"), now)):
        raise PreconditionFailed
    if (tags := headers.get("if-none-match")) is not None:
        return EntityTags(tags).match_version(version.etag)
    since = _instant(headers.get("if-modified-since"), now)
    return since is not None and version.modified is not None and not _is_younger(version, since)


def _is_younger(version: Version, instant: datetime | None) -> bool:
    """Whether the version was made after an instant; False where either is unknown."""
    return instant is not None and version.modified is not None and _seconds(version.modified) > instant


def parse_range(headers: Mapping[str, str], version: Version, *, now: datetime) -> list[Span] | None:
    """The spans of a Range header, or None for everything: also for ranges that are not understood or not worth it.

    Raises Unsatisfiable.
    """
    header = headers.get("range")
    if header is None or not _if_range_holds(headers.get("if-range"), version, now):
        return None
    unit, _, sets = header.strip().partition("=")
    if unit.lower() != "bytes":
        return None
    parts = [part.strip() for part in sets.split(",") if part.strip()]
    spans = [_span(part, version.size) for part in parts]
    if not spans or None in spans or len(spans) > MAX_RANGES:
        return None
    found = [span for span in spans if span is not None and span.start < span.stop]
    if not found:
        raise Unsatisfiable
    if any(before.stop > after.start for before, after in pairwise(sorted(found))):
        return None
    return found


def _if_range_holds(if_range: str | None, version: Version, now: datetime) -> bool:
    """Whether If-Range lets the range count: the strong ETag, or the very date where a second has gone by since."""
    if if_range is None or if_range.strip() == version.etag:
        return True
    when = _instant(if_range, now)
    if when is None or version.modified is None:
        return False
    return when == _seconds(version.modified) and now - version.modified > _STRONG_AFTER


def _span(text: str, size: int) -> Span | None:
    """One range, cut at the end of the content; empty where it lies behind it; None where it cannot be parsed."""
    if (match := _RANGE.fullmatch(text)) is None or text == "-":
        return None
    first, last = (digits.lstrip("0") if digits.strip("0") else digits[:1] for digits in match.groups())
    if not first:
        return Span(max(size - _position(last), 0), size)
    if last and (len(last), last) < (len(first), first):
        return None
    return Span(_position(first), min(_position(last) + 1, size) if last else size)


def _position(digits: str) -> int:
    """A number without leading zeros."""
    return int(digits) if len(digits) < len(str(_BEYOND)) else _BEYOND


def _instant(text: str | None, now: datetime) -> datetime | None:
    """An HTTP date; one that cannot be parsed counts as not sent."""
    return None if text is None else parse_http_date(text, now)


def _seconds(instant: datetime) -> datetime:
    """The instant in the whole seconds of an HTTP date."""
    return instant.astimezone(UTC).replace(microsecond=0)
