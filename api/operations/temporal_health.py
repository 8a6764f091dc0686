"""Whether Temporal is there: watched, so that nobody has to wait to find out that it is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from models.errors import TemporalAway
from models.tasks import background_task

CHECK_EVERY = 1.0
"""Seconds between two looks."""

PATIENCE = 2.0
"""Seconds Temporal has for an answer; with CHECK_EVERY the longest that a request can hang on one that froze."""

log = structlog.get_logger()


class Standing:
    """What is known of Temporal; nobody has looked yet: it is there."""

    def __init__(self) -> None:
        self.temporal_away = False
        self._holding: set[asyncio.Timeout] = set()

    def found(self, *, away: bool) -> None:
        """Note what was found; whoever waits for a Temporal that is away is told at once."""
        if away != self.temporal_away:
            log.warning("temporal away" if away else "temporal back")
        self.temporal_away = away
        if away:
            for limit in self._holding:
                limit.reschedule(asyncio.get_running_loop().time())
            self._holding.clear()

    @asynccontextmanager
    async def needed(self) -> AsyncIterator[None]:
        """For what cannot be done without Temporal. Raises TemporalAway, also when it goes away meanwhile."""
        if self.temporal_away:
            raise TemporalAway
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._holding.add(limit)
                yield
        except TimeoutError:
            if limit.expired():
                raise TemporalAway from None
            raise
        finally:
            self._holding.discard(limit)


@asynccontextmanager
async def watching(client: Client, standing: Standing) -> AsyncIterator[None]:
    """Keep an eye on Temporal as long as the block lasts."""
    async with background_task(_watch(client, standing)):
        yield


async def _watch(client: Client, standing: Standing) -> None:
    while True:
        try:
            async with asyncio.timeout(PATIENCE):
                healthy = await client.service_client.check_health()
        except (RPCError, RuntimeError, TimeoutError):
            healthy = False
        standing.found(away=not healthy)
        await asyncio.sleep(CHECK_EVERY)
