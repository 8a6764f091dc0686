"""One sub-order by itself, and the fakes of its activities."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from activities.delivery import DeliveringActivities
from activities.orders import OrderActivities
from activities.planning import PlanningActivities
from activities.publishing import PublishingActivities
from activities.releasing import ReleasingActivities
from activities.settling import AlreadySettled, Superseded
from activities.staging import StagingActivities
from activities.validation import ValidationActivities
from models.errors import Failed, FailureCode
from models.messages import ORDERS_QUEUE, SubOrderInput, SubOrderResult
from models.suborder import SubOrderState
from tests.workflows.fakes import GIVEN_UP, MISMATCH, World, playing
from workflows.failures import root_type
from workflows.suborder import SubOrderWorkflow

REAL = (
    DeliveringActivities,
    OrderActivities,
    PlanningActivities,
    PublishingActivities,
    ReleasingActivities,
    StagingActivities,
    ValidationActivities,
)


async def result_of(client: Client, name: str, world: World) -> SubOrderResult:
    """How the first sub-order of a world ends."""
    given = SubOrderInput(order_id=uuid5(NAMESPACE_OID, name), number=1)
    async with playing(client, world):
        return await client.execute_workflow(SubOrderWorkflow.run, given, id=f"alone-{name}", task_queue=ORDERS_QUEUE)


async def test_a_sub_order_is_staged_and_published_under_the_same_attempt(temporal: WorkflowEnvironment) -> None:
    world = World(suborders=[(2, 1)])
    ready = SubOrderResult(number=1, state=SubOrderState.READY, available=2, failed=1, archive_bytes=1200)
    assert await result_of(temporal.client, "good", world) == ready
    assert world.publications == {1: 1}
    assert world.given_up == {}


async def test_what_was_given_up_is_published_under_the_attempt_that_gave_it_up(temporal: WorkflowEnvironment) -> None:
    world = World(suborders=[(0, 3)], unreadable=frozenset({1}), failure=MISMATCH)
    assert (await result_of(temporal.client, "bad", world)).state is SubOrderState.FAILED
    assert world.publications == {1: GIVEN_UP}


async def test_nothing_of_a_closed_order_is_published(temporal: WorkflowEnvironment) -> None:
    world = World(suborders=[(1, 0)], late=[AlreadySettled()])
    with pytest.raises(WorkflowFailureError) as caught:
        await result_of(temporal.client, "late", world)
    assert root_type(caught.value.cause) == "nothing_to_make"
    assert world.calls["stage_files"] == 1


async def test_a_sub_order_that_a_zombie_has_claimed_is_staged_again_and_published(
    temporal: WorkflowEnvironment,
) -> None:
    world = World(suborders=[(1, 0)], late=[Superseded(), Superseded()])
    assert (await result_of(temporal.client, "claimed", world)).state is SubOrderState.READY
    assert world.calls["stage_files"] == 3


async def test_a_turn_that_has_to_be_waited_for_is_no_try(temporal: WorkflowEnvironment) -> None:
    world, handle = World(suborders=[(1, 0)]), "alone-busy"

    async def busy(_: int) -> None:
        if world.calls["stage_files"] <= 2:
            raise Failed(FailureCode.SOURCE_BUSY, "32 others are at the storage scenes or wait for it")

    world.gate = busy
    given = SubOrderInput(order_id=uuid5(NAMESPACE_OID, "busy"), number=1)
    async with playing(temporal.client, world):
        started = await temporal.client.start_workflow(SubOrderWorkflow.run, given, id=handle, task_queue=ORDERS_QUEUE)
        await world.until(lambda: world.calls["stage_files"])
        await temporal.fast_forward(started, timedelta(minutes=5))
        assert (await started.result()).state is SubOrderState.READY
    assert world.calls["stage_files"] == 3
    assert world.publications == {1: 1}, "each is the first attempt of its own"
    assert world.given_up == {}


def activities_in(owner: object) -> dict[str, Callable[..., Any]]:
    """The activities that somebody has, by their names in Temporal."""
    found = {}
    for _, member in inspect.getmembers(owner, callable):
        definition = getattr(member, "__temporal_activity_definition", None)
        if definition is not None:
            found[definition.name] = member
    return found


def test_the_fakes_have_the_names_and_signatures_of_the_real_activities() -> None:
    real = {name: method for owner in REAL for name, method in activities_in(owner).items()}
    ours = activities_in(World)
    assert ours.keys() == real.keys()
    for name, method in ours.items():
        assert inspect.signature(method) == inspect.signature(real[name]), name
    assert all(activity._Definition.from_callable(method) for method in real.values())
