"""Whether Temporal answers: checked all the time, so that no request has to wait to find out that it does not."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from models.delivery_status import Machinery
from models.errors import TemporalUnavailable
from models.tasks import background_task
from temporal.queues import WORKFLOW_TASKS, QueueFigures, last_reconciled, task_queues

CHECK_EVERY = 1.0
"""Seconds between two checks."""

CHECK_TIMEOUT = 2.0
"""Seconds Temporal has for an answer; with CHECK_EVERY the longest that a request can hang on an unresponsive one."""

LOOK_EVERY = 10.0
"""Seconds between two looks at queues and reconciler: scrapes and orders are answered from the last."""

POLL = timedelta(seconds=90)
"""A worker asks for tasks once a minute at least; if none has for this long, there is none."""

log = structlog.get_logger()


class TemporalHealth:
    """Whether Temporal answers, and what it said last of our queues. Until the first check it counts as available."""

    def __init__(self) -> None:
        self.unavailable = False
        self.unavailable_since: datetime | None = None
        self.queues: Mapping[tuple[str, str], QueueFigures] = {}
        self.reconciled: datetime | None = None
        self._waiting: set[asyncio.Timeout] = set()

    def record(self, *, available: bool) -> None:
        """Record the outcome of a check; what waits for a Temporal that is unavailable ends at once."""
        if available == self.unavailable:
            log.warning("temporal available again" if available else "temporal unavailable")
            self.unavailable_since = None if available else datetime.now(UTC)
        self.unavailable = not available
        if not available:
            for limit in self._waiting:
                limit.reschedule(asyncio.get_running_loop().time())
            self._waiting.clear()

    def machinery(self, now: datetime) -> Machinery:
        """What orders need to move, for those who ask why one does not."""
        gone = None
        # Of workers for workflows alone: one that reads files in all its slots asks for no more of them, and works.
        if (workers := self.queues.get(WORKFLOW_TASKS)) is not None:
            asked_at = workers.asked_at or datetime.min.replace(tzinfo=UTC)
            gone = asked_at if now - asked_at > POLL else None
        return Machinery(now, self.unavailable_since, gone)

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
    async with background_task(_watch(client, health)), background_task(_look(client, health)):
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


async def _look(client: Client, health: TemporalHealth) -> None:
    """Learn now and then what Temporal says of our queues and the reconciler; if it does not, the last word stays."""
    while True:
        if not health.unavailable:
            with suppress(RPCError, RuntimeError, TimeoutError):
                async with asyncio.timeout(CHECK_TIMEOUT):
                    health.queues = await task_queues(client)
                    health.reconciled = await last_reconciled(client) or health.reconciled
        await asyncio.sleep(LOOK_EVERY)
