"""Purging: deleted orders leave the database when their retention is over."""

from datetime import UTC, datetime, timedelta

from models.database import make_engine, make_sessions
from models.queries.purging import purge_deleted


async def purge_orders(database_url: str, age: timedelta) -> list[str]:
    """Remove orders that were deleted at least this long ago; gives their numbers."""
    engine = make_engine(database_url)
    try:
        async with make_sessions(engine).begin() as session:
            purged = await session.execute(purge_deleted(before=datetime.now(UTC) - age))
            return sorted(purged.scalars())
    finally:
        await engine.dispose()
