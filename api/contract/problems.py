"""The schemas of problems: one for each code, so that a client can tell them apart by it."""

from collections.abc import Iterable, Mapping
from typing import Any

from api.http.answers import ProblemKind
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


_ALSO_422 = frozenset({"invalid_request", errors.InvalidCursor.code})


def name_of(kind: ProblemKind) -> str:
    """The name of its schema."""
    if len(kind.codes) > 1:
        return f"Failure{kind.status}Problem"
    (code,) = kind.codes
    # Codes that most routes answer 422 with.
    again = "400" if kind.status == 400 and code in _ALSO_422 else ""
    return "".join(word.title() for word in code.split("_")) + f"{again}Problem"


def schema_of(kind: ProblemKind) -> dict[str, Any]:
    """All that a problem of this kind has."""
    code: dict[str, Any] = {"const": kind.codes[0]} if len(kind.codes) == 1 else {"enum": list(kind.codes)}
    more = {**_MEMBERS.get(kind.codes[0], {}), **(_FAULTS if kind.has_faults else {})}
    properties = {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "const": kind.status},
        "code": {"type": "string", **code},
        "detail": {"type": "string"},
        **more,
    }
    return {"type": "object", "description": kind.sentence, "properties": properties, "required": list(properties)}


def response(kinds: Iterable[ProblemKind]) -> dict[str, Any]:
    """The answer that is a problem of one of these kinds, with an example of each."""
    named = {name_of(kind): kind for kind in sorted(kinds)}
    references = [{"$ref": SCHEMAS + name} for name in named]
    schema: dict[str, Any] = references[0]
    if len(named) > 1:
        mapping = {code: SCHEMAS + name for name, kind in named.items() for code in kind.codes}
        schema = {"oneOf": references, "discriminator": {"propertyName": "code", "mapping": mapping}}
    examples = {kind.codes[0]: {"$ref": EXAMPLES + name} for name, kind in named.items()}
    # Each example says what its kind means; all sentences in each answer would be said a thousand times.
    (description, *others) = (kind.sentence for kind in named.values())
    if others:
        description = "One of several problems, which their `code` tells apart."
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}}}


def example(kind: ProblemKind) -> dict[str, Any]:
    """What a problem of this kind looks like."""
    code = kind.codes[0]
    shown = {
        "type": f"urn:consignor:problem:{code}",
        "title": code.replace("_", " "),
        "status": kind.status,
        "code": code,
        "detail": kind.sentence,
    }
    properties = schema_of(kind)["properties"]
    known = {**shown, "faults": [_FAULT]}
    return {name: known[name] if name in known else value["examples"][0] for name, value in properties.items()}
