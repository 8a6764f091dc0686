"""The one place that turns refusals and errors into HTTP: problem+json after RFC 9457."""

from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError
from starlette.exceptions import HTTPException

from api.hints import detail_of
from api.matched_route import matched_route, route_template
from database.readiness import DATABASE_AWAY, Unready, lacks_schema, look, unavailable
from migrations.head import head
from models import errors
from models.links import API

log = structlog.get_logger()

_RETRY_AFTER = 5


class RequestRefused(HTTPException):
    """A request that no route gets to see; the faults say where and why."""

    def __init__(self, status: int, code: str, *faults: errors.Fault, headers: dict[str, str] | None = None) -> None:
        self.code, self.faults = code, faults
        super().__init__(status, "; ".join(f"{fault.field}: {fault.text}" for fault in faults[:5]), headers)


class RefusedBeforeBody(HTTPException):
    """Whatever was raised where a route wanted the body; FastAPI lets nothing else through from there."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        super().__init__(500)


async def bad_requests_are_400() -> None:
    """Mark the routes of a router as those of an OGC API, whose standard answers 400 where all others answer 422.

    OGC API - Features, part 1, requirements 8 and 9. As a dependency it also reaches the OpenAPI document.
    """


def status_on_route(dependant: Any, status: int) -> int:
    """The status of a refused request on a route with these dependencies."""
    return 400 if status == 422 and dependant is not None and _is_marked(dependant) else status


def _is_marked(dependant: Any) -> bool:
    return any(inner.call is bad_requests_are_400 or _is_marked(inner) for inner in dependant.dependencies)


def _status(request: Request, status: int) -> int:
    return status_on_route(getattr(matched_route(request.scope), "dependant", None), status)


def install(app: FastAPI) -> None:
    """Have the application answer every error as a problem."""
    app.add_exception_handler(errors.Refusal, _refusal)
    app.add_exception_handler(errors.Failed, _failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _database_away)
    app.add_exception_handler(DBAPIError, _bad_value)
    app.add_exception_handler(Exception, _ours)


def problem(
    status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """A problem document; text that is not Unicode is answered with what can be shown of it."""
    body = {
        "type": f"urn:consignor:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail,
        **members,
    }
    try:
        content = orjson.dumps(body)
    except TypeError:
        content = orjson.dumps(_readable(body))
    return Response(content, status, dict(headers or {}), "application/problem+json")


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_readable(key): _readable(item) for key, item in value.items()}
    return [_readable(item) for item in value] if isinstance(value, list | tuple) else value


async def _refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, errors.Refusal):
        raise error
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.challenge is not None:
        headers["WWW-Authenticate"] = error.challenge
    detail = detail_of(error, request.scope["root_path"])
    return problem(_status(request, error.http_status), error.code, detail, headers=headers, **error.members)


async def _failed(_: Request, error: Exception) -> Response:
    if not isinstance(error, errors.Failed):
        raise error
    if not error.failure.retryable:
        # What was sealed is no longer there: a download tool that waits for it would wait for ever.
        return problem(410, error.failure.code, error.failure.text)
    retry = {"Retry-After": str(_RETRY_AFTER)}
    return problem(503, error.failure.code, error.failure.text, headers=retry)


async def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    remedies = _remedies(f"{request.scope['root_path']}{API}")
    faults = [
        {
            "field": _field(fault),
            "code": fault["type"],
            "text": remedies.get(fault["type"]) or fault["msg"].removeprefix("Value error, "),
        }
        for fault in error.errors()
    ]
    detail = "; ".join(f"{fault['field']}: {fault['text']}" for fault in faults[:5])
    return problem(_status(request, 422), "invalid_request", detail, faults=faults[:100])


def _fault_of_request(text: str) -> dict[str, Any]:
    """A fault of which nobody knows the field."""
    return errors.Fault(field="request", code="invalid_request", text=text).model_dump()


def _remedies(api: str) -> Mapping[str, str]:
    """What to do, where the validator only says what is wrong."""
    return {
        "extra_forbidden": f"there is no such field here; leave it out, or see how it is written in {api}/openapi.json",
        "missing": "this is required; send it",
    }


def _field(fault: Mapping[str, Any]) -> str:
    """The path to what is wrong; for JSON that cannot be read the whole body, whose `loc` is a position."""
    if fault["type"] == "json_invalid":
        return "body"
    place = fault["loc"]
    if fault["type"].startswith("union_tag_"):
        # What is wrong is the member that tells of which kind the rest is.
        place = (*fault["loc"], fault["ctx"]["discriminator"].strip("'"))
    return "/".join(str(part) for part in place if part != "body") or "body"


async def nothing_here(path: str) -> None:
    """The route behind all others: an unknown path is a problem, whatever else this server may serve."""
    raise HTTPException(404, f"there is nothing at /{path}")


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error, RefusedBeforeBody):
        handlers = request.app.exception_handlers
        handler = next(handlers[kind] for kind in type(error.error).__mro__ if kind in handlers)
        answered: Response = await handler(request, error.error)
        return answered
    if isinstance(error, RequestRefused):
        faults = [fault.model_dump() for fault in error.faults]
        status = _status(request, error.status_code)
        return problem(status, error.code, error.detail, headers=error.headers, faults=faults)
    if error.status_code == 405 and request.scope.get("endpoint") is nothing_here:
        # No other route has this path, so that no other method would do either.
        return problem(404, "not_found", f"there is nothing at {request.url.path}")
    if error.status_code == 400:
        faults = [_fault_of_request(str(error.detail))]
        return problem(400, "invalid_request", str(error.detail), headers=error.headers, faults=faults)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    return problem(error.status_code, code, str(error.detail), headers=error.headers)


async def _database_away(request: Request, error: Exception) -> Response:
    unready = unavailable(error)
    log.warning("database away", route=route_template(request.scope), reason=unready.reason, remedy=unready.remedy)
    retry = {"Retry-After": str(_RETRY_AFTER)}
    return problem(503, "database_unavailable", "The database does not answer; try again soon.", headers=retry)


async def _bad_value(request: Request, error: Exception) -> Response:
    """A value PostgreSQL cannot hold, such as a NUL, is the caller's; anything else is ours."""
    # The driver refuses some values, a NUL among them, before the server can give them a SQLSTATE of class 22.
    if isinstance(error, DataError):
        text = "The request holds a value that no text or number can be."
        return problem(_status(request, 422), "invalid_request", text, faults=[_fault_of_request(text)])
    if lacks_schema(error) and (unready := await _unready(request)):
        log.warning("database not migrated", reason=unready.reason, remedy=unready.remedy)
        return problem(503, "not_migrated", f"{unready}.", headers={"Retry-After": str(_RETRY_AFTER)})
    return await _ours(request, error)


async def _unready(request: Request) -> Unready | None:
    """What stands against the database; a table that lacks in a migrated one is a mistake of ours."""
    services = request.app.state.services
    try:
        async with services.sessions.begin() as session:
            facts = await look(session)
    except DBAPIError:
        return None
    return facts.unready(head())


async def _ours(request: Request, error: Exception) -> Response:
    if isinstance(error.__cause__, errors.Failed):
        # Cut off after its first byte, which has been logged where it happened; nobody hears this answer any more.
        return problem(503, error.__cause__.failure.code, str(error.__cause__))
    log.error("internal error", route=route_template(request.scope), exc_info=error)
    return problem(500, "internal", "An internal error of Consignor; it has been logged.")
