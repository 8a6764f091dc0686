"""The policy headers: what a browser may do with an answer, and who may keep it. One layer round everything.

An answer that needs another policy says so itself, as the pages of the documentation do.
"""

from fastapi import Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Answers are data: a browser that shows one runs nothing of it and loads nothing for it, whoever made the file."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # A signed link is a secret, and no site that a file links to has to know it.
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
}
_SOMEBODYS = "private, no-cache"
_ANYBODYS = "no-cache"
_HSTS = "max-age=31536000"

CALLER = "consignor.caller"
"""Where the scope of a request holds its caller, once it is known."""


async def never_stored(response: Response) -> None:
    """Have nobody keep the answer, not even the caller's own browser: it holds something that opens a door."""
    response.headers["Cache-Control"] = "no-store"


class PolicyMiddleware:
    """Completes the headers of every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with the policy on its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Asked now: to an application that is mounted in ours the scope is its own by the time it answers.
        services = scope["app"].state.services

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                https = services.public_url.startswith("https:")
                _complete(MutableHeaders(scope=message), https=https, personal=CALLER in scope)
            await send(message)

        await self._app(scope, receive, complete)


def _complete(headers: MutableHeaders, *, https: bool, personal: bool) -> None:
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    # What one person is answered is nobody else's, and a cache on the way cannot know whose it is. For how long
    # anything holds that says nothing of it no cache may guess.
    headers.setdefault("Cache-Control", _SOMEBODYS if personal else _ANYBODYS)
    if https:
        headers.setdefault("Strict-Transport-Security", _HSTS)
