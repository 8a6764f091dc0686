"""Starting the workflows of orders and bulks: idempotent, however often it is tried."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.common import Priority, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.common import SearchAttributePair as Pair
from temporalio.exceptions import WorkflowAlreadyStartedError

from models.labels import counted, size_in_words
from models.markdown import plain
from models.messages import (
    BULK_WORKFLOW,
    ORDER_WORKFLOW,
    ORDERS_QUEUE,
    BulkInput,
    OrderInput,
    bulk_workflow_id,
)
from models.tables import Bulk, Order
from temporal import search_attributes as attributes

START_TIMEOUT = 5.0
"""Seconds a start may take; `rpc_timeout` alone can take several times as long when the server is dead."""

log = structlog.get_logger()


@dataclass(frozen=True)
class OrderStart:
    """An order to start a workflow for, and what Temporal shows of it from the start."""

    order: Order
    skus: Sequence[str]

    @property
    def summary(self) -> str:
        """The line that the list of workflows shows of the order."""
        order = self.order
        parts = (counted(order.files_total, "file"), size_in_words(order.bytes_total), plain(", ".join(self.skus[:5])))
        return " · ".join((order.number, *parts))

    @property
    def search_attributes(self) -> TypedSearchAttributes:
        """The attributes by which the Temporal UI finds the order."""
        order = self.order
        return TypedSearchAttributes(
            [
                Pair(attributes.STATUS, order.status),
                Pair(attributes.CUSTOMER, attributes.opaque(order.customer)),
                Pair(attributes.NUMBER, order.number),
                Pair(attributes.SKUS, list(self.skus[:100])),
                Pair(attributes.BYTES, order.bytes_total),
                Pair(attributes.ERRORS, order.files_failed),
            ]
        )

    @property
    def options(self) -> dict[str, Any]:
        """The options with which every workflow of the order is started, the first and a later one."""
        return {
            "id": self.order.workflow_id,
            "task_queue": ORDERS_QUEUE,
            "search_attributes": self.search_attributes,
            "static_summary": self.summary,
            "static_details": "The life of one order. Each sub-order is a child workflow.",
            "priority": Priority(fairness_key=attributes.opaque(self.order.customer)),
        }


async def start_order(client: Client, start: OrderStart) -> None:
    """Start the workflow of an order. An already running workflow counts as success, and so does one that has ended.

    Raises what the client raises when Temporal is unavailable: RPCError, RuntimeError or TimeoutError.
    """
    first = OrderInput(order_id=start.order.id)
    try:
        async with asyncio.timeout(START_TIMEOUT):
            await client.start_workflow(
                ORDER_WORKFLOW, first, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE, **start.options
            )
    except WorkflowAlreadyStartedError:
        log.debug("order has its workflow already", order=str(start.order.id), number=start.order.number)


async def restart_workflow(client: Client, start: OrderStart) -> bool:
    """Start another workflow for an order that has lost its own; it continues from the rows. False if one is running.

    Temporal runs one workflow per id at a time, so that two callers start one. Raises what `start_order` raises.
    """
    restart = OrderInput(order_id=start.order.id, revived=True)
    try:
        async with asyncio.timeout(START_TIMEOUT):
            await client.start_workflow(
                ORDER_WORKFLOW, restart, id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE, **start.options
            )
    except WorkflowAlreadyStartedError:
        return False
    order = start.order
    log.warning("order had lost its workflow", order=str(order.id), number=order.number, status=order.status)
    return True


async def start_bulk(client: Client, bulk: Bulk) -> None:
    """Start the workflow of a bulk, also after one that failed. An already running workflow counts as success.

    Raises what the client raises when Temporal is unavailable: RPCError, RuntimeError or TimeoutError.
    """
    try:
        async with asyncio.timeout(START_TIMEOUT):
            await client.start_workflow(
                BULK_WORKFLOW,
                BulkInput(bulk_id=bulk.id),
                id=bulk_workflow_id(bulk.id),
                task_queue=ORDERS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                search_attributes=TypedSearchAttributes([Pair(attributes.CUSTOMER, attributes.opaque(bulk.customer))]),
                static_summary=f"{bulk.command} · {counted(bulk.total, 'order')}",
                static_details="One command for many orders. Cancel it by the API, which says what became of each.",
                priority=Priority(fairness_key=attributes.opaque(bulk.customer)),
            )
    except WorkflowAlreadyStartedError:
        log.debug("bulk has its workflow already", bulk=str(bulk.id))
