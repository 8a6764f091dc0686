"""The reconciler: one schedule however many workers ask for it, and what it runs."""

from collections.abc import AsyncIterator

import pytest
from temporalio import activity
from temporalio.client import Client, ScheduleOverlapPolicy
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from models.messages import ORDERS_QUEUE
from workflows.reconcile import RECONCILE_EVERY, SCHEDULE_ID, ReconcileWorkflow, ensure_schedule
from workflows.worker import sandbox


@pytest.fixture
async def client(temporal: WorkflowEnvironment) -> AsyncIterator[Client]:
    yield temporal.client
    async for schedule in await temporal.client.list_schedules():
        await temporal.client.get_schedule_handle(schedule.id).delete()


async def test_a_schedule_that_is_ensured_twice_is_there_once_and_as_it_was(client: Client) -> None:
    await ensure_schedule(client)
    handle = client.get_schedule_handle(SCHEDULE_ID)
    created = (await handle.describe()).info.created_at
    await ensure_schedule(client)
    there = await handle.describe()
    assert there.info.created_at == created
    assert [interval.every for interval in there.schedule.spec.intervals] == [RECONCILE_EVERY]
    assert there.schedule.policy.overlap is ScheduleOverlapPolicy.SKIP


async def test_one_look_tells_how_many_orders_it_started(client: Client) -> None:
    @activity.defn(name="start_missing_orders")
    async def start_missing_orders() -> int:
        return 7

    async with Worker(
        client,
        task_queue=ORDERS_QUEUE,
        workflows=[ReconcileWorkflow],
        workflow_runner=sandbox(),
        activities=[start_missing_orders],
    ):
        started = await client.execute_workflow(ReconcileWorkflow.run, id="one-look", task_queue=ORDERS_QUEUE)
    assert started == 7
