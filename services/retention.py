"""Purging: deleted orders, and bulks that have ended, leave the database when their retention is over."""

from datetime import UTC, datetime, timedelta

from database.engine import make_engine, make_sessions
from models.queries.retention import purge_bulks, purge_deleted


async def purge_orders(database_url: str, age: timedelta) -> list[str]:
    """Remove orders that were deleted, and bulks that ended, at least this long ago; gives the orders' numbers."""
    engine = make_engine(database_url)
    try:
        async with make_sessions(engine).begin() as session:
            before = datetime.now(UTC) - age
            await session.execute(purge_bulks(before=before))
            purged = await session.execute(purge_deleted(before=before))
            return sorted(purged.scalars())
    finally:
        await engine.dispose()
