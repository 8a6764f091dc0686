"""The schemas of problems: one for each code, so that a client can tell them apart by it."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.contract.annotations import set_at_birth
from api.problems import STATUS_OF
from models import errors

SCHEMAS = "#/components/schemas/"
EXAMPLES = "#/components/examples/"
MEDIA_TYPE = "application/problem+json"

_FAULT = {"field": "items/0/product", "code": "unknown_id", "text": "there is no such product"}
_FAULTS = {"faults": {"type": "array", "items": {"$ref": f"{SCHEMAS}FaultPublic"}}}
_MEMBERS: Mapping[str, dict[str, Any]] = {
    errors.IllegalTransition.code: {
        "order_status": {"type": "string", "examples": ["fulfilled"]},
        "command": {"type": "string", "examples": ["pause"]},
        "allowed": {"type": "array", "items": {"type": "string"}, "examples": [["delete"]]},
    },
    errors.InvalidCursor.code: _FAULTS,
    errors.CommandPending.code: {"accepted": {"type": "boolean", "examples": [True]}},
    "too_large": _FAULTS,
    "unsupported_media_type": _FAULTS,
}
"""What a problem of this code has besides what each has; `faults` that an error carries need not be told here."""

_SENTENCES: Mapping[str, str] = {
    "invalid_request": "The request is not as it is described here.",
    "too_large": "The body is larger than any that is read.",
    "unsupported_media_type": "The body is not JSON, or it is compressed.",
    "database_unavailable": "The database does not answer; nothing has changed.",
    "draining": "This process is about to stop; another one takes the same request.",
    "not_migrated": "The database is not migrated.",
    "not_found": "There is no such thing, or it is somebody else's.",
}
"""The problems that no error of the domain stands for."""

_OF_FILES = [
    errors.Failure(code=code, text="")
    for code in errors.FailureCode
    # The facade says of the database itself that it is away.
    if code not in {*errors.DESTINATION_FAILURES, errors.FailureCode.DATABASE_UNAVAILABLE}
]
_LOST = tuple(str(failure.code) for failure in _OF_FILES if not failure.retryable)
_NO_FILE = "The file is not what it was, or cannot be had any more."
_AWAY = tuple(str(failure.code) for failure in _OF_FILES if failure.retryable)


@dataclass(frozen=True, order=True)
class Kind:
    """A kind of problem: its status, its code or codes, and the sentence that says what has happened."""

    status: int
    codes: tuple[str, ...]
    sentence: str = field(compare=False)
    members: tuple[str, ...] = field(compare=False, default=())

    @property
    def name(self) -> str:
        """Of its schema."""
        if len(self.codes) > 1:
            return f"Failure{self.status}Problem"
        (code,) = self.codes
        again = {("invalid_request", 400): "400"}.get((code, self.status), "")
        return "".join(word.title() for word in code.split("_")) + f"{again}Problem"

    def schema(self) -> dict[str, Any]:
        """All that a problem of this kind has."""
        code: dict[str, Any] = {"const": self.codes[0]} if len(self.codes) == 1 else {"enum": list(self.codes)}
        more = {**_MEMBERS.get(self.codes[0], {}), **(_FAULTS if "faults" in self.members else {})}
        properties = {
            "type": {"type": "string", "examples": [f"urn:consignor:problem:{self.codes[0]}"]},
            "title": {"type": "string", "examples": [self.codes[0].replace("_", " ")]},
            "status": {"type": "integer", "const": self.status},
            "code": {"type": "string", **code},
            "detail": {"type": "string", "examples": [self.sentence]},
            **more,
        }
        return {"type": "object", "description": self.sentence, "properties": properties, "required": list(properties)}


def kinds_of(raised: Iterable[type[errors.DomainError]]) -> Iterator[Kind]:
    """The kinds of problem that these errors become."""
    for error in raised:
        if issubclass(error, errors.Failed):
            yield Kind(410, _LOST, _NO_FILE)
            yield Kind(503, _AWAY, "The storage does not answer.")
        elif error is errors.FileFailed:
            yield Kind(STATUS_OF[error], _LOST, _NO_FILE)
        elif issubclass(error, errors.Refusal) and error in STATUS_OF:
            sentence = inspect.cleandoc(error.__doc__ or "").partition("\n")[0]
            yield Kind(STATUS_OF[error], (error.code,), sentence, _members(error))


def _members(error: Any) -> tuple[str, ...]:
    return tuple(set_at_birth(error))


def kind_of(status: int, code: str) -> Kind:
    """The kind of a problem that no error of the domain stands for."""
    members = ("faults",) if (status, code) == (422, "invalid_request") else ()
    return Kind(status, (code,), _SENTENCES[code], members)


def response(kinds: Iterable[Kind]) -> dict[str, Any]:
    """The answer that is a problem of one of these kinds, with an example of each."""
    named = {kind.name: kind for kind in sorted(kinds)}
    references = [{"$ref": SCHEMAS + name} for name in named]
    schema: dict[str, Any] = references[0]
    if len(named) > 1:
        mapping = {code: SCHEMAS + name for name, kind in named.items() for code in kind.codes}
        schema = {"oneOf": references, "discriminator": {"propertyName": "code", "mapping": mapping}}
    examples = {kind.codes[0]: {"$ref": EXAMPLES + name} for name, kind in named.items()}
    description = " ".join(kind.sentence for kind in named.values())
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}}}


def example(kind: Kind) -> dict[str, Any]:
    """What a problem of this kind looks like."""
    code = kind.codes[0]
    shown = {
        "type": f"urn:consignor:problem:{code}",
        "title": code.replace("_", " "),
        "status": kind.status,
        "code": code,
        "detail": kind.sentence,
    }
    properties = kind.schema()["properties"]
    known = {**shown, "faults": [_FAULT]}
    return {name: known[name] if name in known else value["examples"][0] for name, value in properties.items()}
