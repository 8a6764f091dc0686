"""Downloads under way: known to the database, so that nothing expires under them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from api.services import Services
from models.queries import suborders as queries

SEEN_EVERY = 20.0
"""Seconds between two signs of life; a third of the time after which a download counts as over."""

log = structlog.get_logger()


@asynccontextmanager
async def under_way(services: Services, order_id: UUID, number: int) -> AsyncIterator[None]:
    """Note a download for as long as the block lasts."""
    async with services.sessions.begin() as session:
        download_id = (await session.execute(queries.begin_download(order_id, number, services.now()))).scalar_one()
    seeing = asyncio.create_task(_see(services, download_id))
    try:
        yield
    finally:
        seeing.cancel()
        # A client that went away has us cancelled here; the note goes all the same, or at the latest by its age.
        await asyncio.shield(asyncio.create_task(_end(services, download_id)))


async def _see(services: Services, download_id: UUID) -> None:
    while True:
        await asyncio.sleep(SEEN_EVERY)
        with suppress(DBAPIError):
            async with services.sessions.begin() as session:
                await session.execute(queries.see_download(download_id, services.now()))


async def _end(services: Services, download_id: UUID) -> None:
    try:
        async with services.sessions.begin() as session:
            await session.execute(queries.end_download(download_id))
    except DBAPIError as error:
        log.warning("download not ended in the database; it will count as over soon", error=type(error).__name__)
