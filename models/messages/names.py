"""Names that Temporal knows: queues, workflow types, updates and signals, and ids of workflows. They never change."""

from uuid import UUID

ORDERS_QUEUE = "consignor-orders"
PACKAGING_QUEUE = "consignor-packaging"
"""Staging reads the disks; on a queue of its own it neither delays the orders' workflows nor jumps its own line."""
ORDER_WORKFLOW = "order"
SUBORDER_WORKFLOW = "suborder"
RECONCILE_WORKFLOW = "reconcile"
BULK_WORKFLOW = "bulk"
BULK_DETAIL = "bulk"
"""Under what the details of a timeline entry name the bulk that asked for it."""
COMMAND_UPDATE = "command"
EXTEND_UPDATE = "extend"
NOTICE_SIGNAL = "notice"
BLOCKED_SIGNAL = "blocked"


def order_workflow_id(order_id: UUID) -> str:
    """The id of an order's workflow."""
    return f"order-{order_id}"


def suborder_workflow_id(order_id: UUID, number: int) -> str:
    """The id of a sub-order's workflow, a child of the order's."""
    return f"order-{order_id}/sub-{number}"


def bulk_workflow_id(bulk_id: UUID) -> str:
    """The id of a bulk's workflow."""
    return f"bulk-{bulk_id}"
