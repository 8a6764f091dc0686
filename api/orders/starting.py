"""Starts the workflow of an order that has been accepted."""

import structlog
from temporalio.service import RPCError

from api.dependencies import Services
from models.errors import TemporalUnavailable
from models.queries.orders import mark_started
from temporal.start import OrderStart, start_order

log = structlog.get_logger()


async def start_workflow(services: Services, order: OrderStart) -> None:
    """Start the workflow if Temporal is available; the reconciler starts it otherwise, so no failure is raised."""
    try:
        async with services.operations.temporal_health.required():
            await start_order(services.temporal, order)
    except (TemporalUnavailable, RPCError, RuntimeError, TimeoutError) as error:
        about = {"order": str(order.order.id), "number": order.order.number}
        log.warning("temporal away, the reconciler will start it", **about, error=str(error))
        return
    async with services.sessions.begin() as session:
        await session.execute(mark_started(order.order.id, services.now()))
