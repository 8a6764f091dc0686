"""The backlogs of our task queues."""

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from models.messages import ORDERS_QUEUE, PACKAGING_QUEUE

_KINDS = {"workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY}


async def backlogs(client: Client) -> dict[tuple[str, str], int]:
    """Approximate number of tasks by queue and kind. Raises RPCError or RuntimeError if Temporal is unavailable."""
    found = {}
    for queue, kinds in ((ORDERS_QUEUE, ("workflow", "activity")), (PACKAGING_QUEUE, ("activity",))):
        for kind in kinds:
            request = DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=queue),
                task_queue_type=_KINDS[kind],
                report_stats=True,
            )
            answer = await client.workflow_service.describe_task_queue(request)
            found[queue, kind] = answer.stats.approximate_backlog_count
    return found
