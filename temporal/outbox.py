"""Telling the workflows of orders what has happened to what they delivered, once, whoever is away meanwhile."""

import asyncio

import structlog
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.messages import NOTICE_SIGNAL, Noticed, order_workflow_id
from models.queries import downloads as queries
from models.tables import OutboxEvent

SIGNAL_TIMEOUT = 5.0
"""Seconds until Temporal counts as away."""

log = structlog.get_logger()


async def deliver_events(client: Client, sessions: async_sessionmaker[AsyncSession], which: Select[OutboxEvent]) -> int:
    """Tell the workflows; tells how many notices there were.

    An event is told until somebody has it: the workflow knows it by its id, the timeline of an order that is over
    has the id among the details. Raises what the client raises when Temporal is away; what was not told stays.
    """
    async with sessions.begin() as session:
        found = (await session.execute(which)).scalars().all()
    for event in found:
        heard = await _heard(client, event)
        async with sessions.begin() as session:
            if not heard:
                where = {"order_id": event.order_id, "id": str(event.id)}
                await session.execute(queries.APPEND_TO_CLOSED_ORDER, where)
            await session.execute(queries.delete_event(event.id))
    return len(found)


async def _heard(client: Client, event: OutboxEvent) -> bool:
    """Whether the workflow has the event; if it has ended, or was purged, it has not and never will."""
    handle = client.get_workflow_handle(order_workflow_id(event.order_id))
    told = Noticed(
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
            await handle.signal(NOTICE_SIGNAL, told)
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
