"""Races, forced both ways: the first one wins, and the other learns what is allowed now."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from models.errors import IllegalTransition
from models.messages import CommandResult
from models.order import Command, OrderStatus, allowed_actions
from models.suborder import SubOrderState
from temporal.commands import WorkflowNotRunning
from tests.workflows.fakes import World
from tests.workflows.running_orders import LONG, Running, assert_whole_timeline, running, staging

S = OrderStatus
How = Callable[[Running, Sequence[Command]], Awaitable[list[CommandResult | Exception]]]
"""The way in which several command: one after the other, or at once."""

FIRST = pytest.mark.parametrize("first", ["command", "completion", "nobody"])


def held() -> tuple[World, asyncio.Event]:
    """A world in which staging ends when the event says so."""
    go = asyncio.Event()

    async def gate(_: int) -> None:
        await go.wait()

    return World(gate=gate, terms=LONG), go


async def answer(order: Running, command: Command) -> CommandResult | Exception:
    try:
        return await order.command(command)
    except (IllegalTransition, WorkflowNotRunning) as refused:
        return refused


def assert_refused_in(status: OrderStatus, result: object) -> None:
    """Assert a clear answer, which names the status and what is allowed in it."""
    assert isinstance(result, IllegalTransition)
    assert (result.status, result.allowed) == (status, sorted(map(str, allowed_actions(status))))


async def race(order: Running, go: asyncio.Event, command: Command, first: str) -> CommandResult | Exception:
    await staging(order)
    if first == "command":
        result = await answer(order, command)
        go.set()
    elif first == "completion":
        go.set()
        await order.reached(S.FULFILLED)
        result = await answer(order, command)
    else:
        go.set()
        result = await answer(order, command)
    return result


@FIRST
async def test_a_cancel_against_the_completion(temporal: WorkflowEnvironment, first: str) -> None:
    world, go = held()
    async with running(temporal.client, f"cancel-complete-{first}", world) as order:
        result = await race(order, go, Command.CANCEL, first)
        if isinstance(result, CommandResult):
            assert first != "completion"
            assert await order.handle.result() == result.status == "cancelled"
            assert world.released == [SubOrderState.CANCELLED]
        else:
            assert first != "command"
            assert_refused_in(S.FULFILLED, result)
    assert_whole_timeline(world)
    assert world.entries[-1].status_after in {S.CANCELLED, S.FULFILLED}


@FIRST
async def test_a_pause_against_the_completion(temporal: WorkflowEnvironment, first: str) -> None:
    world, go = held()
    async with running(temporal.client, f"pause-complete-{first}", world) as order:
        result = await race(order, go, Command.PAUSE, first)
        if isinstance(result, CommandResult):
            assert first != "completion"
            assert result.status is S.PAUSED
            await order.command(Command.RESUME)
        else:
            assert first != "command"
            assert_refused_in(S.FULFILLED, result)
        await order.reached(S.FULFILLED)
    assert_whole_timeline(world)
    assert world.events.count("suborder_ready") == 1


async def in_turn(order: Running, commands: Sequence[Command]) -> list[CommandResult | Exception]:
    return [await answer(order, command) for command in commands]


async def at_once(order: Running, commands: Sequence[Command]) -> list[CommandResult | Exception]:
    return await asyncio.gather(*(answer(order, command) for command in commands))


HOW = pytest.mark.parametrize("how", [in_turn, at_once])


@HOW
async def test_of_two_retries_one_has_its_effect_and_the_other_is_refused(
    temporal: WorkflowEnvironment, how: How
) -> None:
    world, go = held()
    world.suborders, world.mended = [(1, 1)], True
    async with running(temporal.client, f"retry-retry-{how.__name__}", world) as order:
        go.set()
        await order.reached(S.FULFILLED_WITH_WARNINGS)
        go.clear()
        answers = await how(order, [Command.RETRY] * 2)
        (lost,) = [result for result in answers if not isinstance(result, CommandResult)]
        assert_refused_in(S.PROVISIONING, lost)
        go.set()
        await order.reached(S.FULFILLED)
    assert_whole_timeline(world)
    assert (world.events.count("retried"), world.calls["reopen_files"]) == (1, 1)


PAY_AND_CANCEL = (Command.CONFIRM_PAYMENT, Command.CANCEL)


@pytest.mark.parametrize("commands", [PAY_AND_CANCEL, PAY_AND_CANCEL[::-1], (Command.CANCEL, Command.PAUSE)])
@pytest.mark.parametrize("together", [False, True])
async def test_signals_and_updates_come_one_after_the_other(
    temporal: WorkflowEnvironment, commands: tuple[Command, Command], together: bool
) -> None:
    world, _ = held()
    world.is_free = Command.CONFIRM_PAYMENT not in commands
    async with running(temporal.client, f"{commands}-{together}", world) as order:
        if world.is_free:
            await staging(order)
        else:
            await order.world.until(lambda: order.world.calls["open_order"])
        if together:
            await asyncio.gather(*(answer(order, command) for command in commands))
        else:
            assert isinstance(await answer(order, commands[0]), CommandResult)
            await answer(order, commands[1])
        assert await order.handle.result() == "cancelled"
        for late in (Command.CONFIRM_PAYMENT, Command.PAUSE):
            assert isinstance(await answer(order, late), WorkflowNotRunning)
    assert_whole_timeline(world)
    assert world.events.count("cancelled") == 1


@pytest.mark.parametrize("first", [Command.PAUSE, Command.CANCEL])
@HOW
async def test_two_operators_leave_one_story(temporal: WorkflowEnvironment, first: Command, how: How) -> None:
    world, _ = held()
    second = Command.CANCEL if first is Command.PAUSE else Command.PAUSE
    async with running(temporal.client, f"operators-{first}-{how.__name__}", world) as order:
        await staging(order)
        result = dict(zip((first, second), await how(order, [first, second]), strict=True))
        assert await order.handle.result() == "cancelled"
    assert_whole_timeline(world)
    assert isinstance(result[Command.CANCEL], CommandResult)
    # A pause that comes too late is refused, by the status or by the end of the workflow.
    paused = result[Command.PAUSE]
    if isinstance(paused, CommandResult):
        assert world.events[-2:] == ["paused", "cancelled"]
    else:
        assert "paused" not in world.events
        if not isinstance(paused, WorkflowNotRunning):
            assert_refused_in(S.CANCELLED, paused)


@HOW
async def test_of_two_operators_who_want_the_same_one_does_it(temporal: WorkflowEnvironment, how: How) -> None:
    world, _ = held()
    async with running(temporal.client, f"same-{how.__name__}", world) as order:
        await staging(order)
        answers = await how(order, [Command.PAUSE] * 2)
        (lost,) = [result for result in answers if not isinstance(result, CommandResult)]
        assert_refused_in(S.PAUSED, lost)
    assert_whole_timeline(world)
    assert world.events.count("paused") == 1


async def test_an_order_whose_time_is_up_waits_for_the_last_open_download(temporal: WorkflowEnvironment) -> None:
    world = World(terms=LONG, left=1, downloads=2)
    async with running(temporal.client, "expire-download", world) as order:
        await order.reached(S.FULFILLED)
        await temporal.fast_forward(order.handle, timedelta(days=8))
        assert await order.handle.result() == "expired"
    assert_whole_timeline(world)
    assert (world.downloads, world.calls["release_suborders"]) == (0, 4)
