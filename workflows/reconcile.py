"""The reconciler: starts the workflow of every accepted order that has none because Temporal was unavailable."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.recovery import RecoveryActivities
    from models.messages import RECONCILE_WORKFLOW

from workflows.policies import RECONCILE


@workflow.defn(name=RECONCILE_WORKFLOW)
class ReconcileWorkflow:
    """One search for accepted orders without a workflow; `temporal.schedules` says how often."""

    @workflow.run
    async def run(self) -> int:
        """Start their workflows; the result is how many."""
        return await RECONCILE.execute(
            RecoveryActivities.start_missing_orders, summary="Start accepted orders without a workflow"
        )
