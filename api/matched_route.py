"""The route of a request, for what stands round the routes."""

from typing import Any

from starlette.types import Scope


def matched_route(scope: Scope) -> Any:
    """The route that a request was matched to, with what its routers add to it; None before it is.

    FastAPI keeps the whole of it, its template with the routers' prefixes included, in its own part of the scope.
    """
    return scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")


def route_template(scope: Scope) -> str:
    """What logs and metrics call a request: its route's template, never its path, which may be a signed link."""
    return getattr(matched_route(scope), "path_format", None) or "unmatched"
