"""Who may not read is shown nothing: not what they change, and not what they make, however a route answers others.

An access token may be for commands alone. One layer sees to it, so no route has to think of it, nor an answer that is
sent again for an Idempotency-Key.
"""

from typing import Any, Final

from fastapi.dependencies.models import Dependant
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.policy import CALLER
from api.identity.authenticate import RequirePermission, authenticate
from models import access
from models.access import RULES, Permission

_KEPT: Final = frozenset({b"location", b"cache-control", b"idempotency-replayed"})
"""Headers that tell where something is, and nothing of it."""

UNSHOWN: Final[dict[str, Any]] = {"description": "Done, and nothing is shown: this access token may not read."}
"""How the contract says it."""


def may_be_unshown(dependant: Dependant) -> bool:
    """Whether a route that changes something lets in who may not read."""
    calls = _calls(dependant)
    permissions = (call.permission for call in calls if isinstance(call, RequirePermission))
    return authenticate in calls and all(RULES[one].scopes - {access.Scope.READ} for one in permissions)


def _calls(dependant: Dependant) -> list[object]:
    return [dependant.call, *(call for inner in dependant.dependencies for call in _calls(inner))]


class DetailsMiddleware:
    """Answers 204 where something was done, and whoever asked may not read what came of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and keep the body of its success from who may not read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        unshown = False

        async def show(message: Message) -> None:
            nonlocal unshown
            if message["type"] == "http.response.start" and message["status"] < 300:
                caller = scope.get(CALLER)
                unshown = caller is not None and not caller.may(Permission.READ)
                if unshown:
                    kept = [pair for pair in message["headers"] if pair[0].lower() in _KEPT]
                    message = {**message, "status": 204, "headers": kept}
            elif unshown and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app(scope, receive, show)
