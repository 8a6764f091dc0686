"""Commanding an order: through its workflow while that lives, and by the table alone once it is over."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.routes.orders import detail_of, owned, start
from api.schemas import OrderDetail
from api.services import Caller, Services
from models.access import needed_to_command
from models.errors import IllegalTransition, NotExtended
from models.messages import CommandRequest, Extension
from models.order import Command, OrderStatus, advance, allowed_actions, past_tense
from models.queries import orders as queries
from models.tables import Order, TimelineRow
from workflows.client import OrderStart, WorkflowIsOver, command_anew, command_order, extend_order


async def command(services: Services, caller: Caller, order_id: UUID, request: CommandRequest) -> OrderDetail:
    """Have an order obey, and show it as it is then.

    Raises NotFound, Forbidden, IllegalTransition, TemporalAway or CommandPending.
    """
    async with services.sessions.begin() as session:
        order = await owned(session, caller, order_id)
        for permission in sorted(needed_to_command(request.command, own=order.customer == caller.customer)):
            caller.require(permission)
        shown = await detail_of(session, services, order, caller)
    if order.started_at is None:
        await start_unstarted(services, order)
    await obey(services, order_id, request)
    if request.command is Command.DELETE:
        return shown.model_copy(update={"status": OrderStatus.DELETED, "allowed_actions": []})
    return await _shown(services, caller, order_id)


async def obey(services: Services, order_id: UUID, request: CommandRequest) -> None:
    """Have the workflow of an order obey; one that has ended or was lost is begun anew, where the table allows it.

    Raises IllegalTransition, TemporalAway or CommandPending.
    """
    async with services.operations.standing.needed():
        try:
            await command_order(services.temporal, order_id, request)
        except WorkflowIsOver:
            if (start := await _after_the_end(services, order_id, request)) is not None:
                await command_anew(services.temporal, start, request)


async def start_unstarted(services: Services, order: Order) -> None:
    """Start the workflow of an order that was accepted while Temporal was away; the reconciler may be first."""
    async with services.sessions.begin() as session:
        skus = [sku for _, sku in await session.execute(queries.skus_of([order.id]))]
    await start(services, OrderStart(order, skus))


async def extend(services: Services, caller: Caller, order_id: UUID, extension: Extension) -> OrderDetail:
    """Move the end of an order's life. Raises NotFound, NotExtended or TemporalAway."""
    async with services.sessions.begin() as session:
        await owned(session, caller, order_id)
    try:
        async with services.operations.standing.needed():
            await extend_order(services.temporal, order_id, extension)
    except WorkflowIsOver:
        async with services.sessions.begin() as session:
            order = (await session.execute(queries.order_by_id(order_id))).scalar_one()
        raise NotExtended(f"cannot extend an order that is {order.status}") from None
    return await _shown(services, caller, order_id)


async def _shown(services: Services, caller: Caller, order_id: UUID) -> OrderDetail:
    async with services.sessions.begin() as session:
        return await detail_of(session, services, await owned(session, caller, order_id), caller)


async def _after_the_end(services: Services, order_id: UUID, request: CommandRequest) -> OrderStart | None:
    """What a new workflow starts from; None where none is needed, for a delete only changes rows.

    Raises IllegalTransition.
    """
    async with services.sessions.begin() as session:
        order = (await session.execute(queries.order_by_id(order_id).with_for_update())).scalar_one()
        status = OrderStatus(order.status)
        if request.command not in allowed_actions(status):
            raise IllegalTransition(request.command, status, allowed_actions(status))
        if request.command is not Command.DELETE:
            skus = [sku for _, sku in await session.execute(queries.skus_of([order_id]))]
            return OrderStart(order, skus)
        after = advance(status, request.command)
        await note_after_the_end(session, services, order, past_tense(request.command), request.actor, after)
    return None


async def note_after_the_end(
    session: AsyncSession, services: Services, order: Order, what: str, actor: str, after: OrderStatus
) -> None:
    """Write the next timeline row of an order whose workflow has ended; the caller holds the order's row lock."""
    before, now = order.status, services.now()
    order.version += 1
    if after != before:
        order.status, order.status_at = after, now
    session.add(order)
    session.add(
        TimelineRow(
            order_id=order.id,
            sequence=order.version,
            at=now,
            actor=actor,
            what=what,
            status_before=before,
            status_after=after,
        )
    )
