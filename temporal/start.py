"""Starting the workflows of orders and bulks, which may be tried any number of times and happens once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.client import Client
from temporalio.common import Priority, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.common import SearchAttributePair as Pair
from temporalio.exceptions import WorkflowAlreadyStartedError

from models.labels import counted, size_in_words
from models.messages import (
    BULK_WORKFLOW,
    ORDER_WORKFLOW,
    ORDERS_QUEUE,
    BulkInput,
    OrderInput,
    bulk_workflow_id,
    order_workflow_id,
)
from models.queries import bulk as bulk_queries
from models.queries import downloads
from models.queries import orders as queries
from models.tables import Bulk, Order
from temporal import search_attributes as attributes
from temporal.outbox import deliver_notices

START_TIMEOUT = 5.0
"""Seconds a start may take; `rpc_timeout` alone can take several times as long when the server is dead."""

GRACE = timedelta(seconds=10)
"""How long an accepted order may be without a workflow, or a notice untold, before the reconciler steps in."""

LOOKED_AT_ONCE = 2_000
"""Living orders one look of the reconciler asks Temporal about; where there are more, each look takes another part."""

_ASKED_AT_ONCE = 100

log = structlog.get_logger()


@dataclass(frozen=True)
class OrderStart:
    """What Temporal shows of an order from its first moment."""

    order: Order
    skus: Sequence[str]

    @property
    def summary(self) -> str:
        """One line for the list of workflows."""
        order = self.order
        parts = (counted(order.files_total, "file"), size_in_words(order.bytes_total), ", ".join(self.skus[:5]))
        return " · ".join((order.number, *parts))

    @property
    def search_attributes(self) -> TypedSearchAttributes:
        """By what the order is found."""
        order = self.order
        return TypedSearchAttributes(
            [
                Pair(attributes.STATUS, order.status),
                Pair(attributes.CUSTOMER, attributes.opaque(order.customer)),
                Pair(attributes.NUMBER, order.number),
                Pair(attributes.SKUS, list(self.skus[:100])),
                Pair(attributes.BYTES, order.bytes_total),
                Pair(attributes.ERRORS, order.files_failed),
            ]
        )

    @property
    def options(self) -> dict[str, Any]:
        """How every workflow of the order is started, the first and one that goes on for it."""
        return {
            "id": order_workflow_id(self.order.id),
            "task_queue": ORDERS_QUEUE,
            "search_attributes": self.search_attributes,
            "static_summary": self.summary,
            "static_details": "The life of one order. Each sub-order is a child workflow.",
            "priority": Priority(fairness_key=attributes.opaque(self.order.customer)),
        }


async def start_order(client: Client, start: OrderStart) -> None:
    """Start the workflow of an order; that it has been started already counts as success.

    Raises what the client raises when Temporal is away: RPCError, RuntimeError or TimeoutError.
    """
    first = OrderInput(order_id=start.order.id)
    try:
        async with asyncio.timeout(START_TIMEOUT):
            await client.start_workflow(
                ORDER_WORKFLOW, first, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE, **start.options
            )
    except WorkflowAlreadyStartedError:
        log.debug("order has its workflow already", order=start.order.number)


async def revive_order(client: Client, start: OrderStart) -> bool:
    """Start a workflow that goes on with an order from where the rows say; False if one lives.

    Temporal knows best, and lets one live at a time: whoever asks twice revives once. Raises as `start_order` does.
    """
    again = OrderInput(order_id=start.order.id, revived=True)
    try:
        async with asyncio.timeout(START_TIMEOUT):
            await client.start_workflow(
                ORDER_WORKFLOW, again, id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE, **start.options
            )
    except WorkflowAlreadyStartedError:
        return False
    log.warning("order had lost its workflow", order=start.order.number, status=start.order.status)
    return True


async def start_bulk(client: Client, bulk: Bulk) -> None:
    """Start the workflow of a bulk, also in place of one that broke off; that one is there already counts as success.

    Raises what the client raises when Temporal is away: RPCError, RuntimeError or TimeoutError.
    """
    try:
        async with asyncio.timeout(START_TIMEOUT):
            await client.start_workflow(
                BULK_WORKFLOW,
                BulkInput(bulk_id=bulk.id),
                id=bulk_workflow_id(bulk.id),
                task_queue=ORDERS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                search_attributes=TypedSearchAttributes([Pair(attributes.CUSTOMER, attributes.opaque(bulk.customer))]),
                static_summary=f"{bulk.command} · {counted(bulk.total, 'order')}",
                static_details="One command for many orders. Cancel it by the API, which says what became of each.",
                priority=Priority(fairness_key=attributes.opaque(bulk.customer)),
            )
    except WorkflowAlreadyStartedError:
        log.debug("bulk has its workflow already", bulk=str(bulk.id))


@dataclass(frozen=True)
class StartingActivities:
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
        await deliver_notices(self.client, self.sessions, downloads.notices(before=now - GRACE))
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
