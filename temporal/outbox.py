"""Telling the workflows of orders what has happened to what they delivered, once, whoever is away meanwhile."""

import asyncio

import structlog
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.messages import NOTICE_SIGNAL, Noticed, order_workflow_id
from models.queries import downloads as queries
from models.tables import Notice

SIGNAL_TIMEOUT = 5.0
"""Seconds until Temporal counts as away."""

log = structlog.get_logger()


async def deliver_notices(client: Client, sessions: async_sessionmaker[AsyncSession], which: Select[Notice]) -> int:
    """Tell the workflows; tells how many notices there were.

    A notice is told until somebody has it: the workflow knows it by its id, the timeline of an order that is over
    has the id among the details. Raises what the client raises when Temporal is away; what was not told stays.
    """
    async with sessions.begin() as session:
        found = (await session.execute(which)).scalars().all()
    for notice in found:
        heard = await _heard(client, notice)
        async with sessions.begin() as session:
            if not heard:
                where = {"order_id": notice.order_id, "id": str(notice.id)}
                await session.execute(queries.NOTE_AFTER_THE_END, where)
            await session.execute(queries.notice_is_known(notice.id))
    return len(found)


async def _heard(client: Client, notice: Notice) -> bool:
    """Whether the workflow has the notice; if it has ended, or was purged, it has not and never will."""
    handle = client.get_workflow_handle(order_workflow_id(notice.order_id))
    told = Noticed(
        id=str(notice.id),
        what=notice.what,
        suborder=notice.suborder,
        actor=notice.actor,
        reason_code=notice.reason_code,
        reason_text=notice.reason_text,
        details=notice.details,
    )
    try:
        async with asyncio.timeout(SIGNAL_TIMEOUT):
            await handle.signal(NOTICE_SIGNAL, told)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True
