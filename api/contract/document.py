"""The OpenAPI document of the facade: FastAPI's, made whole by what the code behind each route says."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from api.contract import headers
from api.contract.examples import example_of
from api.contract.problems import SCHEMAS, Kind, example, kind_of, kinds_of, response
from api.contract.reading import Said, said_by, together
from api.http.bodies import MAX_BODY_BYTES
from api.http.methods import SAFE_METHODS
from api.http.parameters import reject_unknown_query_parameters
from models import errors

_JSON = "application/json"
_BODILESS = frozenset({204, 303, 304, 416})
_RANGED = frozenset({"206", "416"})
"""Ranges are of a GET alone (RFC 9110, section 14.2)."""
_MEANING = {
    "200": "What was asked for",
    "201": "Made",
    "202": "Accepted",
    "204": "Done",
    "303": "See Other",
}
_GENERAL = f"""Errors are problem documents (RFC 9457); `code` is stable. Besides what is listed, any path answers 405
to methods it does not know, and 500 `internal` would be a mistake of ours. Bodies are JSON of at most
{MAX_BODY_BYTES // 1024**2} MiB. Every answer carries `X-Request-ID`."""


def document(app: FastAPI, made: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's document with every status, header, error and example. Changes it in place."""
    made["info"]["description"] = " ".join(_GENERAL.split())
    kinds: set[Kind] = set()
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = made["paths"][route.path_format][method.lower()]
                kinds |= _complete(operation, _Operation(route, method), made)
    _describe_problems(made["components"]["schemas"], kinds)
    shown = {kind.name: {"summary": kind.sentence, "value": example(kind)} for kind in sorted(kinds)}
    made["components"]["examples"] = shown
    return made


class _Operation:
    """A method of a route, and what the code behind it says."""

    def __init__(self, route: RouteContext, method: str) -> None:
        self.route, self.method = route, method
        self.said = together(said_by(_function(call)) for call in _calls(route.dependant))

    def kinds(self) -> Iterator[Kind]:
        """The problems it may answer."""
        said, writes = self.said, self.method not in SAFE_METHODS
        # Who only reads may come from anywhere.
        yield from kinds_of(error for error in said.raised if writes or error is not errors.CrossSite)
        yield from (kind_of(*problem) for problem in said.problems)
        if said.asks_database:
            yield kind_of(503, "database_unavailable")
        if writes:
            yield kind_of(503, "draining")
        if self.route.body_field is not None or said.reads_body:
            yield kind_of(413, "too_large")
            yield kind_of(415, "unsupported_media_type")
        if any(_query_parameters(self.route.dependant)):
            # So many that the URL grows too long for a server.
            yield kind_of(400, "invalid_request")
        if self._checks():
            yield kind_of(422, "invalid_request")

    def _checks(self) -> bool:
        """Whether there is anything in a request that could be wrong."""
        strict = reject_unknown_query_parameters in _calls(self.route.dependant)
        return strict or self.route.body_field is not None or any(_parameters(self.route.dependant))


def _calls(dependant: Any) -> Iterator[Callable[..., Any]]:
    if dependant.call is not None:
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _function(call: Callable[..., Any]) -> Callable[..., Any]:
    return call if inspect.isroutine(call) else type(call).__call__


def _parameters(dependant: Any) -> Iterator[Any]:
    yield from (*dependant.path_params, *dependant.query_params, *dependant.header_params, *dependant.cookie_params)
    for inner in dependant.dependencies:
        yield from _parameters(inner)


def _query_parameters(dependant: Any) -> Iterator[Any]:
    yield from dependant.query_params
    for inner in dependant.dependencies:
        yield from _query_parameters(inner)


def _complete(operation: dict[str, Any], found: _Operation, made: dict[str, Any]) -> set[Kind]:
    """Put everything into an operation that the code says of it; gives the problems it has."""
    kinds, responses = set(found.kinds()), operation["responses"]
    for status in [status for status, answer in responses.items() if _is_problem(answer) or _is_never(found, status)]:
        del responses[status]
    for number in {kind.status for kind in kinds}:
        responses[str(number)] = response(kind for kind in kinds if kind.status == number)
    _add_parameters(operation, found.said)
    for status, answer in responses.items():
        _complete_answer(answer, int(status), found, made["components"]["schemas"])
    operation["responses"] = dict(sorted(responses.items()))
    _show_body(operation, made["components"]["schemas"])
    return kinds


def _is_problem(answer: dict[str, Any]) -> bool:
    """Whether this is a problem as routes list it by hand: the code says it better."""
    schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
    return schema.get("$ref", "").removeprefix(SCHEMAS) in {"Problem", "HTTPValidationError"}


def _is_never(found: _Operation, status: str) -> bool:
    return found.method == "HEAD" and status in _RANGED


def _complete_answer(answer: dict[str, Any], status: int, found: _Operation, schemas: dict[str, Any]) -> None:
    if answer["description"] == "Successful Response":
        answer["description"] = _MEANING.get(str(status), "Done")
    answer["headers"] = headers.of_answer(status, found.said.words)
    if found.method == "HEAD" or status in _BODILESS:
        answer.pop("content", None)
    for media_type, content in answer.get("content", {}).items():
        if media_type.endswith("json"):
            content.setdefault("schema", {"type": "object"})
        if media_type == _JSON and content["schema"] != {"type": "object"} and "example" not in content:
            content["example"] = example_of(content["schema"], schemas)


def _add_parameters(operation: dict[str, Any], said: Said) -> None:
    parameters = [*operation.get("parameters", []), *headers.of_request(said.words)]
    if parameters:
        operation["parameters"] = parameters


def _show_body(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        # A schema that a route has written down itself brings its parts with it.
        schemas |= content["schema"].pop("$defs", {})
        if "example" not in content and "examples" not in content:
            content["example"] = example_of(content["schema"], schemas)


def _describe_problems(schemas: dict[str, Any], kinds: Iterable[Kind]) -> None:
    """A schema for each kind; those that stand for any error, or are never answered, go."""
    for never in ("HTTPValidationError", "ValidationError", "Problem"):
        schemas.pop(never, None)
    schemas |= {kind.name: kind.schema() for kind in sorted(kinds)}
    for name in sorted(schemas):
        schemas[name] = schemas.pop(name)


__all__ = ["SCHEMAS", "document"]
