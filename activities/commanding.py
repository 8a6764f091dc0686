"""Commanding an order from outside its workflow: what it answers, in our words, and what is left once it is over."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from models.errors import IllegalTransition, NotExtended, TemporalAway
from models.messages import COMMAND_UPDATE, CommandRequest, Standing, order_workflow_id
from models.order import Command, OrderStatus, allowed_actions, past_tense
from models.queries import orders as queries
from models.queries.suborders import RELEASE
from models.suborder import SubOrderState
from models.tables import Order, TimelineRow

COMMAND_TIMEOUT = 15.0
"""Seconds to wait for a verdict: a pause may have to wait until a worker lets go of a file."""

_ENDING = frozenset({Command.DELETE, Command.CANCEL})
"""Commands after which nothing has to be done; a workflow that was terminated leaves an order that wants a cancel."""


class WorkflowIsOver(Exception):
    """The order's workflow has ended or never begun; PostgreSQL alone says where the order stands."""


async def command_order(client: Client, order_id: UUID, request: CommandRequest) -> Standing:
    """Have an order obey. Raises IllegalTransition, TemporalAway or WorkflowIsOver."""
    handle = client.get_workflow_handle(order_workflow_id(order_id))
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT):
            standing: Standing = await handle.execute_update(
                COMMAND_UPDATE, request, id=request.id, result_type=Standing
            )
            return standing
    except (WorkflowUpdateFailedError, RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, RuntimeError) as error:
        raise in_our_words(error) from None
    except TimeoutError:
        raise TemporalAway from None


def in_our_words(error: Exception) -> Exception:
    """The one place that turns what a Temporal client raises into a refusal; a mistake of ours stays one."""
    if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
        return WorkflowIsOver()
    if isinstance(error, RPCError | RuntimeError | WorkflowUpdateRPCTimeoutOrCancelledError):
        return TemporalAway()
    cause = error.cause if isinstance(error, WorkflowUpdateFailedError) else error
    if not isinstance(cause, ApplicationError):
        return error
    match cause.type:
        case IllegalTransition.code:
            command, status = cause.details
            return IllegalTransition(command, status, allowed_actions(OrderStatus(status)))
        case NotExtended.code:
            return NotExtended(cause.message)
        case "AcceptedUpdateCompletedWorkflow":
            return WorkflowIsOver()
    return error


async def obey_after_the_end(session: AsyncSession, order_id: UUID, request: CommandRequest, now: datetime) -> None:
    """No workflow writes any more, so this may, but only what needs no workflow to follow. Raises IllegalTransition."""
    order = (await session.execute(queries.order_by_id(order_id).with_for_update())).scalar_one()
    status = OrderStatus(order.status)
    if request.command not in _ENDING:
        raise IllegalTransition(request.command, status, _ENDING.intersection(allowed_actions(status)))
    after = request.obeyed(status)
    if after is OrderStatus.CANCELLED:
        await session.execute(RELEASE, {"order_id": order_id, "state": SubOrderState.CANCELLED, "kept": []})
    await note_after_the_end(
        session, order, past_tense(request.command), request.actor, after, now, details=request.details
    )


async def note_after_the_end(
    session: AsyncSession,
    order: Order,
    what: str,
    actor: str,
    after: OrderStatus,
    now: datetime,
    *,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write the next timeline row of an order whose workflow has ended; the caller holds the order's row lock."""
    before = order.status
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
            details=dict(details or {}),
        )
    )
