"""Commands to an order as updates of its workflow; and as changes of its rows where no workflow is running."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
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

from models.errors import CommandPending, IllegalTransition, NotExtended, TemporalUnavailable
from models.messages import (
    COMMAND_UPDATE,
    EXTEND_UPDATE,
    ORDER_WORKFLOW,
    CommandRequest,
    CommandResult,
    Extension,
    OrderInput,
)
from models.order import Command, OrderStatus, allowed_actions, past_tense
from models.queries import orders as queries
from models.tables import Order, TimelineRow
from temporal.start import OrderStart

COMMAND_TIMEOUT = 3.5
"""Seconds to wait for a result: no worker may be running, and a pause waits until a worker has stopped reading."""

_ACCEPTED_TIMEOUT = 0.5
"""Seconds more to find out whether a command without a result was accepted at least."""


class WorkflowNotRunning(Exception):
    """The order's workflow has ended or was never started; PostgreSQL alone says what the order's status is."""


async def command_order(
    client: Client, workflow_id: str, request: CommandRequest, *, patience: float = COMMAND_TIMEOUT
) -> CommandResult:
    """Send a command to the workflow of an order.

    Raises IllegalTransition, TemporalUnavailable, CommandPending or WorkflowNotRunning.
    """
    return await _update(client, workflow_id, COMMAND_UPDATE, request, patience)


async def extend_order(client: Client, workflow_id: str, extension: Extension) -> CommandResult:
    """Move the expiry of an order. Raises NotExtended, TemporalUnavailable, CommandPending or WorkflowNotRunning."""
    return await _update(client, workflow_id, EXTEND_UPDATE, extension, COMMAND_TIMEOUT)


async def command_with_start(
    client: Client, start: OrderStart, request: CommandRequest, *, patience: float = COMMAND_TIMEOUT
) -> CommandResult:
    """Send a command to an order whose workflow has ended or was lost, and start a new one for it (update-with-start).

    A workflow that has been started meanwhile takes the command. Raises what `command_order` raises, except
    WorkflowNotRunning.
    """
    return await _update_with_start(client, start, COMMAND_UPDATE, request, patience)


async def extend_with_start(client: Client, start: OrderStart, extension: Extension) -> CommandResult:
    """Move the expiry of an order whose workflow was lost, and start a new one for it, as `command_with_start` does."""
    return await _update_with_start(client, start, EXTEND_UPDATE, extension, COMMAND_TIMEOUT)


async def _update_with_start(
    client: Client, start: OrderStart, update: str, message: CommandRequest | Extension, patience: float
) -> CommandResult:
    start_operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        ORDER_WORKFLOW,
        OrderInput(order_id=start.order.id, revived=True),
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        **start.options,
    )
    pending = client.execute_update_with_start_workflow(
        update, message, id=message.id, start_workflow_operation=start_operation, result_type=CommandResult
    )
    return await _result_of(client, start.order.workflow_id, update, message, pending, patience)


async def execute_command(
    client: Client,
    sessions: async_sessionmaker[AsyncSession],
    order: Order,
    request: CommandRequest,
    *,
    patience: float = COMMAND_TIMEOUT,
    is_done: Callable[[AsyncSession], Awaitable[bool]] | None = None,
) -> None:
    """Execute a command by the order's workflow; a closed or lost one is started again where the table allows it.

    `is_done` looks, in the transaction that would apply it to a closed order, whether it has had its effect already.
    Raises IllegalTransition, TemporalUnavailable or CommandPending.
    """
    try:
        await command_order(client, order.workflow_id, request, patience=patience)
    except WorkflowNotRunning:
        async with sessions.begin() as session:
            if is_done is not None and await is_done(session):
                return
            start = await apply_to_closed_order(session, order.id, request, datetime.now(UTC))
        if start is not None:
            await command_with_start(client, start, request, patience=patience)


async def apply_to_closed_order(
    session: AsyncSession, order_id: UUID, request: CommandRequest, now: datetime
) -> OrderStart | None:
    """Apply a command to an order without a running workflow; returns what to start one with, where one is needed.

    `delete` needs none: it only changes rows, here. Raises IllegalTransition.
    """
    order = (await session.execute(queries.order_by_id(order_id).with_for_update())).scalar_one()
    status = OrderStatus(order.status)
    if request.command not in allowed_actions(status):
        raise IllegalTransition(request.command, status, allowed_actions(status))
    if request.command is not Command.DELETE:
        skus = [sku for _, sku in await session.execute(queries.skus_of([order_id]))]
        return OrderStart(order, skus)
    after, what = request.with_command_applied(status), past_tense(request.command)
    await append_timeline_to_closed(session, order, what, request.actor, after, now, details=request.details)
    return None


async def append_timeline_to_closed(
    session: AsyncSession,
    order: Order,
    what: str,
    actor: str,
    after: OrderStatus,
    now: datetime,
    *,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append a timeline row to an order whose workflow has ended; the caller holds the order's row lock."""
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


async def _update(
    client: Client, workflow_id: str, update: str, message: CommandRequest | Extension, patience: float
) -> CommandResult:
    handle = client.get_workflow_handle(workflow_id)
    pending = handle.execute_update(update, message, id=message.id, result_type=CommandResult)
    return await _result_of(client, workflow_id, update, message, pending, patience)


async def _result_of(
    client: Client,
    workflow_id: str,
    update: str,
    message: CommandRequest | Extension,
    pending: Awaitable[CommandResult],
    patience: float,
) -> CommandResult:
    """The result of an update, within `patience` seconds."""
    limit = asyncio.timeout(patience)
    try:
        async with limit:
            return await pending
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        if not limit.expired():
            raise TemporalUnavailable from None
        raise CommandPending(accepted=await _was_accepted(client, workflow_id, update, message)) from None
    except (WorkflowUpdateFailedError, RPCError, RuntimeError) as error:
        raise _translated(error) from None


async def _was_accepted(client: Client, workflow_id: str, update: str, message: CommandRequest | Extension) -> bool:
    """Whether a workflow has accepted an update, which it then completes even if nobody waits for it."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        async with asyncio.timeout(_ACCEPTED_TIMEOUT):
            await handle.start_update(update, message, id=message.id, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowUpdateFailedError, RPCError, RuntimeError):
        return False
    return True


def _translated(error: Exception) -> Exception:
    """Translate what a Temporal client raises into our errors, in this one place. Others stay as they are."""
    if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
        return WorkflowNotRunning()
    if isinstance(error, RPCError | RuntimeError):
        return TemporalUnavailable()
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
            return WorkflowNotRunning()
    return error
