"""Downloads as the database knows them: begun, so that nothing expires under them, and what of them has arrived.

What becomes of a sub-order by it is an event in the outbox, which `temporal.outbox` delivers after the transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from models.coverage import Span, multirange
from models.errors import Gone
from models.queries import downloads as queries
from models.queries import suborders
from models.tables import OutboxEvent

DOWNLOADED = "suborder_downloaded"

DOWNLOAD_ALIVE = timedelta(seconds=60)
"""A download that has not been seen for so long is over, however it ended."""


@dataclass(frozen=True)
class DownloadTarget:
    """What is downloaded: the archive of a sub-order in the version of its ETag, or one of its files."""

    order_id: UUID
    suborder: int
    etag: str
    size: int
    actor: str
    owner: str
    """The customer whose order it is."""
    seq: int | None = None

    @property
    def part(self) -> dict[str, object]:
        """The sub-order as statements name it."""
        return {"order_id": self.order_id, "number": self.suborder}

    @property
    def archive_etag(self) -> str | None:
        """The version an archive has to have; a file is the same in all."""
        return self.etag if self.seq is None else None


async def begin_download(session: AsyncSession, target: DownloadTarget, now: datetime) -> UUID:
    """Keep a sub-order from expiring from now on. Raises Gone where it has expired since it was looked up."""
    statement = suborders.begin_download(target.order_id, target.suborder, now)
    download_id: UUID | None = (await session.execute(statement)).scalar_one_or_none()
    if download_id is None:
        raise Gone(f"sub-order {target.suborder} has just expired; order its files again to get them")
    return download_id


async def record_arrival(
    session: AsyncSession, target: DownloadTarget, arrived: Sequence[Span], now: datetime
) -> OutboxEvent | None:
    """Count bytes that have arrived; with the last ones the file or the sub-order is downloaded, once."""
    whole = not target.size or list(arrived) == [Span(0, target.size)]
    if not whole and not await _is_covered(session, target, arrived):
        return None
    lock = {**target.part, "etag": target.archive_etag}
    if (await session.execute(queries.LOCK_READY, lock)).one_or_none() is None:
        return None
    if target.seq is not None:
        await session.execute(queries.FILE_ARRIVED, {"order_id": target.order_id, "seq": target.seq})
        if not (await session.execute(queries.ALL_FILES_ARRIVED, target.part)).scalar_one():
            return None
    return await _record_downloaded(session, target.order_id, target.suborder, target.actor, now)


async def _is_covered(session: AsyncSession, target: DownloadTarget, arrived: Sequence[Span]) -> bool:
    """Add bytes to those of earlier downloads; tells whether these are all now."""
    size = {"size": target.size, "spans": multirange(arrived)}
    if target.seq is None:
        added = await session.execute(queries.COVER_ARCHIVE, {**target.part, **size, "etag": target.etag})
    else:
        added = await session.execute(queries.COVER_FILE, {"order_id": target.order_id, "seq": target.seq, **size})
    return bool(added.scalar_one_or_none())


async def acknowledge(
    session: AsyncSession, order_id: UUID, number: int, actor: str, now: datetime
) -> OutboxEvent | None:
    """Record that a sub-order has arrived because its customer says so."""
    lock = {"order_id": order_id, "number": number, "etag": None}
    if (await session.execute(queries.LOCK_READY, lock)).one_or_none() is None:
        return None
    return await _record_downloaded(session, order_id, number, actor, now, reason="acknowledged")


async def _record_downloaded(
    session: AsyncSession, order_id: UUID, number: int, actor: str, now: datetime, reason: str | None = None
) -> OutboxEvent | None:
    """Make a sub-order downloaded, the one way there is; None if it was already."""
    done = await session.execute(queries.SUBORDER_DOWNLOADED, {"order_id": order_id, "number": number})
    if done.one_or_none() is None:
        return None
    event = OutboxEvent(order_id=order_id, suborder=number, what=DOWNLOADED, at=now, actor=actor, reason_code=reason)
    session.add(event)
    await session.flush()
    return event
