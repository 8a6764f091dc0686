"""The reconciler: starts the workflow of every accepted order that has none because Temporal was unavailable."""

from datetime import timedelta

from temporalio import workflow
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

with workflow.unsafe.imports_passed_through():
    from activities.recovery import RecoveryActivities
    from models.messages import ORDERS_QUEUE, RECONCILE_WORKFLOW

from workflows.policies import RECONCILE

RECONCILE_EVERY = timedelta(seconds=30)
SCHEDULE_ID = "reconcile-orders"


@workflow.defn(name=RECONCILE_WORKFLOW)
class ReconcileWorkflow:
    """One search for accepted orders without a workflow."""

    @workflow.run
    async def run(self) -> int:
        """Start their workflows; the result is how many."""
        return await RECONCILE.execute(
            RecoveryActivities.start_missing_orders, summary="Start accepted orders without a workflow"
        )


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
