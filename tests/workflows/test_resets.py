"""Resets from the Temporal UI: a run that goes on by a past that is not the order's ends; another heals the order."""

import asyncio

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment

from models.messages import suborder_workflow_id
from models.order import OrderStatus
from temporal.start import OrderStart, restart_workflow
from tests.workflows.fakes import World, an_order, workflow_of
from tests.workflows.running_orders import LONG, Running, assert_whole_timeline, running


async def reset(client: Client, workflow_id: str, *, before: str | None = None) -> WorkflowHandle[object, object]:
    """Begin a run's history again, before an activity of this name was scheduled, else at its last task."""
    handle = client.get_workflow_handle(workflow_id)
    run_id = (await handle.describe()).run_id
    task = 0
    async for event in handle.fetch_history_events():
        scheduled = event.activity_task_scheduled_event_attributes
        if before is not None and scheduled.activity_type.name == before:
            break
        if event.HasField("workflow_task_completed_event_attributes"):
            task = event.event_id
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        workflow_task_finish_event_id=task,
        request_id=run_id,
    )
    answer = await client.workflow_service.reset_workflow_execution(request)
    return client.get_workflow_handle(workflow_id, run_id=answer.run_id)


def two_parts() -> tuple[World, asyncio.Event]:
    """A world of two sub-orders, of which the second is read until the event says so."""
    go = asyncio.Event()

    async def gate(number: int) -> None:
        if number == 2:
            await go.wait()

    return World(gate=gate, terms=LONG, suborders=[(2, 0), (1, 0)]), go


async def half_done(order: Running) -> None:
    await order.world.until(lambda: "suborder_ready" in order.world.events)
    await order.world.until(lambda: 2 in order.world.staging)


@pytest.mark.parametrize("part", [None, 2])
async def test_a_reset_that_goes_back_behind_nothing_told_goes_on(
    temporal: WorkflowEnvironment, part: int | None
) -> None:
    world, go = two_parts()
    async with running(temporal.client, f"reset-last-{part}", world) as order:
        await half_done(order)
        own = workflow_of(order.order_id)
        await reset(temporal.client, suborder_workflow_id(workflow_of(order.order_id), part) if part else own)
        go.set()
        await order.reached(OrderStatus.FULFILLED)
    assert sorted(world.publications) == [1, 2]
    assert_whole_timeline(world)


@pytest.mark.parametrize("before", ["validate_order", "open_suborders"])
async def test_a_reset_behind_what_was_told_ends_the_run_and_the_next_one_heals_the_order(
    temporal: WorkflowEnvironment, before: str
) -> None:
    world, go = two_parts()
    async with running(temporal.client, f"reset-{before}", world) as order:
        await half_done(order)
        run = await reset(temporal.client, workflow_of(order.order_id), before=before)
        go.set()
        with pytest.raises(WorkflowFailureError) as failed:
            await run.result()
        assert isinstance(failed.value.cause, ActivityError)
        assert isinstance(failed.value.cause.cause, ApplicationError)
        assert failed.value.cause.cause.type == "timeline_conflict"
        assert await restart_workflow(temporal.client, OrderStart(an_order(order.order_id), ["scenes"]))
        await order.reached(OrderStatus.FULFILLED)
    assert "revived" in world.events
    assert sorted(world.publications) == [1, 2]
    assert_whole_timeline(world)
