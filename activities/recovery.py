"""Recovery: starts every accepted order or bulk that has no workflow, and delivers what Temporal has missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.client import Client

from models.messages import ORDER_WORKFLOW, order_workflow_id
from models.queries import bulk as bulk_queries
from models.queries import downloads
from models.queries import orders as queries
from models.tables import Order
from temporal.outbox import deliver_events
from temporal.start import OrderStart, revive_order, start_bulk, start_order

GRACE = timedelta(seconds=10)
"""How long an accepted order may be without a workflow, or a notice untold, before the reconciler steps in."""

LOOKED_AT_ONCE = 2_000
"""Living orders one look of the reconciler asks Temporal about; where there are more, each look takes another part."""

_ASKED_AT_ONCE = 100


@dataclass(frozen=True)
class RecoveryActivities:
    """What the reconciler does."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client

    @activity.defn
    async def start_missing_orders(self) -> int:
        """Start every accepted order that has no workflow, or has lost it; tells how many those were."""
        now = datetime.now(UTC)
        async with self.sessions.begin() as session:
            found = (await session.execute(queries.unstarted_orders(before=now - GRACE, limit=500))).scalars().all()
            skus = await _skus(session, found)
        for order in found:
            await start_order(self.client, OrderStart(order, skus.get(order.id, ())))
            async with self.sessions.begin() as session:
                await session.execute(queries.mark_started(order.id, now))
            activity.heartbeat()
        revived = await self._revive_lost(now)
        await self._start_missing_bulks(now)
        # What the facade could not tell, for Temporal was away from it.
        await deliver_events(self.client, self.sessions, downloads.outbox_events(before=now - GRACE))
        return len(found) + revived

    async def _revive_lost(self, now: datetime) -> int:
        """Go on with orders whose workflow was terminated, or is unknown to this Temporal; tells how many."""
        async with self.sessions.begin() as session:
            parts = (await session.execute(queries.count_living(now))).scalar_one() // LOOKED_AT_ONCE + 1
            part = int(now.timestamp()) // 30 % parts
            query = queries.living_orders(now, before=now - GRACE, part=part, parts=parts)
            living = (await session.execute(query)).scalars().all()
        revived = 0
        for first in range(0, len(living), _ASKED_AT_ONCE):
            asked = living[first : first + _ASKED_AT_ONCE]
            alive = await _running(self.client, asked)
            for order_id in asked:
                if order_workflow_id(order_id) not in alive:
                    revived += await self._revive(order_id)
            activity.heartbeat()
        return revived

    async def _revive(self, order_id: UUID) -> bool:
        async with self.sessions.begin() as session:
            order = (await session.execute(queries.order_by_id(order_id))).scalar_one()
            skus = await _skus(session, [order])
        return await revive_order(self.client, OrderStart(order, skus.get(order_id, ())))

    async def _start_missing_bulks(self, now: datetime) -> None:
        """Have every bulk that has not ended at work: Temporal was away, or somebody terminated its workflow."""
        async with self.sessions.begin() as session:
            query = bulk_queries.unfinished(before=now - GRACE, limit=500)
            found = (await session.execute(query)).scalars().all()
        for bulk in found:
            await start_bulk(self.client, bulk)
            async with self.sessions.begin() as session:
                await session.execute(bulk_queries.mark_started(bulk.id, now))
            activity.heartbeat()


async def _running(client: Client, order_ids: Sequence[UUID]) -> set[str]:
    """Those of their workflows that Temporal shows as running; its list may be some seconds late."""
    names = ", ".join(f"'{order_workflow_id(order_id)}'" for order_id in order_ids)
    query = f"WorkflowType = '{ORDER_WORKFLOW}' AND ExecutionStatus = 'Running' AND WorkflowId IN ({names})"
    return {found.id async for found in client.list_workflows(query)}


async def _skus(session: AsyncSession, orders: Sequence[Order]) -> dict[UUID, list[str]]:
    """The SKUs of each order, by its id."""
    skus: dict[UUID, list[str]] = {}
    for order_id, sku in await session.execute(queries.skus_of([o.id for o in orders])):
        skus.setdefault(order_id, []).append(sku)
    return skus
