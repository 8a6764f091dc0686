"""An order of hundreds of sub-orders begins new histories on the way, and nothing of it is lost or done twice."""

import asyncio
from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from models.messages import NOTICE_SIGNAL, OutboxEventMessage
from models.order import Command, OrderStatus
from tests.workflows.fakes import World
from tests.workflows.running_orders import LONG, assert_whole_timeline, running

PARTS = 300
HELD = 250
"""By then the history is long enough to be cut, and the page not yet at its end."""


async def test_a_pause_while_a_long_history_ends_has_its_effect_once_and_the_way_back_is_known(
    temporal: WorkflowEnvironment,
) -> None:
    go = asyncio.Event()

    async def gate(number: int) -> None:
        if number == HELD:
            await go.wait()

    world = World(suborders=[*[(1, 0)] * (PARTS - 1), (0, 1)], gate=gate, terms=LONG, mended=True, patience=150)
    async with running(temporal.client, "long", world) as order:
        first = (await order.handle.describe()).run_id
        await world.until(lambda: HELD in world.staging)
        paused = await order.command(Command.PAUSE, id="pause")
        go.set()
        # The run that applied the command has ended: the next run knows its id and would refuse a new one.
        assert (await order.command(Command.PAUSE, id="pause")).status is paused.status is OrderStatus.PAUSED
        assert (await order.handle.describe()).run_id != first
        await order.command(Command.RESUME)
        await order.reached(OrderStatus.FULFILLED_WITH_WARNINGS)
        await order.command(Command.RETRY)
        await order.reached(OrderStatus.FULFILLED)
        assert (await order.handle.describe()).history_length < 4_000
    assert_whole_timeline(world)
    assert [world.events.count(what) for what in ("paused", "resumed", "retried", "settled")] == [1, 1, 1, 1]
    ready = [entry.suborder for entry in world.entries if entry.what == "suborder_ready"]
    assert sorted(filter(None, ready)) == list(range(1, PARTS + 1))


DOWNLOADS = 200
"""Downloads that are noted: more than fit into one history."""


async def test_what_an_order_is_sent_while_it_is_kept_fills_no_history_and_it_reminds_once(
    temporal: WorkflowEnvironment,
) -> None:
    soon = LONG.model_copy(update={"remind_before": LONG.keep_for - timedelta(milliseconds=100)})
    world = World(terms=soon, patience=60)
    async with running(temporal.client, "heard", world) as order:
        await world.until(lambda: "expiry_reminder" in world.events)
        first = (await order.handle.describe()).run_id
        for number in range(DOWNLOADS):
            noticed = OutboxEventMessage(id=f"n{number}", what="suborder_downloaded", suborder=1, actor="customer:a")
            await order.handle.signal(NOTICE_SIGNAL, noticed)
            # One by one: what comes together is written down together.
            await world.until(lambda number=number: world.events.count("suborder_downloaded") > number)  # type: ignore[misc]
        await world.until(lambda: world.calls["open_order"] == 2)
        assert (await order.command(Command.DELETE)).status is OrderStatus.DELETED
        last = await order.handle.describe()
        assert last.run_id != first
        assert last.history_length < 1_000
    assert world.events.count("expiry_reminder") == 1
    assert_whole_timeline(world)
