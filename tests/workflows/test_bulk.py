"""The bulk workflow: page after page, in several runs where there are many, and closed even when it is cancelled."""

from uuid import UUID

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError
from temporalio.testing import WorkflowEnvironment

from models.messages import ORDERS_QUEUE, BulkInput, BulkPageDone, bulk_workflow_id
from tests.workflows.fake_bulk import BulkWorld, working_off
from workflows.bulk import PAGES_PER_RUN, BulkWorkflow


@pytest.fixture
def client(temporal: WorkflowEnvironment) -> Client:
    return temporal.client


async def begun(client: Client, number: int) -> WorkflowHandle[BulkWorkflow, BulkPageDone]:
    bulk = BulkInput(bulk_id=UUID(int=number))
    return await client.start_workflow(
        BulkWorkflow.run, bulk, id=bulk_workflow_id(bulk.bulk_id), task_queue=ORDERS_QUEUE
    )


async def test_a_list_is_worked_off_page_by_page_and_closed_once(client: Client) -> None:
    world = BulkWorld(pages=3)
    async with working_off(client, world):
        handle = await begun(client, 901)
        assert await handle.result() == BulkPageDone(done=3, total=3)
    assert world.called == ["work"] * 4 + ["close"]
    assert world.asked == [1, 2, 3]


async def test_a_long_list_goes_on_in_further_runs_from_where_it_was(client: Client) -> None:
    world = BulkWorld(pages=2 * PAGES_PER_RUN + 5)
    async with working_off(client, world):
        handle = await begun(client, 902)
        assert (await handle.result()).done == world.pages
    assert world.asked == list(range(1, world.pages + 1))
    first = await client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).fetch_history()
    assert first.events[-1].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    assert len(first.events) < 500


async def test_a_cancel_from_temporal_stops_the_bulk_and_still_closes_it(client: Client) -> None:
    world = BulkWorld(pages=5, held=2)
    async with working_off(client, world):
        handle = await begun(client, 903)
        await world.holding.wait()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
    assert isinstance(raised.value.cause, CancelledError)
    assert world.called == ["work", "work", "stop", "work", "close"]
    assert world.asked == [1, 2]
