"""Files that are no longer what was sealed: found while they were sent, recorded, and never sent again."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Failed, Failure
from models.labels import counted
from models.order import Event
from models.queries import downloads as queries
from models.tables import OutboxEvent
from services.download_tracking import DownloadTarget
from storage.archive.virtual import Member

MAX_LOOKED_AT = 10_000
"""Files of the same archive that are looked at when one of them has changed."""

log = structlog.get_logger()


def changed_members(members: Sequence[Member], *, limit: int = MAX_LOOKED_AT) -> dict[int, Failure]:
    """Which members are not what they were, by their index, for as long as the storage answers."""
    found = {}
    for index, (source, href, version) in enumerate(members[:limit]):
        try:
            source.open(href, version).close()
        except Failed as failed:
            if not failed.failure.retryable:
                found[index] = failed.failure
    return found


async def record_source_loss(
    session: AsyncSession, target: DownloadTarget, lost: Mapping[int, Failure], cause: Failure, now: datetime
) -> OutboxEvent | None:
    """Record that files, by their `seq`, can no longer be had as they were sealed, and with them their archive.

    What was downloaded before stays so: then there is nothing to record.
    """
    lock = {**target.part, "etag": target.archive_etag}
    if (await session.execute(queries.LOCK_READY, lock)).one_or_none() is None:
        return None
    rows = {
        "seqs": [*lost],
        "codes": [failure.code.value for failure in lost.values()],
        "texts": [failure.text for failure in lost.values()],
    }
    count = (await session.execute(queries.FILES_LOST, {**target.part, **rows})).scalar_one()
    event = OutboxEvent(
        order_id=target.order_id,
        suborder=target.suborder,
        what=Event.FILES_LOST,
        at=now,
        actor="system",
        reason_code=cause.code.value,
        reason_text=f"{counted(count, 'file')} changed before the download: {cause.text}",
        details={"failed": count},
    )
    session.add(event)
    await session.flush()
    log.warning("files lost", order=str(target.order_id), suborder=target.suborder, files=count)
    return event
