"""The life of an order, on a real Temporal server in a world after a script."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from models.errors import Failure, FailureCode, Fault
from models.messages import ValidationResult, suborder_workflow_id
from temporal import search_attributes as attributes
from temporal.start import OrderStart, start_order
from tests.workflows.fakes import GIVEN_UP, MISMATCH, UNAVAILABLE, World, an_order, playing, workflow_of
from tests.workflows.running_orders import assert_whole_timeline, details, shown
from workflows.policies import STAGE, VALIDATE
from workflows.provisioning import IN_FLIGHT, PAGE

FAULTS = tuple(Fault(field=name, code="source_missing", text=f"{name} is not there") for name in ("a.tif", "b.tif"))

TOO_MANY = Failure(code=FailureCode.TOO_MANY_FAILED, text="1 of 10 files (10 %) cannot be delivered")


@pytest.fixture
def order_id(request: pytest.FixtureRequest) -> UUID:
    return uuid5(NAMESPACE_OID, request.node.nodeid)


@pytest.fixture
def client(temporal: WorkflowEnvironment) -> Client:
    return temporal.client


async def started(client: Client, order_id: UUID) -> WorkflowHandle[Any, str]:
    """The workflow of an order, started as the facade does."""
    await start_order(client, OrderStart(an_order(order_id), ["scenes"]))
    return client.get_workflow_handle(workflow_of(order_id), result_type=str)


async def expect_outcome(client: Client, order_id: UUID, world: World, status: str) -> None:
    """Run an order in this world and assert how it ends, and that its timeline is whole."""
    async with playing(client, world):
        assert await (await started(client, order_id)).result() == status
    assert_whole_timeline(world)


def statuses(world: World) -> list[str]:
    """The statuses through which the timeline goes."""
    return [entry.status_after for entry in world.entries if entry.status_before is not entry.status_after]


@contextmanager
def held() -> Iterator[tuple[asyncio.Event, World]]:
    """A world in which nothing is staged before the event."""
    event = asyncio.Event()

    async def gate(_: int) -> None:
        await event.wait()

    world = World(gate=gate)
    try:
        yield event, world
    finally:
        event.set()


async def test_a_free_order_goes_from_payment_to_fulfilled_by_itself(client: Client, order_id: UUID) -> None:
    world = World(suborders=[(2, 0), (1, 0)])
    await expect_outcome(client, order_id, world, "fulfilled")
    assert statuses(world) == ["payment_confirmed", "validating", "provisioning", "fulfilled"]
    settled = ["suborder_ready", "suborder_ready"]
    assert world.events == ["payment_confirmed", "started", "validated", *settled, "settled"]
    assert world.entries[0].reason_code == "free"
    noted = {entry.suborder: entry.details for entry in world.entries if entry.what == "suborder_ready"}
    assert noted[2] == {"available": 1, "failed": 0, "archive_bytes": 1200}
    assert world.publications == {1: 1, 2: 1}


async def test_an_order_of_which_something_is_missing_is_fulfilled_with_warnings(
    client: Client, order_id: UUID
) -> None:
    world = World(suborders=[(1, 1), (0, 2), (3, 0)])
    await expect_outcome(client, order_id, world, "fulfilled_with_warnings")
    assert statuses(world)[-1] == "fulfilled_with_warnings"
    assert sorted(world.events[3:6]) == ["suborder_failed", "suborder_ready", "suborder_ready"]
    found = (await client.get_workflow_handle(workflow_of(order_id)).describe()).typed_search_attributes
    assert (found[attributes.STATUS], found[attributes.ERRORS]) == ("fulfilled_with_warnings", 3)


async def test_an_order_of_which_everything_is_missing_has_failed_and_says_why(client: Client, order_id: UUID) -> None:
    world = World(suborders=[(0, 1), (0, 2)])
    await expect_outcome(client, order_id, world, "expired")
    failure = world.entries[-2].failure
    assert failure is not None
    assert (failure.code, failure.text) == (
        FailureCode.CHECKSUM_MISMATCH,
        f"None of 3 files could be delivered: {MISMATCH.text}",
    )


@pytest.mark.parametrize("when", ["validation", "settlement"])
async def test_an_order_of_which_more_is_missing_than_it_allows_has_failed_by_that(
    client: Client, order_id: UUID, when: str
) -> None:
    refusal = ValidationResult(faults=FAULTS, faults_total=2, refused=True, failure=TOO_MANY)
    world = World(verdict=refusal) if when == "validation" else World([(9, 1)], too_many=TOO_MANY)
    await expect_outcome(client, order_id, world, "expired")
    assert statuses(world)[-2:] == ["failed", "expired"]
    assert world.entries[-2].failure == TOO_MANY


async def test_a_refused_order_tells_every_fault_and_is_not_planned(client: Client, order_id: UUID) -> None:
    world = World(verdict=ValidationResult(faults=FAULTS, faults_total=12))
    await expect_outcome(client, order_id, world, "expired")
    assert statuses(world) == ["payment_confirmed", "validating", "failed", "expired"]
    refusal = world.entries[-2]
    assert refusal.what == "refused"
    assert refusal.faults == FAULTS
    assert refusal.failure is not None
    assert refusal.failure.text == "a.tif is not there; and 11 more faults"
    assert refusal.expires_at == refusal.at + world.terms.keep_for
    assert not world.calls["plan_suborders"]
    assert world.pages == []


async def test_trouble_that_passes_while_validating_leaves_no_trace(client: Client, order_id: UUID) -> None:
    world = World(validation={1: UNAVAILABLE})
    await expect_outcome(client, order_id, world, "fulfilled")
    assert world.calls["validate_order"] == 2
    assert all(entry.failure is None for entry in world.entries)


async def test_trouble_that_stays_fails_the_order_when_the_attempts_run_out(
    temporal: WorkflowEnvironment, order_id: UUID
) -> None:
    attempts = VALIDATE.retry.maximum_attempts
    world = World(validation=dict.fromkeys(range(1, attempts + 1), UNAVAILABLE))
    async with playing(temporal.client, world):
        handle = await started(temporal.client, order_id)
        await temporal.fast_forward(handle, timedelta(hours=1))
        assert await handle.result() == "expired"
    assert world.calls["validate_order"] == attempts
    assert world.entries[-2].failure == UNAVAILABLE.failure


async def test_what_cannot_be_staged_in_all_attempts_is_given_up_and_the_rest_goes_out(
    temporal: WorkflowEnvironment, order_id: UUID
) -> None:
    world = World(suborders=[(0, 2), (3, 0)], unreadable=frozenset({1}))
    attempts = STAGE.retry.maximum_attempts
    async with playing(temporal.client, world):
        handle = await started(temporal.client, order_id)
        await world.until(lambda: world.calls["stage_files"] >= 2)
        child = temporal.client.get_workflow_handle(suborder_workflow_id(workflow_of(order_id), 1))
        await temporal.fast_forward(child, timedelta(hours=1))
        assert await handle.result() == "fulfilled_with_warnings"
    assert world.calls["stage_files"] == attempts + 1
    assert world.given_up == {1: UNAVAILABLE.failure}
    assert world.publications == {1: GIVEN_UP, 2: 1}


async def test_a_refusal_to_stage_is_not_tried_again(client: Client, order_id: UUID) -> None:
    world = World(suborders=[(0, 1)], unreadable=frozenset({1}), failure=MISMATCH)
    await expect_outcome(client, order_id, world, "expired")
    assert world.calls["stage_files"] == 1
    assert world.given_up == {1: MISMATCH}


async def test_an_order_with_a_price_waits_for_its_payment(client: Client, order_id: UUID) -> None:
    world = World(is_free=False)
    async with playing(client, world):
        handle = await started(client, order_id)
        assert await shown(handle, "is **pending payment** since ")
        assert world.events == []
        assert not world.calls["validate_order"]
        await handle.terminate()


async def test_many_sub_orders_come_in_pages_and_few_are_under_way_at_once(client: Client, order_id: UUID) -> None:
    with held() as (event, world):
        world.suborders = [(1, 0)] * (PAGE + 5)
        async with playing(client, world):
            handle = await started(client, order_id)
            await world.until(lambda: world.calls["stage_files"] == IN_FLIGHT)
            pending = (await handle.describe()).raw_description.pending_children
            assert len(pending) == IN_FLIGHT
            event.set()
            assert await handle.result() == "fulfilled"
    assert world.pages == [0, 0]
    assert world.most_at_once <= IN_FLIGHT
    assert sorted(world.publications) == list(range(1, PAGE + 6))
    assert world.calls["stage_files"] == PAGE + 5
    assert len(statuses(world)) == 4
    assert_whole_timeline(world)


async def test_the_temporal_ui_shows_a_running_order_and_its_sub_orders(client: Client, order_id: UUID) -> None:
    with held() as (event, world):
        world.suborders = [(1, 1), (1, 0)]
        async with playing(client, world):
            handle = await started(client, order_id)
            await world.until(lambda: world.calls["stage_files"] == 2)
            await shown(handle, "**CO-2026-000042** is **provisioning** since ")
            await shown(handle, "* part 1 · scenes · 2 files · 1.0 kB · **staging**")
            await shown(handle, "**0 %** of 2.0 kB · 0 of 2 parts settled, 2 being made · 0 not begun (as of ")
            child = await client.get_workflow_handle(suborder_workflow_id(workflow_of(order_id), 2)).describe()
            assert await child.static_summary() == "CO-2026-000042 part 2 · scenes · 1 file · 1.0 kB"
            assert child.typed_search_attributes[attributes.NUMBER] == "CO-2026-000042"
            status = (await handle.describe()).typed_search_attributes[attributes.STATUS]
            assert status == "provisioning"
            event.set()
            await handle.result()
            text = await details(handle)
    assert "is **fulfilled with warnings** since " in text
    assert "* part 1 · scenes · 2 files · 1.0 kB · **ready, 1 file failed**" in text
