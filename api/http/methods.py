"""The methods of each path. Any other is answered 405 with all that it has, whichever route would have got it.

What answers a GET answers a HEAD (RFC 9110, section 9.3.2): alike, without the body.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from enum import EnumType
from re import Pattern
from typing import Any

import anyio
from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.paths import route_path
from api.problems import problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

METHODS = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}

_REST = ":names}"
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass
class _Resource:
    """A path as routes write it, and the methods of all routes that have it."""

    path_format: str
    regex: Pattern[str]
    literal: int
    methods: set[str] = field(default_factory=set)


class MethodNotAllowedMiddleware:
    """Refuses methods that a path does not have: a router knows of a path only what its first route says.

    The path of one resource may look like that of another with a parameter: `/orders/{id}/links` like
    `/orders/{id}/{verb}`. The one with more of it written out is meant.
    """

    def __init__(self, app: ASGIApp, facade: FastAPI) -> None:
        self._app, self._facade = app, facade
        self._resources: dict[int | None, list[_Resource]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request by a method that its path has; RFC 9110, section 15.5.6, for others."""
        resource = self._meant(scope) if scope["type"] == "http" else None
        if resource is None or scope["method"] in resource.methods:
            await self._app(scope, receive, send)
        elif scope["method"] == "HEAD" and "GET" in resource.methods:
            await _without_body(self._app, scope, receive, send)
        else:
            scope["route"] = (
                resource  # No router gets this request; the log and the metrics name its route all the same.
            )
            await _refusal(scope["method"], resource)(scope, receive, send)

    def _meant(self, scope: Scope) -> _Resource | None:
        path = route_path(scope)
        if self._resources is None:
            self._resources = _resources(self._facade)
        known = (*self._resources[path.count("/")], *self._resources[None])
        there = [resource for resource in known if resource.regex.fullmatch(path)]
        return max(there, key=lambda resource: resource.literal, default=None)


def _refusal(method: str, resource: _Resource) -> Response:
    allowed = ", ".join(sorted(resource.methods | ({"HEAD"} if "GET" in resource.methods else set())))
    text = f"{method[:20]} cannot be done here; this takes {allowed}"
    return problem(405, "method_not_allowed", text, headers={"Allow": allowed})


async def _without_body(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a HEAD with the status and the headers that a GET has; what would go on streaming a body is stopped."""
    with anyio.CancelScope() as streaming:

        async def head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif message.get("more_body"):
                streaming.cancel()

        scope["method"] = "GET"
        try:
            await app(scope, receive, head)
        finally:
            # Logs and metrics tell what was asked.
            scope["method"] = "HEAD"


def _resources(facade: FastAPI) -> dict[int | None, list[_Resource]]:
    """All resources of an application by the depth of their paths, None where their last parameter may hold slashes.

    What takes any path or method is left alone.
    """
    found: dict[str, _Resource] = {}
    for route in iter_route_contexts(facade.routes):
        path: Any = route.path
        if not route.methods or path is None or ":path}" in path:
            continue
        if path not in found:
            found[path] = _Resource(_PARAMETER.sub(r"{\1}", path), _pattern(path, route), len(_PARAMETER.sub("", path)))
        found[path].methods |= route.methods
    by_depth: dict[int | None, list[_Resource]] = defaultdict(list)
    for path, resource in found.items():
        by_depth[None if _REST in path else path.count("/")].append(resource)
    return by_depth


def _pattern(path: str, route: RouteContext) -> Pattern[str]:
    """What a path looks like; where a parameter is one of a few words, it is one of these."""
    declared = getattr(route, "dependant", None)
    fields = declared.path_params if declared is not None else ()
    kinds: dict[str, Any] = {field.alias: field.field_info.annotation for field in fields}
    pieces, at = [], 0
    for parameter in _PARAMETER.finditer(path):
        any_text = ".+" if parameter[0].endswith(_REST) else "[^/]+"
        known = [re.escape(word) for word in _words(kinds.get(parameter[1]))] or [any_text]
        pieces += [re.escape(path[at : parameter.start()]), f"(?:{'|'.join(known)})"]
        at = parameter.end()
    return re.compile("".join(pieces) + re.escape(path[at:]))


def _words(kind: Any) -> list[str]:
    """The values of a parameter that has only some."""
    members: dict[str, Any] = dict(kind.__members__) if isinstance(kind, EnumType) else {}
    return [str(member.value) for member in members.values()]
