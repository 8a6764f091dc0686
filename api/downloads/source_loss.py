"""Files that are no longer what was sealed: found while they were sent, recorded, and never sent again."""

import asyncio
from collections.abc import Sequence

import structlog

from api.dependencies import Services
from api.downloads.tracking import Target, tell
from models.errors import Failed, Failure
from models.labels import counted
from models.order import Event
from models.queries import downloads as queries
from models.tables import OutboxEvent
from storage.archive.virtual import Member

log = structlog.get_logger()

MAX_LOOKED_AT = 10_000
"""Files of the same archive that are looked at when one of them has changed."""


async def lose(
    services: Services, target: Target, members: Sequence[Member], seqs: Sequence[int], index: int, failed: Failed
) -> None:
    """Record that a member can no longer be had as it was sealed, and every other of which that is true.

    What may come back by itself, such as a storage that is away, is not recorded. What was downloaded before stays so.
    """
    if failed.failure.retryable:
        return
    lost = await asyncio.get_running_loop().run_in_executor(services.readers, _changed, members[:MAX_LOOKED_AT])
    lost[index] = failed.failure
    part = {"order_id": target.order_id, "number": target.suborder}
    etag = target.etag if target.seq is None else None
    async with services.sessions.begin() as session:
        if (await session.execute(queries.LOCK_READY, {**part, "etag": etag})).one_or_none() is None:
            return
        failures = list(lost.values())
        rows = {
            "seqs": [seqs[i] for i in lost],
            "codes": [failure.code.value for failure in failures],
            "texts": [failure.text for failure in failures],
        }
        count = (await session.execute(queries.FILES_LOST, {**part, **rows})).scalar_one()
        event = OutboxEvent(
            order_id=target.order_id,
            suborder=target.suborder,
            what=Event.FILES_LOST,
            at=services.now(),
            actor="system",
            reason_code=failed.failure.code.value,
            reason_text=f"{counted(count, 'file')} changed before the download: {failed.failure.text}",
            details={"failed": count},
        )
        session.add(event)
        await session.flush()
    log.warning("files lost", order=str(target.order_id), suborder=target.suborder, files=count)
    await tell(services, event)


def _changed(members: Sequence[Member]) -> dict[int, Failure]:
    """Which members are not what they were, for as long as the storage answers."""
    found = {}
    for index, (source, href, version) in enumerate(members):
        try:
            source.open(href, version).close()
        except Failed as failed:
            if not failed.failure.retryable:
                found[index] = failed.failure
    return found
