"""Paths of requests: read as RFC 3986 has it, wherever a proxy has put this server.

A server in front may serve this one below a path (`https://host/orders`), which the public URL tells, and take that
path away before it passes a request on, or not; both are understood. Names of products and items stand in paths: they
may hold a slash, which is written `%2F` and does not part them.
"""

from collections.abc import Collection
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send


class _Name(Convertor[str]):
    """A parameter that is one segment of a path, whatever it holds: `{sku:name}`."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """The name as it was before it was written into a path."""
        return unquote(value)

    def to_string(self, value: str) -> str:
        """The name as it stands in a path."""
        return quote(value, safe="")


class _Names(_Name):
    """The same as the rest of a path, where slashes that are not encoded belong to the name: `{item_id:names}`."""

    regex = "(?s:.*)"


register_url_convertor("name", _Name())
register_url_convertor("names", _Names())


def public_prefix(public_url: str) -> str:
    """The path below which this server is found from outside; empty at the root of a host."""
    return urlsplit(public_url).path.rstrip("/")


def below_prefix(public_url: str, path: str) -> str:
    """A path of this site as it is found from outside, whether the prefix stands before it already or not."""
    prefix = public_prefix(public_url)
    return path if not prefix or path == prefix or path.startswith((f"{prefix}/", f"{prefix}?")) else prefix + path


class PathMiddleware:
    """Gives routes the path below the public URL, cut at its slashes before anything in it is decoded.

    `%2F` and `%25` stay as they are, so that nothing is lost: the parameters that may hold them decode them. One slash
    at the end makes no difference; a redirect would lead to wherever this server is without its proxy.
    """

    def __init__(self, app: ASGIApp, facade: FastAPI) -> None:
        self._app, self._facade = app, facade

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            prefix = unquote(public_prefix(scope["app"].state.services.public_url))
            path = below(prefix, _path_of(scope), self._roots)
            if path.endswith("/") and len(path) > 1:
                path = path[:-1]
            scope = {**scope, "path": prefix + path, "root_path": prefix}
        await self._app(scope, receive, send)

    @cached_property
    def _roots(self) -> frozenset[str]:
        """The first segments of all paths that are served."""
        mounted: list[Any] = [route.path for route in self._facade.routes if isinstance(route, Mount)]
        routed: list[Any] = [route.path for route in iter_route_contexts(self._facade.routes)]
        return frozenset(_first(path) for path in [*mounted, *routed] if path)


def below(prefix: str, path: str, roots: Collection[str]) -> str:
    """The path without the prefix, if it stands there; `roots` are the first segments of all paths that are served.

    A prefix may look like the beginning of a path that is served: `/api/v1` below `/api` is `/api/v1` and not `/v1`.
    """
    if not prefix or not f"{path}/".startswith(f"{prefix}/"):
        return path
    rest = path.removeprefix(prefix) or "/"
    is_served = _first(rest) in roots if _first(rest) else _first(path) not in roots
    return rest if is_served else path


def _first(path: str) -> str:
    return path.split("/", 2)[1]


def _path_of(scope: Scope) -> str:
    path: str = scope["path"]
    raw: bytes = scope.get("raw_path") or quote(path).encode()
    if b"%" not in raw:
        return path
    return "/".join(_decoded(segment) for segment in raw.split(b"/"))


def _decoded(segment: bytes) -> str:
    text = unquote_to_bytes(segment).decode("utf-8", "replace")
    return text.replace("%", "%25").replace("/", "%2F")


def route_path(scope: Scope) -> str:
    """The path of a request as routes see it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
