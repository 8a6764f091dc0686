"""Looks up the orders that routes work on, with what of them is shown."""

from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Caller, Services
from api.orders import presenting
from api.orders.schemas import OrderDetail
from models.queries import orders as queries
from models.queries.blockers import BLOCKERS
from models.queries.payments import refund_due
from models.tables import Order
from services.names import names_of_owners


def state_of(order: Order) -> str:
    """What has happened to an order and what has been written on it, as its ETag begins."""
    return f"{order.version}.{order.revision}"


async def detail_of(session: AsyncSession, services: Services, order: Order, caller: Caller) -> OrderDetail:
    """An order with its lines, as the facade shows it to this caller."""
    items = (await session.execute(queries.items_of(order.id))).scalars().all()
    counts = presenting.states(await session.execute(queries.suborder_states([order.id])))
    due = (await session.execute(refund_due(order.id))).scalar_one()
    blockers = presenting.blockers(await session.execute(BLOCKERS, {"order_ids": [order.id]}))
    states = counts.get(order.id, {})
    names = await names_of_owners(session, caller, [order.customer])
    health = services.operations.temporal_health
    shown = presenting.order_detail(
        order,
        items,
        states,
        due,
        services.public_url,
        caller,
        names,
        blocker=blockers.get(order.id),
        machinery=health.machinery(services.now()),
    )
    return shown.model_copy(update={"degraded": health.unavailable})
