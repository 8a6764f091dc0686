"""What the bulk workflow asks for: the next orders acted on, and the end written down."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import FailureError

from activities.bulk_runner import BulkCommander, ItemOutcome
from activities.failures import failure_of
from models.bulk import ItemResult, Reason, stopped
from models.errors import FailureCode
from models.messages import BulkPage, BulkPageDone, BulkRef
from models.queries import bulk as queries
from models.tables import Bulk
from temporal.heartbeat import heartbeating

PAGE = 200
"""Orders of one activity: seconds of work, and few events in the history of a large bulk."""

CONCURRENT = 8
"""Orders that the bulks of one worker act on at a time; they must not keep everybody else's orders waiting."""

log = structlog.get_logger()


@dataclass(frozen=True)
class BulkActivities:
    """Activities on the orders of a bulk."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    places: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, CONCURRENT))
    patience: float = 15.0
    """Seconds to wait for the answer of one order: nobody sits and waits for a bulk."""
    pause: float = 1.0
    """Seconds before an order that did not answer is asked again."""

    @activity.defn
    async def work_bulk(self, page: BulkPage) -> BulkPageDone:
        """Act on the next orders, some at a time; every one of them has its result afterwards."""
        async with self.sessions.begin() as session:
            await session.execute(queries.mark_started(page.bulk_id, datetime.now(UTC)))
            bulk = (await session.execute(queries.bulk_by_id(page.bulk_id))).scalar_one()
            query = queries.to_do(page.bulk_id, page.after, PAGE)
            order_ids = (await session.execute(query)).scalars().all()
        commander = BulkCommander(self.sessions, self.client, bulk, self.patience, self.pause)
        async with heartbeating():
            await _each(commander, order_ids, self.places)
        return await self._totals(page.bulk_id, order_ids[-1] if order_ids else None)

    @activity.defn
    async def stop_bulk(self, ref: BulkRef) -> None:
        """Have a bulk end before its next order."""
        async with self.sessions.begin() as session:
            await session.execute(queries.cancel(ref.bulk_id, datetime.now(UTC)))

    @activity.defn
    async def close_bulk(self, ref: BulkRef) -> BulkPageDone:
        """Write down that a bulk has ended; what a cancelled one did not come to is skipped."""
        async with self.sessions.begin() as session:
            bulk: Bulk = (await session.execute(queries.bulk_by_id(ref.bulk_id))).scalar_one()
            code, text = stopped(bulk.stopped_why)
            values = {"bulk_id": ref.bulk_id, "now": datetime.now(UTC), "code": code, "text": text}
            await session.execute(queries.CLOSE, values)
        return await self._totals(ref.bulk_id, None)

    async def _totals(self, bulk_id: UUID, last: UUID | None) -> BulkPageDone:
        async with self.sessions.begin() as session:
            bulk: Bulk = (await session.execute(queries.bulk_by_id(bulk_id))).scalar_one()
        return BulkPageDone(last=last, done=bulk.done, skipped=bulk.skipped, failed=bulk.failed, total=bulk.total)


async def _each(commander: BulkCommander, order_ids: Iterable[UUID], places: asyncio.Semaphore) -> None:
    """Act on all of them. Raises what goes wrong with more than the one order; the others are then left for later."""

    async def one(order_id: UUID) -> None:
        async with places:
            await _safely(commander, order_id)

    try:
        async with asyncio.TaskGroup() as group:
            for order_id in order_ids:
                group.create_task(one(order_id))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _safely(commander: BulkCommander, order_id: UUID) -> None:
    """Act on an order; a mistake of ours costs this order alone."""
    try:
        await commander.on(order_id)
    except FailureError:
        raise
    except Exception as error:
        failure = failure_of(error)
        if failure.code is not FailureCode.INTERNAL:
            raise
        log.exception("a bulk could not act on an order", bulk=str(commander.bulk.id), order=str(order_id))
        await commander.record(order_id, ItemOutcome(ItemResult.FAILED, Reason(failure.code, failure.text)))
