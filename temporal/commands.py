"""Commanding an order from outside its workflow: what it answers, in our words, and what is left once it is over."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from models.errors import CommandPending, IllegalTransition, NotExtended, TemporalAway
from models.messages import (
    COMMAND_UPDATE,
    EXTEND_UPDATE,
    ORDER_WORKFLOW,
    CommandRequest,
    Extension,
    OrderInput,
    Standing,
    order_workflow_id,
)
from models.order import Command, OrderStatus, allowed_actions, past_tense
from models.queries import orders as queries
from models.tables import Order, TimelineRow
from temporal.start import OrderStart

COMMAND_TIMEOUT = 3.5
"""Seconds to wait for a verdict: no worker may be there, and a pause waits until a worker lets go of its file."""

_ACCEPTED_TIMEOUT = 0.5
"""Seconds more to find out whether a command without a verdict was accepted at least."""


class WorkflowIsOver(Exception):
    """The order's workflow has ended or never begun; PostgreSQL alone says where the order stands."""


async def command_order(
    client: Client, order_id: UUID, request: CommandRequest, *, patience: float = COMMAND_TIMEOUT
) -> Standing:
    """Have an order obey. Raises IllegalTransition, TemporalAway, CommandPending or WorkflowIsOver."""
    return await _updated(client, order_id, COMMAND_UPDATE, request, patience)


async def extend_order(client: Client, order_id: UUID, extension: Extension) -> Standing:
    """Move the end of an order's life. Raises NotExtended, TemporalAway, CommandPending or WorkflowIsOver."""
    return await _updated(client, order_id, EXTEND_UPDATE, extension, COMMAND_TIMEOUT)


async def command_anew(
    client: Client, start: OrderStart, request: CommandRequest, *, patience: float = COMMAND_TIMEOUT
) -> Standing:
    """Have an order obey whose workflow has ended or was lost, by a new one that goes on from the rows.

    A workflow that somebody has begun meanwhile obeys. Raises as `command_order` does, but not WorkflowIsOver.
    """
    again: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        ORDER_WORKFLOW,
        OrderInput(order_id=start.order.id, revived=True),
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        **start.options,
    )
    update = client.execute_update_with_start_workflow(
        COMMAND_UPDATE, request, id=request.id, start_workflow_operation=again, result_type=Standing
    )
    return await _answered(client, start.order.id, COMMAND_UPDATE, request, update, patience)


async def obey_after_the_end(
    session: AsyncSession, order_id: UUID, request: CommandRequest, now: datetime
) -> OrderStart | None:
    """Obey where no workflow writes any more; gives what a new one starts from where one is needed.

    None is needed to delete, which only changes rows. Raises IllegalTransition.
    """
    order = (await session.execute(queries.order_by_id(order_id).with_for_update())).scalar_one()
    status = OrderStatus(order.status)
    if request.command not in allowed_actions(status):
        raise IllegalTransition(request.command, status, allowed_actions(status))
    if request.command is not Command.DELETE:
        skus = [sku for _, sku in await session.execute(queries.skus_of([order_id]))]
        return OrderStart(order, skus)
    after, what = request.obeyed(status), past_tense(request.command)
    await note_after_the_end(session, order, what, request.actor, after, now, details=request.details)
    return None


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


async def _updated(
    client: Client, order_id: UUID, update: str, asked: CommandRequest | Extension, patience: float
) -> Standing:
    handle = client.get_workflow_handle(order_workflow_id(order_id))
    verdict = handle.execute_update(update, asked, id=asked.id, result_type=Standing)
    return await _answered(client, order_id, update, asked, verdict, patience)


async def _answered(
    client: Client,
    order_id: UUID,
    update: str,
    asked: CommandRequest | Extension,
    verdict: Awaitable[Standing],
    patience: float,
) -> Standing:
    """The verdict on an update, in time or not at all."""
    limit = asyncio.timeout(patience)
    try:
        async with limit:
            return await verdict
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        if not limit.expired():
            raise TemporalAway from None
        raise CommandPending(accepted=await _was_accepted(client, order_id, update, asked)) from None
    except (WorkflowUpdateFailedError, RPCError, RuntimeError) as error:
        raise _in_our_words(error) from None


async def _was_accepted(client: Client, order_id: UUID, update: str, asked: CommandRequest | Extension) -> bool:
    """Whether a workflow has taken an update, which it then carries out whatever becomes of the one who asks."""
    handle = client.get_workflow_handle(order_workflow_id(order_id))
    try:
        async with asyncio.timeout(_ACCEPTED_TIMEOUT):
            await handle.start_update(update, asked, id=asked.id, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowUpdateFailedError, RPCError, RuntimeError):
        return False
    return True


def _in_our_words(error: Exception) -> Exception:
    """The one place that turns what a Temporal client raises into a refusal; a mistake of ours stays one."""
    if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
        return WorkflowIsOver()
    if isinstance(error, RPCError | RuntimeError):
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
