"""What a front end needs of the workflows: to start orders and bulks and to command them, with answers in our words."""

import asyncio
from uuid import UUID

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from activities.commanding import (
    COMMAND_TIMEOUT,
    WorkflowIsOver,
    command_order,
    in_our_words,
    note_after_the_end,
    obey_after_the_end,
)
from activities.noticing import deliver_notices
from activities.starting import OrderStart, start_bulk, start_order
from models.errors import TemporalAway
from models.messages import Extension, Standing, order_workflow_id
from workflows.order import OrderWorkflow

__all__ = [
    "OrderStart",
    "WorkflowIsOver",
    "command_order",
    "deliver_notices",
    "extend_order",
    "note_after_the_end",
    "obey_after_the_end",
    "start_bulk",
    "start_order",
]


async def extend_order(client: Client, order_id: UUID, extension: Extension) -> Standing:
    """Move the end of an order's life. Raises NotExtended, TemporalAway or WorkflowIsOver."""
    handle = client.get_workflow_handle_for(OrderWorkflow.run, order_workflow_id(order_id))
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT):
            return await handle.execute_update(OrderWorkflow.extend, extension, id=extension.id)
    except (WorkflowUpdateFailedError, RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, RuntimeError) as error:
        raise in_our_words(error) from None
    except TimeoutError:
        raise TemporalAway from None
