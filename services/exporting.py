"""Streams what PostgreSQL copies out: flat in memory, whole or cut, never ended cleanly before its end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing

import psycopg
import structlog
from anyio import CapacityLimiter, WouldBlock
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models.errors import NotReady
from models.queries.exports import Copy

log = structlog.get_logger()

BLOCK_BYTES = 128 * 1024
"""How much is gathered before it is sent: COPY gives a row at a time."""

_BUSY = "as many exports as this server makes at a time are under way; try again soon"


async def open_export(
    sessions: async_sessionmaker[AsyncSession], slots: CapacityLimiter, copy: Copy, head: bytes = b""
) -> AsyncIterator[bytes]:
    """Open an export with its first block read, so that what goes wrong before is answered, not cut.

    Raises NotReady where all `slots` are taken.
    """
    blocks = _blocks(sessions, slots, copy)
    first = await anext(blocks)

    async def body() -> AsyncIterator[bytes]:
        try:
            async with aclosing(blocks):
                yield head + first
                async for block in blocks:
                    yield block
        except (psycopg.Error, DBAPIError) as error:
            # Raised on, so that the connection is cut: half an export must never look whole.
            log.warning("export cut", error=type(error).__name__)
            raise

    return body()


async def _blocks(
    sessions: async_sessionmaker[AsyncSession], slots: CapacityLimiter, copy: Copy
) -> AsyncGenerator[bytes, None]:
    borrower = object()  # not the task: the first block is read in another one than the rest
    try:
        slots.acquire_on_behalf_of_nowait(borrower)
    except WouldBlock:
        raise NotReady(_BUSY) from None
    try:
        async with sessions.begin() as session:
            cursor = await _cursor(session)
            async with cursor, cursor.copy(copy.statement, copy.parameters) as rows:
                async for block in _in_blocks(rows):
                    yield block
    finally:
        slots.release_on_behalf_of(borrower)


async def _in_blocks(rows: AsyncIterable[bytes | bytearray | memoryview]) -> AsyncIterator[bytes]:
    """Rows in blocks; the last one may be empty."""
    block = bytearray()
    async for row in rows:
        block += row
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
            # While rows keep coming nothing above ever waits, and nobody else would get a turn.
            await asyncio.sleep(0)
    yield bytes(block)


async def _cursor(session: AsyncSession) -> psycopg.AsyncCursor[object]:
    """A cursor of the driver in the session's transaction."""
    connection = await session.connection()
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, psycopg.AsyncConnection):
        raise TypeError("exports need psycopg's COPY")
    return driver.cursor()
