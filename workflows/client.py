"""What a front end needs of the workflows: to start an order and to command it, with every answer in our words."""

import asyncio
from uuid import UUID

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.noticing import deliver_notices
from activities.starting import OrderStart, start_order
from models.errors import IllegalTransition, NotExtended, TemporalAway
from models.messages import CommandRequest, Extension, Standing, order_workflow_id
from models.order import OrderStatus, allowed_actions
from workflows.order import OrderWorkflow

__all__ = ["OrderStart", "WorkflowIsOver", "command_order", "deliver_notices", "extend_order", "start_order"]

COMMAND_TIMEOUT = 15.0
"""Seconds to wait for a verdict: a pause may have to wait until a worker lets go of a file."""


class WorkflowIsOver(Exception):
    """The order's workflow has ended or never begun; PostgreSQL alone says where the order stands."""


async def command_order(client: Client, order_id: UUID, request: CommandRequest) -> Standing:
    """Have an order obey. Raises IllegalTransition, TemporalAway or WorkflowIsOver."""
    handle = client.get_workflow_handle_for(OrderWorkflow.run, order_workflow_id(order_id))
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT):
            return await handle.execute_update(OrderWorkflow.command, request, id=request.id)
    except (WorkflowUpdateFailedError, RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, RuntimeError) as error:
        raise _in_our_words(error) from None
    except TimeoutError:
        raise TemporalAway from None


async def extend_order(client: Client, order_id: UUID, extension: Extension) -> Standing:
    """Move the end of an order's life. Raises NotExtended, TemporalAway or WorkflowIsOver."""
    handle = client.get_workflow_handle_for(OrderWorkflow.run, order_workflow_id(order_id))
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT):
            return await handle.execute_update(OrderWorkflow.extend, extension, id=extension.id)
    except (WorkflowUpdateFailedError, RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, RuntimeError) as error:
        raise _in_our_words(error) from None
    except TimeoutError:
        raise TemporalAway from None


def _in_our_words(error: Exception) -> Exception:
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
