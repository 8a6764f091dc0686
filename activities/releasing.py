"""What happens to sub-orders from outside their own making: tried again, cancelled, expired."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from models.messages import Release, Released, Reopening
from models.queries import suborders as queries
from models.queries.destinations import REOPEN_DELIVERIES
from models.status_facts import RELEASABLE
from models.suborder import SubOrderState
from services.download_tracking import DOWNLOAD_ALIVE


@dataclass(frozen=True)
class ReleasingActivities:
    """Reopens failed files and releases what nobody may have any more."""

    sessions: async_sessionmaker[AsyncSession]

    @activity.defn
    async def reopen_files(self, reopening: Reopening) -> int:
        """Make failed files pending again; tells how many. What has been delivered is not touched.

        Where nothing is named, deliveries that failed are tried again too.
        """
        where = {"order_id": reopening.order_id, "all": not reopening.seqs, "seqs": list(reopening.seqs)}
        async with self.sessions.begin() as session:
            reopened = int((await session.execute(queries.REOPEN_FILES, where)).scalar_one())
            await session.execute(REOPEN_DELIVERIES, where)
            return reopened

    @activity.defn
    async def release_suborders(self, release: Release) -> Released:
        """End every sub-order; an expiry waits for open downloads and spares what has been downloaded."""
        expiring = release.state is SubOrderState.EXPIRED
        async with self.sessions.begin() as session:
            if expiring:
                await session.execute(queries.hold_suborders(release.order_id))
                alive = queries.open_downloads(release.order_id, seen_since=datetime.now(UTC) - DOWNLOAD_ALIVE)
                if under_way := (await session.execute(alive)).scalar_one():
                    return Released(open_downloads=under_way, released=0)
            where = {"order_id": release.order_id, "state": release.state, "sources": list(RELEASABLE[release.state])}
            released = (await session.execute(queries.RELEASE, where)).all()
        return Released(open_downloads=0, released=len(released))
