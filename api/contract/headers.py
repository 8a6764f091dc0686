"""The headers of an operation in the OpenAPI document: those that its code declares, and those of any answer."""

from collections.abc import Collection
from typing import Any

from api.http.answers import AnswerHeader, RequestHeader

_EVERY = AnswerHeader("X-Request-ID", "Yours, or a new one; it is in the log.", "3f2a9c0d4b1e8f77", frozenset(), True)
_CHALLENGE = AnswerHeader(
    "WWW-Authenticate", "What to show instead (RFC 6750).", 'Bearer realm="consignor"', frozenset()
)
_RETRY = AnswerHeader("Retry-After", "Seconds after which to ask again.", "5", frozenset())
_WHERE_TO = AnswerHeader("Location", "Where to go.", "/", frozenset(), True)


def of_answer(status: int, declared: Collection[AnswerHeader]) -> dict[str, Any]:
    """The headers of an answer of this status."""
    found = [_EVERY]
    if status in {401, 403}:
        found.append(_CHALLENGE._replace(always=status == 401))
    if status in {429, 503}:
        found.append(_RETRY)
    if status == 303:
        found.append(_WHERE_TO)
    found += [header for header in declared if status in header.statuses]
    return {header.name: _described(header) for header in found}


def of_request(declared: Collection[RequestHeader]) -> list[dict[str, Any]]:
    """The headers that the code looks for, as parameters."""
    kind = {"in": "header", "required": False, "schema": {"type": "string"}}
    return [{"name": name, **kind, "description": meaning, "example": example} for name, meaning, example in declared]


def _described(header: AnswerHeader) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": header.meaning, "schema": {"type": "string"}, "example": header.example}
    return {**shown, "required": True} if header.always else shown
