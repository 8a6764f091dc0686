"""Random lives of an order: commands, signals, outcomes, crashes and time jumps, compared with the table step by step.

`make lifecycle` runs two hundred times thirty steps and tells what happened in them; the tests run a few.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from temporalio import activity
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from models.errors import Fault, IllegalTransition, TemporalUnavailable
from models.messages import CommandRequest, CommandResult, OrderRef, OrderTimeouts, ValidationResult
from models.order import (
    FULFILLED,
    TERMINAL,
    Command,
    Event,
    OrderStatus,
    Trigger,
    advance,
    allowed_actions,
    past_tense,
)
from temporal.commands import command_order
from temporal.start import OrderStart, start_order
from tests.workflows.fakes import World, an_order, end, playing, workflow_of
from tests.workflows.running_orders import assert_whole_timeline

S = OrderStatus
SIGNALS = (Command.PAUSE, Command.RESUME, Command.CANCEL, Command.RETRY)
FAULT = Fault(field="a.tif", code="source_missing", text="a.tif is not there")
FEW = 4
RUNS = int(os.environ.get("LIFECYCLE_RUNS", FEW))
STEPS_OF_A_RUN = 10 if RUNS == FEW else 30
PATIENCE = 150
"""Seconds for anything to come: longer than the longest pause between two attempts, which is a minute."""

IMPATIENT = {"sticky_queue_schedule_to_start_timeout": timedelta(milliseconds=300)}
"""By default a workflow waits ten seconds for the worker that knew it, before another one gets it."""

_SERIAL = count()

STEPS = st.one_of(
    st.tuples(st.just("command"), st.sampled_from(Command)),
    st.tuples(st.just("command"), st.sampled_from([Command.PAUSE, Command.RESUME, Command.RETRY])),
    st.tuples(st.just("signal"), st.sampled_from(SIGNALS)),
    st.tuples(st.just("finish"), st.sampled_from([Event.SETTLED, Event.SETTLED_WITH_FAILURES, Event.SETTLED_FAILED])),
    st.tuples(st.just("finish"), st.just(Event.SETTLED_WITH_FAILURES)),
    st.tuples(st.just("crash"), st.none()),
    st.tuples(st.just("jump"), st.none()),
)


class ShortTasks(Interceptor):
    """What a dying worker was handed is handed to the next after two seconds, not after ten."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        return _StartsShortTasks(next)


class _StartsShortTasks(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        input.task_timeout = timedelta(seconds=2)
        return await super().start_workflow(input)


@dataclass
class HeldWorld(World):
    """A world in which validation and staging wait until somebody says how they end."""

    ending: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name="validate_order")
    async def validate_order(self, order: OrderRef) -> ValidationResult:
        self._called("validate_order")
        await self.held()
        return self.verdict

    async def held(self) -> None:
        """Wait for the event and send heartbeats: a lost worker is noticed by their absence."""
        while not self.ending.is_set():
            activity.heartbeat()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), 1)


@dataclass
class Model:
    """What the table says the order should be, and which changes the timeline should have."""

    status: OrderStatus
    origin: OrderStatus | None = None
    expected: list[str] = field(default_factory=list)

    def take(self, trigger: Trigger) -> None:
        """Go the way of the table. Raises IllegalTransition."""
        after = advance(self.status, trigger, origin=self.origin)
        self.status, self.origin = after, self.status
        self.expected.append(past_tense(trigger))


@dataclass
class CheckedOrder:
    """One order that really runs, and its model."""

    environment: WorkflowEnvironment
    world: HeldWorld
    model: Model
    handle: WorkflowHandle[Any, str] | None = None
    order_id: UUID = field(default_factory=lambda: uuid5(NAMESPACE_OID, f"life-{next(_SERIAL)}"))
    workers: AsyncExitStack = field(default_factory=AsyncExitStack)
    tally: Counter[str] = field(default_factory=Counter)
    commands: int = 0
    torn: bool = False
    """Whether a worker has been lost with work in hand; until that is noticed, a paused order is not yet at rest."""

    async def begin(self) -> None:
        self.tally["orders"] += 1
        await self.workers.enter_async_context(playing(self.environment.client, self.world, **IMPATIENT))
        impatient = self.environment.client.config()
        impatient["interceptors"] = [*impatient["interceptors"], ShortTasks()]
        await start_order(Client(**impatient), OrderStart(an_order(self.order_id), ["scenes"]))
        self.handle = self.environment.client.get_workflow_handle(workflow_of(self.order_id), result_type=str)
        await self.expect_settled()

    async def step(self, kind: str, what: Any) -> None:
        steps: dict[str, Callable[[Any], Awaitable[None]]] = {
            "command": self.command,
            "signal": self.signal,
            "finish": self.finish,
            "crash": self.crash,
            "jump": self.jump,
        }
        self.tally["steps"] += 1
        before = f"{kind} {what or ''} of an order that is {self.model.status}"
        try:
            async with asyncio.timeout(PATIENCE):
                await steps[kind](what)
                await self.expect_settled()
        except TimeoutError:
            raise AssertionError(f"{before}: {self.model.expected} expected, {self.world.events} found") from None

    async def command(self, command: Command) -> None:
        self.commands += 1
        request = CommandRequest(id=f"c{self.commands}", command=command, actor="operator:eve")
        before = self.model.status
        try:
            self.model.take(command)
        except IllegalTransition:
            with pytest.raises(IllegalTransition) as refused:
                await self.ask(request)
            assert refused.value.allowed == sorted(map(str, allowed_actions(before)))
            self.tally["commands refused"] += 1
        else:
            self.tally["commands applied"] += 1
            assert (await self.ask(request)).version >= len(self.model.expected) + 1

    async def ask(self, request: CommandRequest) -> CommandResult:
        """Command as a client does: where no answer comes, because a worker has crashed, the same again."""
        for _ in range(5):
            try:
                return await command_order(self.environment.client, workflow_of(self.order_id), request)
            except TemporalUnavailable:
                continue
        raise TemporalUnavailable

    async def signal(self, command: Command) -> None:
        assert self.handle is not None
        noted = self.world.events.count("command_refused")
        try:
            self.model.take(command)
        except IllegalTransition:
            await self.handle.signal(str(command))
            await self.world.until(lambda: self.world.events.count("command_refused") == noted + 1)
            self.tally["signals refused"] += 1
        else:
            self.tally["signals applied"] += 1
            await self.handle.signal(str(command))

    async def finish(self, event: Event) -> None:
        """Let the running activity end, in one way or another."""
        if self.model.status is S.VALIDATING:
            refused = event is Event.SETTLED_FAILED
            self.world.verdict = ValidationResult(faults=(FAULT,), faults_total=1) if refused else ValidationResult()
            self.model.take(Event.REFUSED if refused else Event.VALIDATED)
        elif self.model.status is S.PROVISIONING:
            failed = {Event.SETTLED: (0, 0), Event.SETTLED_WITH_FAILURES: (0, 1), Event.SETTLED_FAILED: (2, 2)}[event]
            self.world.suborders = [(2 - n, n) for n in failed]
            self.model.take(event)
        else:
            return
        self.tally["phases ended"] += 1
        self.world.ending.set()
        await self.expect_settled()
        self.world.ending.clear()
        self.torn = False

    async def crash(self, _: None) -> None:
        """All workers go, and others come, who know nothing but the history."""
        self.torn = self.torn or self.model.status in {S.VALIDATING, S.PROVISIONING}
        self.tally["crashes"] += 1
        await self.workers.aclose()
        await self.workers.enter_async_context(playing(self.environment.client, self.world, **IMPATIENT))

    async def jump(self, _: None) -> None:
        """A month and a day pass; while a worker reads, no time is skipped."""
        assert self.handle is not None
        if self.model.status in {S.VALIDATING, S.PROVISIONING} or (self.torn and self.model.status is S.PAUSED):
            return
        self.tally["jumps"] += 1
        await self.environment.fast_forward(self.handle, timedelta(days=31))
        if self.model.status is S.DRAFT:
            self.model.take(Event.ABANDONED)
        elif self.model.status is S.PENDING_PAYMENT:
            self.model.take(Event.PAYMENT_TIMED_OUT)
        elif self.model.status in FULFILLED | {S.FAILED, S.PAUSED}:
            self.model.take(Event.EXPIRED)

    async def expect_settled(self) -> None:
        """Wait until the order has done what it does by itself, and assert that it is what the model says."""
        if self.model.status is S.PAYMENT_CONFIRMED:
            self.model.take(Event.STARTED)
        await self.world.until(lambda: self.expected_changes() == self.model.expected)
        assert not self.world.entries or self.world.entries[-1].status_after is self.model.status
        assert_whole_timeline(self.world)

    def expected_changes(self) -> list[str]:
        """The changes on the timeline; asserts that they are the first of the model's, and no more than those."""
        changes = [e.what for e in self.world.entries if e.status_after is not e.status_before]
        expected = self.model.expected
        assert changes == expected[: len(changes)], f"{changes} is not {expected}"
        return changes


def held_world(begins: OrderStatus) -> HeldWorld:
    world = HeldWorld(
        patience=2 * PATIENCE, is_free=False, begins=begins, terms=OrderTimeouts(), left=1, suborders=[(2, 0), (2, 0)]
    )

    async def gate(_: int) -> None:
        await world.held()

    world.gate = gate
    return world


async def run_order(
    environment: WorkflowEnvironment, begins: OrderStatus, steps: Iterator[tuple[str, Any]], tally: Counter[str]
) -> None:
    """Take steps until the order has ended or no step is left."""
    order = CheckedOrder(environment, held_world(begins), Model(begins), tally=tally)
    try:
        async with asyncio.timeout(PATIENCE):
            await order.begin()
        for kind, what in steps:
            await order.step(kind, what)
            if order.model.status in TERMINAL:
                return
    finally:
        order.world.ending.set()
        async with asyncio.timeout(PATIENCE):
            await end(environment.client, order.order_id, order.world)
            await order.workers.aclose()


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """Counts what happened to all orders, and prints it at the end."""
    counted: Counter[str] = Counter()
    began = time.monotonic()
    yield counted
    if (told := request.config.pluginmanager.getplugin("terminalreporter")) is not None:
        happened = ", ".join(f"{count} {what}" for what, count in counted.items())
        told.write_line(f"\n{happened} in {time.monotonic() - began:.0f} s")


@settings(
    max_examples=RUNS,
    derandomize=RUNS == FEW,
    deadline=None,
    database=None,
    # A run takes seconds: to shrink one takes longer than to read it.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    begins=st.sampled_from([S.DRAFT, S.PENDING_PAYMENT]),
    steps=st.lists(STEPS, min_size=STEPS_OF_A_RUN, max_size=STEPS_OF_A_RUN),
)
async def test_no_life_of_an_order_leaves_the_table(
    temporal: WorkflowEnvironment, tally: Counter[str], begins: OrderStatus, steps: list[tuple[str, Any]]
) -> None:
    tally["runs"] += 1
    left = iter(steps)
    await run_order(temporal, begins, left, tally)
    # If an order ended early, others follow, which begin where more can happen.
    while rest := list(left):
        left = iter([("command", Command.CONFIRM_PAYMENT), ("finish", Event.SETTLED), *rest])
        await run_order(temporal, S.PENDING_PAYMENT, left, tally)
