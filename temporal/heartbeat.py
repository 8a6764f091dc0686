"""Heartbeats of activities without a position of their own: a worker that dies is noticed within seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

from models.tasks import background_task

_BEAT = 1.0


@asynccontextmanager
async def heartbeating() -> AsyncIterator[None]:
    """Send heartbeats while the block, or the activity that this decorates, runs."""
    async with background_task(_beat()):
        yield


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(_BEAT)
