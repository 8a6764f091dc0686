"""What Temporal tells of our task queues, and of the reconciler."""

from datetime import UTC, datetime
from typing import NamedTuple

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from models.messages import DELIVERIES_QUEUE, ORDERS_QUEUE, PACKAGING_QUEUE, RECONCILE_WORKFLOW

_KINDS = {"workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY}

_QUEUES = {
    ORDERS_QUEUE: ("workflow", "activity"),
    PACKAGING_QUEUE: ("activity",),
    DELIVERIES_QUEUE: ("activity",),
}

WORKFLOW_TASKS = (ORDERS_QUEUE, "workflow")
"""Under what the figures of the tasks that take orders further are found."""


class QueueFigures(NamedTuple):
    """Tasks that wait (approximately), for how many seconds the oldest has, and the workers that asked of late.

    Temporal lists a worker for minutes after it has gone; `asked_at` is when the last one asked.
    """

    backlog: int
    oldest: float
    pollers: int
    asked_at: datetime | None = None


async def task_queues(client: Client) -> dict[tuple[str, str], QueueFigures]:
    """The figures by queue and kind of task. Raises RPCError or RuntimeError if Temporal is unavailable."""
    found = {}
    for queue, kinds in _QUEUES.items():
        for kind in kinds:
            request = DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=queue),
                task_queue_type=_KINDS[kind],
                report_stats=True,
            )
            answer = await client.workflow_service.describe_task_queue(request)
            oldest = answer.stats.approximate_backlog_age.ToTimedelta().total_seconds()
            asked = [poller.last_access_time.ToDatetime(UTC) for poller in answer.pollers]
            backlog = answer.stats.approximate_backlog_count
            found[queue, kind] = QueueFigures(backlog, oldest, len(asked), max(asked, default=None))
    return found


async def last_reconciled(client: Client) -> datetime | None:
    """When the reconciler last ended well; None if never within Temporal's memory. Raises what `task_queues` raises."""
    query = f"WorkflowType = '{RECONCILE_WORKFLOW}' AND ExecutionStatus = 'Completed'"
    async for found in client.list_workflows(query, page_size=1, limit=1):
        return found.close_time
    return None
