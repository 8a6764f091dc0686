"""The schedule of the reconciler: there is one, however many workers ask for it."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client, ScheduleOverlapPolicy
from temporalio.testing import WorkflowEnvironment

from temporal.schedules import RECONCILE_EVERY, SCHEDULE_ID, ensure_schedule


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
