"""Commands an order: through its workflow while that runs, and by the table alone once it has closed."""

from uuid import UUID

from api.dependencies import Caller, Services
from api.orders.lookup import detail_of
from api.orders.schemas import OrderDetail
from api.orders.starting import start_workflow
from models.access import needed_to_command
from models.errors import NotExtended
from models.messages import CommandRequest, Extension
from models.order import EXTENDABLE, Command, OrderStatus
from models.queries import orders as queries
from models.tables import Order
from services.order_lookup import get_owned
from services.placing import check_payable, renew_draft
from temporal import commands
from temporal.commands import WorkflowNotRunning, extend_order, extend_with_start
from temporal.start import OrderStart


async def command(services: Services, caller: Caller, order_id: UUID, request: CommandRequest) -> OrderDetail:
    """Execute a command on an order, and show the order as it is then.

    Before money moves, what it moves for is looked at again: a draft is submitted at today's prices, without what is
    gone, and nobody confirms the payment of an order of which nothing is left.
    Raises NotFound, Forbidden, InvalidOrder, IllegalTransition, TemporalUnavailable or CommandPending.
    """
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
        for permission in sorted(needed_to_command(request.command, own=order.customer == caller.customer)):
            caller.require(permission)
        if request.command is Command.SUBMIT and order.status == OrderStatus.DRAFT:
            order = await renew_draft(session, caller, order_id, services.storage_check, services.now())
            request = request.model_copy(update={"is_free": not order.total_price})
        elif request.command is Command.CONFIRM_PAYMENT and order.status == OrderStatus.PENDING_PAYMENT:
            await check_payable(session, order, services.storage_check)
        shown = await detail_of(session, services, order, caller)
    if order.started_at is None:
        await start_unstarted(services, order)
    await execute_command(services, order, request)
    if request.command is Command.DELETE:
        return shown.model_copy(update={"status": OrderStatus.DELETED, "allowed_actions": []})
    return await _shown(services, caller, order_id)


async def execute_command(services: Services, order: Order, request: CommandRequest) -> None:
    """Execute a command on an order. Raises IllegalTransition, TemporalUnavailable or CommandPending."""
    async with services.operations.temporal_health.required():
        await commands.execute_command(services.temporal, services.sessions, order, request)


async def start_unstarted(services: Services, order: Order) -> None:
    """Start the workflow of an order that was accepted while Temporal was unavailable; the reconciler may be first."""
    async with services.sessions.begin() as session:
        skus = [sku for _, sku in await session.execute(queries.skus_of([order.id]))]
    await start_workflow(services, OrderStart(order, skus))


async def extend(services: Services, caller: Caller, order_id: UUID, extension: Extension) -> OrderDetail:
    """Move the end of an order's life. Raises NotFound, NotExtended or TemporalUnavailable."""
    async with services.sessions.begin() as session:
        order = await get_owned(session, caller, order_id)
    async with services.operations.temporal_health.required():
        try:
            await extend_order(services.temporal, order.workflow_id, extension)
        except WorkflowNotRunning:
            await extend_with_start(services.temporal, await _lost(services, order_id), extension)
    return await _shown(services, caller, order_id)


async def _lost(services: Services, order_id: UUID) -> OrderStart:
    """What to start the lost workflow of an order with. Raises NotExtended where it has ended as it should."""
    async with services.sessions.begin() as session:
        order = (await session.execute(queries.order_by_id(order_id))).scalar_one()
        if order.status not in EXTENDABLE:
            raise NotExtended(f"cannot extend an order that is {order.status}")
        if order.expires_at is not None and order.expires_at <= services.now():
            raise NotExtended("cannot extend an order whose end has come")
        return OrderStart(order, [sku for _, sku in await session.execute(queries.skus_of([order_id]))])


async def _shown(services: Services, caller: Caller, order_id: UUID) -> OrderDetail:
    async with services.sessions.begin() as session:
        return await detail_of(session, services, await get_owned(session, caller, order_id), caller)
