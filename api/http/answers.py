"""The answers that endpoints and dependencies declare: refusals, other problems and headers.

An endpoint says `@answers(NotFound, Gone, ETAG)`, and so does a dependency that refuses. `api.contract` makes the
OpenAPI document of them, and the tests hold every answer they see against that.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from models import errors


@dataclass(frozen=True, order=True)
class ProblemKind:
    """A kind of problem: its status, its code or codes, the sentence that says what has happened, and its members."""

    status: int
    codes: tuple[str, ...]
    sentence: str = field(compare=False)
    has_faults: bool = field(compare=False, default=False)


class AnswerHeader(NamedTuple):
    """A header of answers: what it tells, an example, and the statuses it stands on."""

    name: str
    meaning: str
    example: str
    statuses: frozenset[int]
    always: bool = False


class RequestHeader(NamedTuple):
    """A header that a route looks for: what it asks, and an example."""

    name: str
    meaning: str
    example: str


Declared = type[errors.DomainError] | ProblemKind | AnswerHeader | RequestHeader


Function = TypeVar("Function", bound=Callable[..., Any])

_ATTRIBUTE = "declared_answers"


def answers(*declared: Declared) -> Callable[[Function], Function]:
    """Declare what an endpoint or a dependency may answer besides its success."""

    def mark(function: Function) -> Function:
        setattr(function, _ATTRIBUTE, declared)
        return function

    return mark


def declared_by(function: Callable[..., Any]) -> tuple[Declared, ...]:
    """What an endpoint or a dependency has declared."""
    return getattr(function, _ATTRIBUTE, ())


_OF_FILES = [
    errors.Failure(code=code, text="")
    for code in errors.FailureCode
    # The facade has a problem of its own for a database that does not answer.
    if code not in {*errors.DESTINATION_FAILURES, errors.FailureCode.DATABASE_UNAVAILABLE}
]
_LOST_CODES = tuple(str(failure.code) for failure in _OF_FILES if not failure.retryable)
_UNAVAILABLE_CODES = tuple(str(failure.code) for failure in _OF_FILES if failure.retryable)
_LOST = ProblemKind(410, _LOST_CODES, "The file is not what it was, or cannot be had any more.")
_UNAVAILABLE = ProblemKind(503, _UNAVAILABLE_CODES, "The storage does not answer.")


def problems_of(declared: Declared) -> Iterator[ProblemKind]:
    """The kinds of problem that a declared answer becomes; none where it is a header."""
    match declared:
        case ProblemKind():
            yield declared
            if declared is DATABASE_UNAVAILABLE:
                # Whatever asks the database may find it without its tables, or wait too long for its turn.
                yield NOT_MIGRATED
                yield from problems_of(errors.ServerBusy)
        case type() if issubclass(declared, errors.Failed):
            yield from (_LOST, _UNAVAILABLE)
        case type() if declared is errors.FileFailed:
            yield _LOST
        case type() if issubclass(declared, errors.Refusal):
            sentence = inspect.cleandoc(declared.__doc__ or "").partition("\n")[0]
            has_faults = issubclass(declared, errors.RefusalWithFaults)
            yield ProblemKind(declared.http_status, (declared.code,), sentence, has_faults)


INVALID_REQUEST = ProblemKind(422, ("invalid_request",), "The request is not as it is described here.", True)
TOO_LARGE = ProblemKind(413, ("too_large",), "The body is larger than any that is read.", True)
UNSUPPORTED_MEDIA_TYPE = ProblemKind(
    415, ("unsupported_media_type",), "The body is not JSON, or it is compressed.", True
)
DATABASE_UNAVAILABLE = ProblemKind(503, ("database_unavailable",), "The database does not answer; nothing has changed.")
NOT_MIGRATED = ProblemKind(503, ("not_migrated",), "The database is not migrated to this release; nothing has changed.")
DRAINING = ProblemKind(503, ("draining",), "This process is about to stop; another one takes the same request.")

_WHOLE = frozenset({200, 206})
_SHOWN = frozenset({200, 206, 304})

LOCATION = AnswerHeader(
    "Location", "Where the new one is.", "https://…/api/v1/orders/019aa0c2-…", frozenset({201, 202, 204}), True
)
ETAG = AnswerHeader(
    "ETag", "Its version, for `If-None-Match`, `If-Match` and `If-Range`.", '"c4afd0467f0c5d67"', _SHOWN, True
)
LAST_MODIFIED = AnswerHeader("Last-Modified", "When it was made.", "Sat, 21 Nov 2026 11:44:00 GMT", _SHOWN)
CACHE_CONTROL = AnswerHeader("Cache-Control", "Who may keep it.", "private, no-cache", _SHOWN | {201, 303})
ACCEPT_RANGES = AnswerHeader("Accept-Ranges", "Ranges may be asked for.", "bytes", _WHOLE | {416})
CONTENT_RANGE = AnswerHeader("Content-Range", "Which bytes these are.", "bytes 0-99/1512131", frozenset({206, 416}))
CONTENT_DISPOSITION = AnswerHeader(
    "Content-Disposition", "The name of the file.", 'attachment; filename="CO-2026-000042_1.zip"', _WHOLE
)
REPR_DIGEST = AnswerHeader("Repr-Digest", "Its SHA-256 where it is known (RFC 9530).", "sha-256=:47DEQpj8…=:", _WHOLE)
DIGEST = AnswerHeader("Digest", "The same for tools that know RFC 3230.", "SHA-256=47DEQpj8…=", _WHOLE)
LINK = AnswerHeader("Link", "What belongs to it (RFC 8288, RFC 6249).", '<https://…/metalink>; rel="next"', _WHOLE)

RANGE = RequestHeader("Range", "The bytes wanted.", "bytes=0-99")
IF_RANGE = RequestHeader("If-Range", "The range if it is still this, else everything.", '"c4afd0467f0c5d67"')
IF_MATCH = RequestHeader("If-Match", "412 unless it is still this.", '"c4afd0467f0c5d67"')
IF_NONE_MATCH = RequestHeader("If-None-Match", "304 if it is still this.", '"c4afd0467f0c5d67"')
IF_MODIFIED_SINCE = RequestHeader("If-Modified-Since", "304 if it is no newer.", "Sat, 21 Nov 2026 11:44:00 GMT")
IF_UNMODIFIED_SINCE = RequestHeader("If-Unmodified-Since", "412 if it is newer.", "Sat, 21 Nov 2026 11:44:00 GMT")

CONDITIONS = (errors.PreconditionFailed, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE)
"""What a route answers with that compares conditions (RFC 9110, section 13)."""
