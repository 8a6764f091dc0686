"""Delivery of a ready archive to the customer's destination; what cannot be delivered can still be downloaded."""

import asyncio
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.delivery import DeliveringActivities
    from models.messages import SubOrderFailed, SubOrderInput

from workflows.failures import NOT_GIVEN_UP, failure_of, is_being_cancelled, root_type
from workflows.ledger import Ledger
from workflows.policies import DELIVER, PUBLISH


async def deliver_archive(order_id: UUID, number: int, ledger: Ledger) -> None:
    """Deliver one archive and note the result; a cancel takes effect when nothing is written any more."""
    try:
        delivered = await DELIVER.execute_in_turn(
            DeliveringActivities.deliver_suborder,
            SubOrderInput(order_id=order_id, number=number),
            summary=f"Deliver archive {number} to its destination",
        )
    except ActivityError as error:
        if is_cancelled_exception(error) or (is_being_cancelled() and workflow.patched(NOT_GIVEN_UP)):
            # A cancelled task raises CancelledError: asyncio would log an ActivityError that nobody retrieves.
            raise asyncio.CancelledError from error
        if root_type(error) == "nothing_to_make":
            return
        failure = failure_of(error)
        await PUBLISH.execute(
            DeliveringActivities.give_up_delivery,
            SubOrderFailed(order_id=order_id, number=number, failure=failure),
            summary=f"Give the delivery of archive {number} up: {failure.code}",
        )
        ledger.note("suborder_not_delivered", suborder=number, failure=failure)
    else:
        ledger.note("suborder_delivered", suborder=number, details={"bytes": delivered.bytes})
    await ledger.flush()
