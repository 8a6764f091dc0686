"""Answers that last for hours: while they are sent it is asked again and again whether somebody still may have them.

One place asks, for streams of events, downloads, Metalinks and exports alike.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import ContentStream, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.http.connection_monitor import ConnectionMonitor
from api.http.container import Container
from database.readiness import DATABASE_AWAY
from models.errors import Forbidden, LinkRefused, Unauthenticated

Look = Callable[[AsyncSession], Awaitable[bool]]
"""Tells whether a right still holds; Unauthenticated, Forbidden and LinkRefused say no as well."""

log = structlog.get_logger()


@dataclass(frozen=True)
class LastingRight:
    """The right to an answer, for as long as the answer lasts."""

    services: Container
    look: Look

    async def ended(self) -> None:
        """Wait until it has ended."""
        while True:
            await asyncio.sleep(self.services.look_again_after)
            if not await self.holds():
                return

    async def holds(self) -> bool:
        """Whether it holds now. While the database is unavailable nobody can tell, and the answer goes on."""
        try:
            async with self.services.sessions.begin() as session:
                return await self.look(session)
        except (Unauthenticated, Forbidden, LinkRefused):
            return False
        except DATABASE_AWAY:
            return True

    @asynccontextmanager
    async def cutting(self, scope: Scope) -> AsyncGenerator[None]:
        """Cut the answer that is sent meanwhile when the right to it ends; the client hears why when it comes back."""
        monitor = ConnectionMonitor.of(scope)

        def cut(asking: asyncio.Task[None]) -> None:
            # Also where asking failed: a right that nobody looks at any more is none.
            if monitor is not None and not asking.cancelled():
                log.info("answer cut", why="the right to it has ended")
                monitor.cut()

        asking = asyncio.create_task(self.ended())
        asking.add_done_callback(cut)
        try:
            yield
        finally:
            asking.cancel()


class LastingResponse(StreamingResponse):
    """An answer that is cut when the right to it ends: half of it never looks whole."""

    def __init__(
        self,
        content: ContentStream,
        right: LastingRight,
        *,
        status_code: int = 200,
        headers: Mapping[str, str],
        media_type: str | None = None,
    ) -> None:
        super().__init__(content, status_code, headers, media_type)
        self._right = right

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it while somebody may have it."""
        async with self._right.cutting(scope):
            await super().__call__(scope, receive, send)
