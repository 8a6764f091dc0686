"""Whether Temporal answers: checked all the time, so that no request has to wait to find out that it does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from models.errors import TemporalUnavailable
from models.tasks import background_task

CHECK_EVERY = 1.0
"""Seconds between two checks."""

CHECK_TIMEOUT = 2.0
"""Seconds Temporal has for an answer; with CHECK_EVERY the longest that a request can hang on an unresponsive one."""

log = structlog.get_logger()


class TemporalHealth:
    """Whether Temporal answers. Until the first check it counts as available."""

    def __init__(self) -> None:
        self.unavailable = False
        self._waiting: set[asyncio.Timeout] = set()

    def record(self, *, available: bool) -> None:
        """Record the outcome of a check; what waits for a Temporal that is unavailable ends at once."""
        if available == self.unavailable:
            log.warning("temporal available again" if available else "temporal unavailable")
        self.unavailable = not available
        if not available:
            for limit in self._waiting:
                limit.reschedule(asyncio.get_running_loop().time())
            self._waiting.clear()

    @asynccontextmanager
    async def required(self) -> AsyncIterator[None]:
        """Guard what cannot be done without Temporal.

        Raises TemporalUnavailable, also when it stops answering meanwhile.
        """
        if self.unavailable:
            raise TemporalUnavailable
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._waiting.add(limit)
                yield
        except TimeoutError:
            if limit.expired():
                raise TemporalUnavailable from None
            raise
        finally:
            self._waiting.discard(limit)


@asynccontextmanager
async def watching(client: Client, health: TemporalHealth) -> AsyncIterator[None]:
    """Keep an eye on Temporal as long as the block lasts."""
    async with background_task(_watch(client, health)):
        yield


async def _watch(client: Client, health: TemporalHealth) -> None:
    while True:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                available = await client.service_client.check_health()
        except (RPCError, RuntimeError, TimeoutError):
            available = False
        health.record(available=available)
        await asyncio.sleep(CHECK_EVERY)
