"""Names that Temporal knows: queues, workflow types, updates and signals, and ids of workflows. They never change."""

from uuid import UUID

ORDERS_QUEUE = "consignor-orders"
PACKAGING_QUEUE = "consignor-packaging"
"""Staging reads the disks; on a queue of its own it neither delays the orders' workflows nor jumps its own line."""
DELIVERIES_QUEUE = "consignor-deliveries"
"""Deliveries wait for what belongs to customers; on a queue of its own none of them takes a place from staging."""
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


def new_order_workflow_id(number: str, order_id: UUID) -> str:
    """The id that the workflow of a new order gets, kept in the order's row; it begins with the order's number."""
    return f"{number}/{order_id}"


def order_workflow_id(order_id: UUID, kept: str | None) -> str:
    """The id of an order's workflow: the one that its row keeps; rows of before migration 0030 keep none."""
    return kept or f"order-{order_id}"


def number_in(workflow_id: str) -> str | None:
    """The number of the order whose workflow, or sub-order's, has this id; None where the id tells none."""
    number, slash, _ = workflow_id.partition("/")
    return number if slash and not number.startswith("order-") else None


def suborder_workflow_id(order_workflow: str, number: int) -> str:
    """The id of a sub-order's workflow, a child of the order's."""
    return f"{order_workflow}/sub-{number}"


def bulk_workflow_id(bulk_id: UUID) -> str:
    """The id of a bulk's workflow."""
    return f"bulk-{bulk_id}"
