"""The reconciler, as its schedule runs it."""

from temporalio import activity
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from models.messages import ORDERS_QUEUE
from workflows.reconcile import ReconcileWorkflow
from workflows.worker import sandbox


async def test_one_run_returns_how_many_orders_it_started(temporal: WorkflowEnvironment) -> None:
    @activity.defn(name="start_missing_orders")
    async def start_missing_orders() -> int:
        return 7

    async with Worker(
        temporal.client,
        task_queue=ORDERS_QUEUE,
        workflows=[ReconcileWorkflow],
        workflow_runner=sandbox(),
        activities=[start_missing_orders],
    ):
        started = await temporal.client.execute_workflow(ReconcileWorkflow.run, id="one-look", task_queue=ORDERS_QUEUE)
    assert started == 7
