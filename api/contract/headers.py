"""The headers of answers and requests: a route has those that the code behind it names."""

from collections.abc import Collection
from typing import Any, NamedTuple


class Header(NamedTuple):
    """A header: what it tells, an example, and the answers it stands on."""

    name: str
    meaning: str
    example: str
    statuses: frozenset[int]
    always: bool = False


_WHOLE = frozenset({200, 206})
_SHOWN = frozenset({200, 206, 304})

ANSWERS = (
    Header("Location", "Where the new one is.", "https://…/api/v1/orders/019aa0c2-…", frozenset({201, 202}), True),
    Header("ETag", "Its version, for `If-None-Match`, `If-Match` and `If-Range`.", '"c4afd0467f0c5d67"', _SHOWN, True),
    Header("Last-Modified", "When it was made.", "Sat, 21 Nov 2026 11:44:00 GMT", _SHOWN),
    Header("Cache-Control", "Who may keep it.", "private, no-cache", _SHOWN | {201, 303}),
    Header("Accept-Ranges", "Ranges may be asked for.", "bytes", _WHOLE | {416}),
    Header("Content-Range", "Which bytes these are.", "bytes 0-99/1512131", frozenset({206, 416})),
    Header("Content-Disposition", "The name of the file.", 'attachment; filename="CO-2026-000042_1.zip"', _WHOLE),
    Header("Repr-Digest", "Its SHA-256 where it is known (RFC 9530).", "sha-256=:47DEQpj8…=:", _WHOLE),
    Header("Digest", "The same for tools that know RFC 3230.", "SHA-256=47DEQpj8…=", _WHOLE),
    Header("Link", "What belongs to it (RFC 8288, RFC 6249).", '<https://…/metalink>; rel="next"', _WHOLE),
)
_EVERY = Header("X-Request-ID", "Yours, or a new one; it is in the log.", "3f2a9c0d4b1e8f77", frozenset(), True)
_CHALLENGE = Header("WWW-Authenticate", "What to show instead (RFC 6750).", 'Bearer realm="consignor"', frozenset())
_RETRY = Header("Retry-After", "Seconds after which to ask again.", "5", frozenset())
_WHERE_TO = Header("Location", "Where to go.", "/", frozenset(), True)

REQUESTS = {
    "range": ("Range", "The bytes wanted.", "bytes=0-99"),
    "if-range": ("If-Range", "The range if it is still this, else everything.", '"c4afd0467f0c5d67"'),
    "if-match": ("If-Match", "412 unless it is still this.", '"c4afd0467f0c5d67"'),
    "if-none-match": ("If-None-Match", "304 if it is still this.", '"c4afd0467f0c5d67"'),
    "if-modified-since": ("If-Modified-Since", "304 if it is no newer.", "Sat, 21 Nov 2026 11:44:00 GMT"),
    "if-unmodified-since": ("If-Unmodified-Since", "412 if it is newer.", "Sat, 21 Nov 2026 11:44:00 GMT"),
}


def of_answer(status: int, words: Collection[str]) -> dict[str, Any]:
    """The headers of an answer of this status, where the code names these words."""
    found = [_EVERY]
    if status in {401, 403}:
        found.append(_CHALLENGE._replace(always=status == 401))
    if status in {429, 503}:
        found.append(_RETRY)
    if status == 303:
        found.append(_WHERE_TO)
    found += [header for header in ANSWERS if header.name in words and status in header.statuses]
    return {header.name: _described(header) for header in found}


def of_request(words: Collection[str]) -> list[dict[str, Any]]:
    """The headers that the code looks for, as parameters."""
    kind = {"in": "header", "required": False, "schema": {"type": "string"}}
    known = (REQUESTS[word] for word in REQUESTS if word in words)
    return [{"name": name, **kind, "description": meaning, "example": example} for name, meaning, example in known]


def _described(header: Header) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": header.meaning, "schema": {"type": "string"}, "example": header.example}
    return {**shown, "required": True} if header.always else shown
