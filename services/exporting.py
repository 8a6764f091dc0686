"""Exports: what PostgreSQL copies out is written to a file first, and sent when it is whole.

So no reader, however slow, holds a transaction or a connection; what breaks off is an error and never half an answer;
and an export has a length.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import IO

import psycopg
from anyio import CapacityLimiter, WouldBlock
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models.errors import ServerBusy
from models.queries.exports import Copy

BLOCK_BYTES = 128 * 1024
"""How much is gathered before it is written, or read before it is sent: COPY gives a row at a time."""

MEMORY_BYTES = 1024 * 1024
"""An export up to this size is on no disk."""


@dataclass(frozen=True)
class Export:
    """A whole export, in a file without a name."""

    file: IO[bytes]
    size: int

    async def blocks(self) -> AsyncIterator[bytes]:
        """Its bytes."""
        while block := await asyncio.to_thread(self.file.read, BLOCK_BYTES):
            yield block

    def close(self) -> None:
        """Give its room back."""
        self.file.close()


async def make_export(
    sessions: async_sessionmaker[AsyncSession], slots: CapacityLimiter, copy: Copy, head: bytes = b""
) -> Export:
    """Make an export, whole. Raises ServerBusy where all `slots` are taken."""
    borrower = object()
    try:
        slots.acquire_on_behalf_of_nowait(borrower)
    except WouldBlock:
        raise ServerBusy("exports") from None
    file = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - whoever sends it closes it
    try:
        file.write(head)
        async with sessions.begin() as session:
            cursor = await _cursor(session)
            async with cursor, cursor.copy(copy.statement, copy.parameters) as rows:
                async for block in _in_blocks(rows):
                    await asyncio.to_thread(file.write, block)
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    finally:
        slots.release_on_behalf_of(borrower)
    return Export(file, size)


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
