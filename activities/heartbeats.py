"""Heartbeats of activities that have no position to tell: a worker that dies is missed within seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio import activity

_BEAT = 1.0


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Heartbeats for as long as the block, or the activity that this decorates, lasts."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(_BEAT)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
