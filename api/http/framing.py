"""The framing of requests after RFC 9112: one host that can be one, and a body whose coding is known.

The server's parser leaves both open. What is wrong here can be read in two ways by two servers on the way, so the
connection ends with the refusal.
"""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem
from models.errors import Fault

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+)(?::\d{0,5})?")
"""A host and its port as URLs have them (RFC 3986, section 3.2.2), without the comma that two hosts are joined by."""

_CLOSE = {"Connection": "close"}


class FramingMiddleware:
    """Refuses requests whose host or transfer coding RFC 9112 has a server refuse."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        app = self._app
        if scope["type"] == "http":
            app = _refusal(Headers(scope=scope), scope["http_version"]) or app
        await app(scope, receive, send)


def _refusal(headers: Headers, version: str) -> ASGIApp | None:
    """The answer to a request that cannot be served; None where nothing is wrong with it."""
    hosts = headers.getlist("host")
    if len(hosts) > 1 or (not hosts and version != "1.0") or (hosts and not _HOST.fullmatch(hosts[0])):
        text = "a request names one host, as its URL does; send the header `Host` once (RFC 9112, section 3.2)"
        return _problem(400, "invalid_request", Fault(field="Host", code="invalid_host", text=text))
    codings = ", ".join(headers.getlist("transfer-encoding")).strip().lower()
    if codings and version == "1.0":
        text = "HTTP/1.0 knows no transfer codings; send the body with its Content-Length"
        return _problem(400, "invalid_request", Fault(field="Transfer-Encoding", code="invalid_coding", text=text))
    if codings not in {"", "chunked"}:
        text = "bodies come as they are or `chunked`; send it without another transfer coding"
        return _problem(501, "unknown_coding", Fault(field="Transfer-Encoding", code="unknown_coding", text=text))
    return None


def _problem(status: int, code: str, fault: Fault) -> ASGIApp:
    detail = f"{fault.field}: {fault.text}"
    return problem(status, code, detail, headers=_CLOSE, faults=[fault.model_dump()])
