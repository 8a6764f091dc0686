"""The middleware round every request: its id, its log line, its metrics, and the refusal of changes while draining."""

import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.draining import Draining
from api.http.methods import METHODS, SAFE_METHODS
from api.matched_route import route_template
from api.problems import problem

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What a caller's X-Request-ID may be; anything else is replaced, for it goes into logs and answers."""

_QUIET = frozenset({"/healthz", "/readyz"})

log = structlog.get_logger()


class RequestMetrics(Protocol):
    """Counts what is answered."""

    def answered(self, method: str, route: str, status: int, size: int, seconds: float | None) -> None:
        """Count an answer; `seconds` until its first byte, None where there was none."""


class Operations(Protocol):
    """What this middleware takes of `api.operations`."""

    @property
    def draining(self) -> Draining:
        """Whether this process is about to stop, and how many requests it serves."""

    @property
    def metrics(self) -> RequestMetrics:
        """The metrics of this process."""


@dataclass
class _Exchange:
    """One request and its answer."""

    scope: Scope
    send: Send
    request_id: str
    began: float = field(default_factory=time.perf_counter)
    status: int = 500
    size: int = 0
    seconds: float | None = None

    async def answer(self, message: Message) -> None:
        """Send a part of the answer, counted."""
        if message["type"] == "http.response.start":
            self.status, self.seconds = message["status"], time.perf_counter() - self.began
            MutableHeaders(scope=message)["X-Request-ID"] = self.request_id
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self.send(message)

    @property
    def route(self) -> str:
        """The route's template."""
        return route_template(self.scope)


class RequestLogMiddleware:
    """The outermost middleware, so that also the answer to an internal error carries the request's id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request and record how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        operations: Operations = scope["app"].state.services.operations
        exchange = _Exchange(scope, send, _request_id(Headers(scope=scope)))
        operations.draining.enter()
        try:
            with structlog.contextvars.bound_contextvars(request_id=exchange.request_id):
                try:
                    await self._app(scope, receive, exchange.answer)
                finally:
                    _record(operations, exchange)
                    structlog.contextvars.unbind_contextvars("number")
        finally:
            operations.draining.leave()


class DrainingMiddleware:
    """Refuses what would change something while this process is about to stop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        app = self._app
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            operations: Operations = scope["app"].state.services.operations
            if operations.draining.started:
                headers = {"Retry-After": "1", "Connection": "close"}
                text = "This server is about to stop; send the same request again, another one takes it."
                app = problem(503, "draining", text, headers=headers)
        await app(scope, receive, send)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _record(operations: Operations, exchange: _Exchange) -> None:
    method, route = exchange.scope["method"], exchange.route
    operations.metrics.answered(method, route, exchange.status, exchange.size, exchange.seconds)
    write = log.debug if route in _QUIET else log.info
    write(
        "request",
        method=method if method in METHODS else "other",
        route=route,
        order=exchange.scope.get("path_params", {}).get("order_id"),
        status=exchange.status,
        ms=round((time.perf_counter() - exchange.began) * 1000, 1),
        bytes=exchange.size,
    )
