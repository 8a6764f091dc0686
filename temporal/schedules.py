"""The schedule on which Temporal runs the reconciler."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from models.messages import ORDERS_QUEUE, RECONCILE_WORKFLOW

RECONCILE_EVERY = timedelta(seconds=30)
SCHEDULE_ID = "reconcile-orders"


async def ensure_schedule(client: Client) -> None:
    """Create the schedule of the reconciler, unless another worker has."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(RECONCILE_WORKFLOW, id="reconcile", task_queue=ORDERS_QUEUE),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=RECONCILE_EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    try:
        await client.create_schedule(SCHEDULE_ID, schedule)
    except ScheduleAlreadyRunningError:
        return
