"""Follows a download while it is sent: counted against its customer's limit, and known to the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api.dependencies import Services
from models.coverage import Span
from models.queries import suborders
from services.download_tracking import DownloadTarget, begin_download, record_arrival
from temporal.outbox import deliver_event

NOTED_FROM_BYTES = 1024 * 1024
"""Shorter answers have ended before anything could expire under them."""

log = structlog.get_logger()


@dataclass
class DownloadTracker:
    """One download as the database sees it. A database that is unavailable ends none; then it may not be counted."""

    services: Services
    target: DownloadTarget
    length: int
    _download_id: UUID | None = field(default=None, init=False)

    async def on_start(self) -> None:
        """Keep the archive from expiring from now on. Raises TooManyDownloads, ServerBusy or Gone."""
        self.services.downloads.begin(self._customer)
        if self.length < NOTED_FROM_BYTES:
            return
        try:
            async with self.services.sessions.begin() as session:
                self._download_id = await begin_download(session, self.target, self.services.now())
        except BaseException:
            self.services.downloads.end(self._customer)
            raise

    async def on_progress(self, arrived: Sequence[Span]) -> None:
        """Show that it goes on, and count what has arrived."""
        if self._download_id is not None:
            await self._try_to(suborders.see_download(self._download_id, self.services.now()))
        await self._count(arrived)

    async def on_end(self, arrived: Sequence[Span], *, whole: bool) -> None:
        """Count what has arrived, and let it expire again."""
        if not whole:
            self.services.operations.metrics.downloads_cut.inc()
        self.services.downloads.end(self._customer)
        await self._count(arrived)
        if self._download_id is not None:
            await self._try_to(suborders.end_download(self._download_id))

    @property
    def _customer(self) -> str:
        """Who is limited: the caller, or the owner of the order where a signed link names nobody."""
        return self.target.actor if ":" in self.target.actor else f"customer:{self.target.owner}"

    async def _count(self, arrived: Sequence[Span]) -> None:
        if not arrived and self.target.size:
            return
        services = self.services
        try:
            async with services.sessions.begin() as session:
                event = await record_arrival(session, self.target, arrived, services.now())
            await deliver_event(services.temporal, services.sessions, event)
        except (DBAPIError, PoolTimeoutError) as error:
            self._warn(error)

    async def _try_to(self, statement: sa.Executable) -> None:
        try:
            async with self.services.sessions.begin() as session:
                await session.execute(statement)
        except (DBAPIError, PoolTimeoutError) as error:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        log.warning("download not noted", order=str(self.target.order_id), error=type(error).__name__)
