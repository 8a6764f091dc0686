"""What a front end needs of the workflows: to start an order and to command it, with every answer in our words."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar
from uuid import UUID

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

from activities.noticing import deliver_notices
from activities.starting import OrderStart, start_order
from models.errors import CommandPending, IllegalTransition, NotExtended, TemporalAway
from models.messages import CommandRequest, Extension, OrderInput, Standing, order_workflow_id
from models.order import OrderStatus, allowed_actions
from workflows.order import OrderWorkflow

__all__ = [
    "OrderStart",
    "WorkflowIsOver",
    "command_anew",
    "command_order",
    "deliver_notices",
    "extend_order",
    "start_order",
]

COMMAND_TIMEOUT = 4.0
"""Seconds to wait for a verdict: no worker may be there, and a pause waits until a worker lets go of its file."""

_ACCEPTED_TIMEOUT = 0.5
"""Seconds more to find out whether a command without a verdict was accepted at least."""

Asked = TypeVar("Asked", CommandRequest, Extension)


class WorkflowIsOver(Exception):
    """The order's workflow has ended or never begun; PostgreSQL alone says where the order stands."""


async def command_order(
    client: Client, order_id: UUID, request: CommandRequest, *, patience: float = COMMAND_TIMEOUT
) -> Standing:
    """Have an order obey. Raises IllegalTransition, TemporalAway, CommandPending or WorkflowIsOver."""
    return await _updated(client, order_id, OrderWorkflow.command, request, patience)


async def extend_order(client: Client, order_id: UUID, extension: Extension) -> Standing:
    """Move the end of an order's life. Raises NotExtended, TemporalAway, CommandPending or WorkflowIsOver."""
    return await _updated(client, order_id, OrderWorkflow.extend, extension, COMMAND_TIMEOUT)


async def command_anew(client: Client, start: OrderStart, request: CommandRequest) -> Standing:
    """Have an order obey whose workflow has ended or was lost, by a new one that goes on from the rows.

    A workflow that somebody has begun meanwhile obeys. Raises as `command_order` does, but not WorkflowIsOver.
    """
    again = WithStartWorkflowOperation(
        OrderWorkflow.run,
        OrderInput(order_id=start.order.id, revived=True),
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        **start.options,
    )
    update = client.execute_update_with_start_workflow(
        OrderWorkflow.command, request, id=request.id, start_workflow_operation=again
    )
    return await _answered(client, start.order.id, OrderWorkflow.command, request, update, COMMAND_TIMEOUT)


async def _updated(client: Client, order_id: UUID, update: Any, asked: Asked, patience: float) -> Standing:
    handle = client.get_workflow_handle_for(OrderWorkflow.run, order_workflow_id(order_id))
    verdict = handle.execute_update(update, asked, id=asked.id, result_type=Standing)
    return await _answered(client, order_id, update, asked, verdict, patience)


async def _answered(
    client: Client, order_id: UUID, update: Any, asked: Asked, verdict: Awaitable[Standing], patience: float
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


async def _was_accepted(client: Client, order_id: UUID, update: Any, asked: Asked) -> bool:
    """Whether a workflow has taken an update, which it then carries out whatever becomes of the one who asks."""
    handle = client.get_workflow_handle_for(OrderWorkflow.run, order_workflow_id(order_id))
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
