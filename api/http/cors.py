"""Pages of other origins: which may ask this server, and what of its answers they may read (CORS, in Fetch)."""

from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.methods import METHODS
from models.cors import CorsPolicy

ALLOWED_HEADERS: Final = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range"),
    *("If-Unmodified-Since", "Last-Event-ID", "Range", "X-CSRF", "X-Request-ID", "Traceparent", "Tracestate"),
)
"""What pages may send."""

EXPOSED_HEADERS: Final = (
    *("Accept-Ranges", "Allow", "Content-Disposition", "Content-Range", "Digest", "ETag", "Idempotency-Replayed"),
    *("Link", "Location", "RateLimit", "RateLimit-Policy", "Repr-Digest", "Retry-After", "WWW-Authenticate"),
    "X-Request-ID",
)
"""What they may read besides what any page may."""


class CorsMiddleware:
    """Answers preflights, and tells browsers what pages of other origins may read, as the services' policy has it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._by_policy: dict[CorsPolicy, ASGIApp] = {CorsPolicy(): app}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy: CorsPolicy = scope["app"].state.services.cors
        if policy not in self._by_policy:
            self._by_policy[policy] = CORSMiddleware(
                self._app,
                allow_origins=sorted(policy.origins),
                allow_methods=sorted(METHODS),
                allow_headers=ALLOWED_HEADERS,
                allow_credentials=policy.credentials,
                expose_headers=EXPOSED_HEADERS,
            )
        await self._by_policy[policy](scope, receive, send)
