"""Looks up orders for those who may see or command them."""

from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller, Permission
from models.errors import NotFound
from models.queries import orders as queries
from models.tables import Order


def say_in_logs(order: Order) -> None:
    """Have whatever is logged of this request from now on say the order's number."""
    structlog.contextvars.bind_contextvars(number=order.number)


async def get_visible(session: AsyncSession, caller: Caller, order_id: UUID) -> Order:
    """Get an order that the caller may see. Raises NotFound, also for somebody else's."""
    order = (await session.execute(queries.order_of(caller.visibility, order_id))).scalar_one_or_none()
    if order is None:
        raise NotFound("order", order_id)
    say_in_logs(order)
    return order


async def get_owned(session: AsyncSession, caller: Caller, order_id: UUID) -> Order:
    """Get the caller's order, anybody's for an operator. Raises NotFound, also for somebody else's, or Forbidden."""
    order = await get_visible(session, caller, order_id)
    if caller.writes and order.customer != caller.customer:
        caller.require(Permission.COMMAND_ALL)
    return order
