"""Heartbeats of activities that have no position to tell: a worker that dies is missed within seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

from models.tasks import background_task

_BEAT = 1.0


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Heartbeats for as long as the block, or the activity that this decorates, lasts."""
    async with background_task(_beat()):
        yield


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(_BEAT)
