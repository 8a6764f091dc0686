"""Recovery: starts the workflow of every order or bulk that lacks one, and delivers what is left in the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.client import Client

from activities.meters import count_revived, count_started
from models.messages import ORDER_WORKFLOW, order_workflow_id
from models.queries import bulk as bulk_queries
from models.queries import downloads
from models.queries import orders as queries
from models.tables import Order
from temporal.outbox import deliver_events
from temporal.start import OrderStart, restart_workflow, start_bulk, start_order

GRACE = timedelta(seconds=10)
"""How long an accepted order may lack its workflow, or an event stay in the outbox, before the reconciler acts."""

CHECKED_PER_RUN = 2_000
"""Orders that one run of the reconciler asks Temporal about; if there are more, each run checks another part."""

_CHECKED_PER_QUERY = 100


@dataclass(frozen=True)
class RecoveryActivities:
    """The activity of the reconciler."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client

    @activity.defn
    async def start_missing_orders(self) -> int:
        """Start a workflow for every order that has none or has lost it; returns how many there were."""
        now = datetime.now(UTC)
        async with self.sessions.begin() as session:
            found = (await session.execute(queries.unstarted_orders(before=now - GRACE, limit=500))).scalars().all()
            skus = await _skus(session, found)
        for order in found:
            await start_order(self.client, OrderStart(order, skus.get(order.id, ())))
            async with self.sessions.begin() as session:
                await session.execute(queries.mark_started(order.id, now))
            count_started(1)
            activity.heartbeat()
        restarted = await self._restart_lost(now)
        await self._start_missing_bulks(now)
        # The API could not deliver these while Temporal was unavailable.
        await deliver_events(self.client, self.sessions, downloads.outbox_events(before=now - GRACE))
        return len(found) + restarted

    async def _restart_lost(self, now: datetime) -> int:
        """Restart workflows that were terminated or are unknown to this Temporal; returns how many."""
        async with self.sessions.begin() as session:
            parts = (await session.execute(queries.count_needing_workflow(now))).scalar_one() // CHECKED_PER_RUN + 1
            part = int(now.timestamp()) // 30 % parts
            query = queries.orders_needing_workflow(now, before=now - GRACE, part=part, parts=parts)
            rows = (await session.execute(query)).all()
        living = [(order_id, order_workflow_id(order_id, kept)) for order_id, kept in rows]
        restarted = 0
        for first in range(0, len(living), _CHECKED_PER_QUERY):
            asked = living[first : first + _CHECKED_PER_QUERY]
            running = await _running(self.client, [workflow_id for _, workflow_id in asked])
            for order_id, workflow_id in asked:
                if workflow_id not in running:
                    revived = await self._restart(order_id)
                    count_revived(int(revived))
                    restarted += revived
            activity.heartbeat()
        return restarted

    async def _restart(self, order_id: UUID) -> bool:
        async with self.sessions.begin() as session:
            order = (await session.execute(queries.order_by_id(order_id))).scalar_one()
            skus = await _skus(session, [order])
        return await restart_workflow(self.client, OrderStart(order, skus.get(order_id, ())))

    async def _start_missing_bulks(self, now: datetime) -> None:
        """Start every unfinished bulk: Temporal was unavailable, or somebody terminated its workflow."""
        async with self.sessions.begin() as session:
            query = bulk_queries.unfinished(before=now - GRACE, limit=500)
            found = (await session.execute(query)).scalars().all()
        for bulk in found:
            await start_bulk(self.client, bulk)
            async with self.sessions.begin() as session:
                await session.execute(bulk_queries.mark_started(bulk.id, now))
            activity.heartbeat()


async def _running(client: Client, workflow_ids: Sequence[str]) -> set[str]:
    """Those of the workflows that Temporal lists as running; the list may lag by some seconds."""
    names = ", ".join(f"'{workflow_id}'" for workflow_id in workflow_ids)
    query = f"WorkflowType = '{ORDER_WORKFLOW}' AND ExecutionStatus = 'Running' AND WorkflowId IN ({names})"
    return {found.id async for found in client.list_workflows(query)}


async def _skus(session: AsyncSession, orders: Sequence[Order]) -> dict[UUID, list[str]]:
    """The SKUs of each order, by its id."""
    skus: dict[UUID, list[str]] = {}
    for order_id, sku in await session.execute(queries.skus_of([o.id for o in orders])):
        skus.setdefault(order_id, []).append(sku)
    return skus
