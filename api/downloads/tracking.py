"""Downloads: known to the database while they last, so that nothing expires under them, and what they come to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.service import RPCError

from api.dependencies import Services
from models.coverage import Span, multirange
from models.errors import Gone
from models.queries import downloads as queries
from models.queries import suborders
from models.tables import OutboxEvent
from temporal.outbox import deliver_events

NOTED_FROM_BYTES = 1024 * 1024
"""Shorter answers are over before anything could expire under them."""

DOWNLOADED = "suborder_downloaded"

log = structlog.get_logger()


@dataclass(frozen=True)
class Target:
    """What is downloaded: the archive of a sub-order in the version of its ETag, or one of its files."""

    order_id: UUID
    suborder: int
    etag: str
    size: int
    actor: str
    seq: int | None = None


@dataclass
class DownloadTracker:
    """One download as the database sees it. That the database is away ends none; then it may not be counted."""

    services: Services
    target: Target
    length: int
    _download_id: UUID | None = field(default=None, init=False)

    async def on_start(self) -> None:
        """Keep the archive from expiring from now on. Raises TooManyDownloads, or Gone where it has expired since."""
        self.services.downloads.begin(self._whose)
        try:
            await self._note()
        except BaseException:
            self.services.downloads.end(self._whose)
            raise

    async def _note(self) -> None:
        if self.length < NOTED_FROM_BYTES:
            return
        note = suborders.begin_download(self.target.order_id, self.target.suborder, self.services.now())
        async with self.services.sessions.begin() as session:
            self._download_id = (await session.execute(note)).scalar_one_or_none()
        if self._download_id is None:
            raise Gone(f"sub-order {self.target.suborder} has just expired; order its files again to get them")

    async def on_progress(self, arrived: list[Span]) -> None:
        """Show that it lives, and count what has arrived."""
        await self._try(self._see)
        await self._try(lambda: cover(self.services, self.target, arrived))

    async def on_end(self, arrived: list[Span]) -> None:
        """Count what has arrived, and let it expire again."""
        self.services.downloads.end(self._whose)
        await self._try(lambda: cover(self.services, self.target, arrived))
        await self._try(self._forget)

    @property
    def _whose(self) -> str:
        """Who has it under way: whoever asks with a signed link is nobody, so there it is the order."""
        return self.target.actor if ":" in self.target.actor else str(self.target.order_id)

    async def _see(self) -> None:
        if self._download_id is not None:
            async with self.services.sessions.begin() as session:
                await session.execute(suborders.see_download(self._download_id, self.services.now()))

    async def _forget(self) -> None:
        if self._download_id is not None:
            async with self.services.sessions.begin() as session:
                await session.execute(suborders.end_download(self._download_id))

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (DBAPIError, PoolTimeoutError) as error:
            log.warning("download not noted", order=str(self.target.order_id), error=type(error).__name__)


async def cover(services: Services, target: Target, arrived: list[Span]) -> None:
    """Count bytes that have arrived; with the last ones the file or the sub-order is downloaded, once."""
    if not arrived and target.size:
        return
    async with services.sessions.begin() as session:
        event = await _cover(session, services, target, arrived)
    await tell(services, event)


async def _cover(session: AsyncSession, services: Services, target: Target, arrived: list[Span]) -> OutboxEvent | None:
    where = {"order_id": target.order_id, "number": target.suborder, "seq": target.seq, "size": target.size}
    part = {"order_id": target.order_id, "number": target.suborder}
    if arrived != [Span(0, target.size)] and target.size:
        statement = queries.COVER_ARCHIVE if target.seq is None else queries.COVER_FILE
        sent = {**where, "etag": target.etag, "spans": multirange(arrived)}
        if not (await session.execute(statement, sent)).scalar_one_or_none():
            return None
    etag = target.etag if target.seq is None else None
    if (await session.execute(queries.LOCK_READY, {**part, "etag": etag})).one_or_none() is None:
        return None
    if target.seq is not None:
        await session.execute(queries.FILE_ARRIVED, where)
        if not (await session.execute(queries.ALL_FILES_ARRIVED, part)).scalar_one():
            return None
    return await _downloaded(session, services, target.order_id, target.suborder, target.actor)


async def acknowledge(
    session: AsyncSession, services: Services, order_id: UUID, number: int, actor: str
) -> OutboxEvent | None:
    """The customer says that a sub-order has arrived; the event is to be told when the transaction is over."""
    if (
        await session.execute(queries.LOCK_READY, {"order_id": order_id, "number": number, "etag": None})
    ).one_or_none():
        return await _downloaded(session, services, order_id, number, actor, reason="acknowledged")
    return None


async def _downloaded(
    session: AsyncSession, services: Services, order_id: UUID, number: int, actor: str, reason: str | None = None
) -> OutboxEvent | None:
    """The one way in which a sub-order becomes downloaded; None if it was already."""
    done = await session.execute(queries.SUBORDER_DOWNLOADED, {"order_id": order_id, "number": number})
    if done.one_or_none() is None:
        return None
    event = OutboxEvent(
        order_id=order_id, suborder=number, what=DOWNLOADED, at=services.now(), actor=actor, reason_code=reason
    )
    session.add(event)
    await session.flush()
    return event


async def tell(services: Services, event: OutboxEvent | None) -> None:
    """Tell the order's workflow; if Temporal is away, the reconciler will."""
    if event is None:
        return
    try:
        await deliver_events(services.temporal, services.sessions, queries.outbox_events(id_=event.id))
    except (RPCError, RuntimeError, TimeoutError) as error:
        log.warning("temporal away, the reconciler will tell", order=str(event.order_id), error=str(error))
