"""The OpenAPI document of the facade: FastAPI's, made whole by what each route declares."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from api.contract import headers
from api.contract.examples import example_of
from api.contract.problems import SCHEMAS, example, name_of, response, schema_of
from api.contract.sharing import share
from api.contract.tags import TAGS
from api.http import answers
from api.http.answers import AnswerHeader, Declared, ProblemKind, RequestHeader
from api.http.bodies import LONG_LIST, MAX_BODY_BYTES, MAX_LIST_BYTES
from api.http.methods import SAFE_METHODS
from api.http.parameters import reject_unknown_query_parameters
from api.identity.details import UNSHOWN, may_be_unshown
from api.problems import status_on_route
from models import errors

_EXEMPLIFIED = ("/json", "/geo+json")
_BODILESS = frozenset({204, 303, 304, 416})
_RANGED = frozenset({"206", "416"})
"""Ranges are of a GET alone (RFC 9110, section 14.2)."""
_SENTENCE_END = re.compile(r"(?<=[.]) ")
_DERIVED = frozenset({"422"})
"""What FastAPI adds by itself and the document says better."""
_MEANING = {
    "200": "What was asked for",
    "201": "Made",
    "202": "Accepted",
    "204": "Done",
    "303": "See Other",
}
_GENERAL = f"""Errors are problem documents (RFC 9457); `code` is stable. Besides what is listed, any path answers 405
to methods it does not know, 400, 408, 431 and 501 to what is no request after RFC 9112 or is not sent in time, and 500
`internal` would be an internal error. Bodies are JSON of at most
{MAX_BODY_BYTES // 1024} KiB, or {MAX_LIST_BYTES // 1024**2} MiB where more than {LONG_LIST:,} things may be listed.
Every answer carries `X-Request-ID`."""


def document(app: FastAPI, made: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's document with every status, header, error and example. Changes it in place."""
    made["info"]["description"] = " ".join(_GENERAL.split())
    made["servers"] = [{"url": "/", "description": "Where this document is served."}]
    made["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    kinds: set[ProblemKind] = set()
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = made["paths"][route.path_format][method.lower()]
                kinds |= _complete(operation, _Operation(route, method), made)
    _describe_problems(made["components"]["schemas"], kinds)
    shown = {name_of(kind): {"summary": kind.sentence, "value": example(kind)} for kind in sorted(kinds)}
    made["components"]["examples"] = shown
    for schema in made["components"]["schemas"].values():
        _drop_titles(schema)
    share(made)
    return made


class _Operation:
    """A method of a route, and what it and its dependencies declare."""

    def __init__(self, route: RouteContext, method: str) -> None:
        self.route, self.method = route, method
        self.declared = list(_declared(route))

    @property
    def answer_headers(self) -> list[AnswerHeader]:
        """The headers of its answers."""
        return [one for one in self.declared if isinstance(one, AnswerHeader)]

    @property
    def request_headers(self) -> list[RequestHeader]:
        """The headers that it looks for."""
        return [one for one in self.declared if isinstance(one, RequestHeader)]

    def problems(self) -> Iterator[ProblemKind]:
        """The problems it may answer, with the statuses of its route."""
        for kind in self._problems():
            yield replace(kind, status=status_on_route(self.route.dependant, kind.status))

    def _problems(self) -> Iterator[ProblemKind]:
        """Those declared, and those of all that write or have a body or parameters."""
        writes = self.method not in SAFE_METHODS
        for declared in self.declared:
            # Who only reads may come from anywhere.
            if writes or declared is not errors.CrossSite:
                yield from answers.problems_of(declared)
        if writes:
            yield answers.DRAINING
        if self.route.body_field is not None:
            yield answers.TOO_LARGE
            yield answers.UNSUPPORTED_MEDIA_TYPE
        if self._checks():
            yield answers.INVALID_REQUEST

    def _checks(self) -> bool:
        """Whether there is anything in a request that could be wrong."""
        strict = reject_unknown_query_parameters in _calls(self.route.dependant)
        return strict or self.route.body_field is not None or any(_parameters(self.route.dependant))


def _calls(dependant: Any) -> Iterator[Callable[..., Any]]:
    if dependant.call is not None:
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _declared(route: RouteContext) -> Iterator[Declared]:
    """What a route and each of its dependencies declare, each once."""
    calls = _calls(route.dependant)
    return iter(dict.fromkeys(one for call in calls for one in answers.declared_by(call)))


def _parameters(dependant: Any) -> Iterator[Any]:
    yield from (*dependant.path_params, *dependant.query_params, *dependant.header_params, *dependant.cookie_params)
    for inner in dependant.dependencies:
        yield from _parameters(inner)


def _complete(operation: dict[str, Any], found: _Operation, made: dict[str, Any]) -> set[ProblemKind]:
    """Put everything into an operation that it declares; gives the problems it has."""
    kinds, responses = set(found.problems()), operation["responses"]
    for status in [status for status in responses if status in _DERIVED or _is_never(found, status)]:
        del responses[status]
    for number in {kind.status for kind in kinds}:
        responses[str(number)] = response(kind for kind in kinds if kind.status == number)
    if found.method not in SAFE_METHODS and may_be_unshown(found.route.dependant):
        responses.setdefault("204", dict(UNSHOWN))
    _add_parameters(operation, found)
    for status, answer in responses.items():
        _complete_answer(answer, int(status), found, made["components"]["schemas"])
    operation["responses"] = dict(sorted(responses.items()))
    operation["description"] = text = " ".join(operation["description"].split())
    operation["summary"] = _SENTENCE_END.split(text, maxsplit=1)[0]
    # Said of every operation, so that nobody has to know what holds where nothing is said.
    operation.setdefault("security", [])
    _show_body(operation, made["components"]["schemas"])
    return kinds


def _is_never(found: _Operation, status: str) -> bool:
    return found.method == "HEAD" and status in _RANGED


def _complete_answer(answer: dict[str, Any], status: int, found: _Operation, schemas: dict[str, Any]) -> None:
    if answer["description"] == "Successful Response":
        answer["description"] = _MEANING.get(str(status), "Done")
    answer["headers"] = headers.of_answer(status, found.answer_headers)
    if found.method == "HEAD" or status in _BODILESS:
        answer.pop("content", None)
    for media_type, content in answer.get("content", {}).items():
        if not media_type.endswith("json"):
            continue
        # A schema that a route has written down itself brings its parts with it.
        schemas |= content.setdefault("schema", {"type": "object"}).pop("$defs", {})
        if media_type.endswith(_EXEMPLIFIED) and content["schema"] != {"type": "object"} and "example" not in content:
            content["example"] = example_of(content["schema"], schemas)


def _add_parameters(operation: dict[str, Any], found: _Operation) -> None:
    parameters = [*operation.get("parameters", []), *headers.of_request(found.request_headers)]
    if parameters:
        operation["parameters"] = parameters


def _show_body(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schemas |= content["schema"].pop("$defs", {})
        if "example" not in content and "examples" not in content:
            content["example"] = example_of(content["schema"], schemas)


def _drop_titles(schema: dict[str, Any]) -> None:
    """Take titles away that only say the name of their field again, as pydantic makes them of it."""
    for name, field in schema.get("properties", {}).items():
        if field.get("title") == name.replace("_", " ").title():
            del field["title"]


def _describe_problems(schemas: dict[str, Any], kinds: Iterable[ProblemKind]) -> None:
    """A schema for each kind; those that stand for any error, or are never answered, go."""
    for never in ("HTTPValidationError", "ValidationError"):
        schemas.pop(never, None)
    schemas |= {name_of(kind): schema_of(kind) for kind in sorted(kinds)}
    for name in sorted(schemas):
        schemas[name] = schemas.pop(name)


__all__ = ["SCHEMAS", "document"]
