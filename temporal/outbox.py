"""The outbox: events about what orders delivered, brought to their workflows once, whatever fails meanwhile."""

import asyncio

import structlog
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.messages import NOTICE_SIGNAL, OutboxEventMessage, order_workflow_id
from models.queries import downloads as queries
from models.queries.orders import workflow_kept_of
from models.tables import OutboxEvent

SIGNAL_TIMEOUT = 5.0
"""Seconds until Temporal counts as unavailable."""

log = structlog.get_logger()


async def deliver_events(client: Client, sessions: async_sessionmaker[AsyncSession], which: Select[OutboxEvent]) -> int:
    """Signal the events to their workflows; returns how many there were.

    An event is delivered at least once and recorded once: the workflow knows it by its id, the timeline of a closed
    order has the id among the details. Raises what the client raises when Temporal is unavailable; the rest stays.
    """
    async with sessions.begin() as session:
        found = (await session.execute(which)).scalars().all()
    for event in found:
        async with sessions.begin() as session:
            kept = (await session.execute(workflow_kept_of(event.order_id))).scalar_one_or_none()
        delivered = await _signal(client, order_workflow_id(event.order_id, kept), event)
        async with sessions.begin() as session:
            if not delivered:
                where = {"order_id": event.order_id, "id": str(event.id)}
                await session.execute(queries.APPEND_TO_CLOSED_ORDER, where)
            await session.execute(queries.delete_event(event.id))
    return len(found)


async def _signal(client: Client, workflow_id: str, event: OutboxEvent) -> bool:
    """Signal an event; returns whether there is a workflow: one that has closed, or was purged, never takes it."""
    handle = client.get_workflow_handle(workflow_id)
    signal = OutboxEventMessage(
        id=str(event.id),
        what=event.what,
        suborder=event.suborder,
        actor=event.actor,
        reason_code=event.reason_code,
        reason_text=event.reason_text,
        details=event.details,
    )
    try:
        async with asyncio.timeout(SIGNAL_TIMEOUT):
            await handle.signal(NOTICE_SIGNAL, signal)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def deliver_event(client: Client, sessions: async_sessionmaker[AsyncSession], event: OutboxEvent | None) -> None:
    """Deliver an event that has just been committed; if Temporal is unavailable, the reconciler will."""
    if event is None:
        return
    try:
        await deliver_events(client, sessions, queries.outbox_events(id_=event.id))
    except (RPCError, RuntimeError, TimeoutError) as error:
        log.warning("temporal away, the reconciler will tell", order=str(event.order_id), error=str(error))
