"""The names of files behind the URLs of downloads: routes do not see them (ADR 0029)."""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.paths import route_path
from models.download_urls import unnamed


class DownloadNameMiddleware:
    """Takes the name of the file from the URL of a download, and the number before it where it is a Metalink's part."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http" and (found := unnamed(route_path(scope))) is not None:
            path, part = found
            scope["path"] = scope["root_path"] + path
            if part is not None:
                scope["query_string"] = b"&".join(filter(None, (b"part=%d" % part, scope["query_string"])))
        await self._app(scope, receive, send)
