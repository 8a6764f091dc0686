"""Commands that come in one moment with something else: in the very workflow task in which it happens."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import (
    Interceptor,
    StartChildWorkflowInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from models.messages import Publication, SubOrderPage, SubOrderResult, SubOrders
from models.order import Command, OrderStatus
from tests.workflows.fakes import World, acting, deciding
from tests.workflows.running_orders import LONG, Running, assert_whole_timeline, endless, running, started

S = OrderStatus


@dataclass
class Held(World):
    """A world in which one activity, having begun, ends when the event says so."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self) -> None:
        self.begun.set()
        await self.go.wait()


@dataclass
class HeldPage(Held):
    """The next page of sub-orders is long in coming."""

    @activity.defn(name="open_suborders")
    async def open_suborders(self, page: SubOrderPage) -> SubOrders:
        await self.hold()
        return await super().open_suborders(page)


@dataclass
class HeldPublication(Held):
    """Publishing takes long."""

    @activity.defn(name="publish_suborder")
    async def publish_suborder(self, publication: Publication) -> SubOrderResult:
        await self.hold()
        return await super().publish_suborder(publication)


async def answered(order: Running) -> None:
    """Return when an activity has ended after a signal, and no workflow has heard of either."""
    signalled = False
    async for event in order.handle.fetch_history_events(wait_new_event=True):
        signalled = signalled or event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        if signalled and event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            return


@pytest.mark.parametrize(("signal", "after"), [("pause", S.PAUSED), ("cancel", S.CANCELLED)])
async def test_a_command_that_comes_with_the_answer_to_what_it_ends_is_not_lost(
    temporal: WorkflowEnvironment, signal: str, after: OrderStatus
) -> None:
    world = HeldPage(terms=LONG)
    async with acting(temporal.client, world):
        async with deciding(temporal.client):
            order = await started(temporal.client, f"{signal}-answer", world)
            await asyncio.wait_for(world.begun.wait(), 30)
        await order.handle.signal(signal)
        world.go.set()
        await asyncio.wait_for(answered(order), 30)
        async with deciding(temporal.client), order:
            await order.reached(after)
            assert not (await order.handle.describe()).raw_description.pending_children
    assert_whole_timeline(world)
    assert not world.calls["stage_files"]


async def test_an_archive_that_is_published_while_its_order_is_paused_is_not_delivered(
    temporal: WorkflowEnvironment,
) -> None:
    world = HeldPublication(delivers=True, terms=LONG)
    async with running(temporal.client, "pause-deliver", world) as order:
        await asyncio.wait_for(world.begun.wait(), 30)
        pausing = asyncio.create_task(order.command(Command.PAUSE))
        await order.reached(S.PAUSED)
        world.go.set()
        assert (await pausing).status is S.PAUSED
    assert (world.events[-2:], world.calls["deliver_suborder"]) == (["paused", "suborder_ready"], 0)


@dataclass(frozen=True)
class Busy(Interceptor):
    """The worker is still busy with the task in which it starts the first child, until it is let go."""

    reached: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002
        input.unsafe_extern_functions["hold"] = self.hold
        return _Inbound

    def hold(self) -> None:
        self.reached.set()
        # Temporal calls a task of two seconds a deadlock.
        assert self.go.wait(1.8)


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Outbound(WorkflowOutboundInterceptor):
    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:  # noqa: A002
        hold: Callable[[], None] = workflow.extern_functions()["hold"]
        hold()
        return await super().start_child_workflow(input)


async def test_an_order_that_is_paused_while_a_child_is_starting_loses_nothing(temporal: WorkflowEnvironment) -> None:
    world, busy = endless(), Busy()
    async with (
        acting(temporal.client, world),
        deciding(temporal.client, busy),
        await started(temporal.client, "pause-start", world) as order,
    ):
        assert await asyncio.to_thread(busy.reached.wait, 30)
        await order.handle.signal("pause")
        busy.go.set()
        await order.reached(S.PAUSED)
        world.gate = lambda _: asyncio.sleep(0)
        await order.command(Command.RESUME)
        await order.reached(S.FULFILLED)
    assert_whole_timeline(world)
    assert world.given_up == {}
