"""Waiting for whoever waits for a lock in PostgreSQL: that is how a race is forced one way or the other."""

import asyncio

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

_WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def somebody_waits(sessions: async_sessionmaker[AsyncSession]) -> None:
    """Return when a transaction of this database cannot go on before another one has ended."""
    async with asyncio.timeout(30):
        while True:
            # A transaction sees the activity of its beginning: each look is one of its own.
            async with sessions.begin() as session:
                if (await session.execute(_WAITING)).scalar_one():
                    return
