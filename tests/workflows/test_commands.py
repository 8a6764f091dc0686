"""Commands on a running order: by updates, by signals and by Temporal's own cancel, on a real server."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import NAMESPACE_OID, uuid5

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from models.errors import CommandPending, FailureCode, Fault, IllegalTransition, NotExtended
from models.messages import (
    CommandRequest,
    Extension,
    OrderInput,
    Projection,
    SignalInput,
    ValidationResult,
    suborder_workflow_id,
)
from models.order import Command, OrderStatus
from models.suborder import SubOrderState
from temporal import search_attributes as attributes
from temporal.commands import WorkflowNotRunning, command_order, extend_order
from tests.workflows.fakes import UNAVAILABLE, World, workflow_of
from tests.workflows.running_orders import (
    LONG,
    assert_whole_timeline,
    endless,
    offered_signals,
    running,
    shown,
    staging,
)
from workflows.order import OrderWorkflow


@dataclass
class Slow(World):
    """A world in which the first writing waits until somebody lets it."""

    writing: asyncio.Event = field(default_factory=asyncio.Event)
    written: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name="record")
    async def record(self, news: Projection) -> None:
        self.writing.set()
        await self.written.wait()
        self.take(news)


async def test_a_paused_order_can_be_resumed_and_goes_on_where_it_was(temporal: WorkflowEnvironment) -> None:
    async with running(temporal.client, "pause", endless()) as order:
        await staging(order)
        assert (await order.command(Command.PAUSE)).status is OrderStatus.PAUSED
        order.world.gate = lambda _: asyncio.sleep(0)
        assert (await order.command(Command.RESUME)).status is OrderStatus.PROVISIONING
        await order.reached(OrderStatus.FULFILLED)
    assert order.world.events[3:] == ["paused", "resumed", "suborder_ready", "settled"]
    assert_whole_timeline(order.world)


async def test_what_breaks_at_the_moment_of_a_pause_is_not_given_up(temporal: WorkflowEnvironment) -> None:
    async def breaks(_: int) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise UNAVAILABLE from None

    async with running(temporal.client, "pause-break", World(gate=breaks, terms=LONG)) as order:
        await staging(order)
        await order.command(Command.PAUSE)
        order.world.gate = lambda _: asyncio.sleep(0)
        await order.command(Command.RESUME)
        await order.reached(OrderStatus.FULFILLED)
    assert order.world.given_up == {}


async def test_a_cancelled_order_publishes_nothing_and_is_released(temporal: WorkflowEnvironment) -> None:
    async with running(temporal.client, "cancel", endless()) as order:
        await staging(order)
        assert (await order.command(Command.CANCEL)).status is OrderStatus.CANCELLED
        assert await order.handle.result() == "cancelled"
    assert order.world.publications == {}
    assert order.world.released == [SubOrderState.CANCELLED]


async def test_temporals_own_cancel_is_the_command(temporal: WorkflowEnvironment) -> None:
    async with running(temporal.client, "native", endless()) as order:
        await staging(order)
        await order.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await order.handle.result()
    assert order.world.entries[-1].status_after is OrderStatus.CANCELLED
    assert order.world.entries[-1].actor == "temporal-ui"
    assert order.world.released == [SubOrderState.CANCELLED]


async def test_temporals_own_cancel_while_something_is_written_down_is_the_command(
    temporal: WorkflowEnvironment,
) -> None:
    world = Slow(terms=LONG)
    async with running(temporal.client, "native-writing", world) as order:
        await world.writing.wait()
        await order.handle.cancel()
        await order.cancel_has_arrived()
        world.written.set()
        with pytest.raises(WorkflowFailureError):
            await order.handle.result()
    assert world.entries[-1].status_after is OrderStatus.CANCELLED
    assert world.released == [SubOrderState.CANCELLED]


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_client_that_waits_too_long_learns_whether_the_command_was_accepted(
    temporal: WorkflowEnvironment, accepted: bool
) -> None:
    world = Slow(terms=LONG)
    async with running(temporal.client, f"pending-{accepted}", world) as order:
        await world.writing.wait()
        request = CommandRequest(id="late", command=Command.CANCEL, actor="operator:eve")
        lone = order.order_id if accepted else uuid5(NAMESPACE_OID, "nobody works on this")
        if not accepted:
            idle, named = OrderInput(order_id=lone), workflow_of(lone)
            await temporal.client.start_workflow("order", idle, id=named, task_queue="nobody-works-here")
        with pytest.raises(CommandPending) as pending:
            await command_order(temporal.client, workflow_of(lone), request, patience=1)
        assert pending.value.accepted is accepted
        world.written.set()
        if accepted:
            assert await order.handle.result() == "cancelled"
        else:
            await temporal.client.get_workflow_handle(workflow_of(lone)).terminate()


async def test_an_illegal_command_is_refused_with_what_is_allowed_and_leaves_no_trace(
    temporal: WorkflowEnvironment,
) -> None:
    async with running(temporal.client, "illegal", endless()) as order:
        await staging(order)
        before = list(order.world.entries)
        with pytest.raises(IllegalTransition) as refused:
            await order.command(Command.RESUME)
        assert (refused.value.status, refused.value.allowed) == ("provisioning", ["cancel", "pause"])
        assert order.world.entries == before


async def test_the_same_command_again_has_no_second_effect(temporal: WorkflowEnvironment) -> None:
    async with running(temporal.client, "again", endless()) as order:
        await staging(order)
        first = await order.command(Command.PAUSE, id="once")
        assert await order.command(Command.PAUSE, id="once") == first
        with pytest.raises(IllegalTransition):
            await order.command(Command.PAUSE, id="twice")
    assert order.world.events.count("paused") == 1


async def test_of_two_operators_at_once_one_wins_and_the_other_is_refused(temporal: WorkflowEnvironment) -> None:
    async with running(temporal.client, "two", endless()) as order:
        await staging(order)
        answers = await asyncio.gather(
            order.command(Command.PAUSE), order.command(Command.PAUSE), return_exceptions=True
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["CommandResult", "IllegalTransition"]
    assert order.world.events.count("paused") == 1


async def test_a_retry_runs_again_only_what_has_failed(temporal: WorkflowEnvironment) -> None:
    world = World(suborders=[(3, 0), (1, 2)], mended=True, terms=LONG)
    async with running(temporal.client, "retry", world) as order:
        await order.reached(OrderStatus.FULFILLED_WITH_WARNINGS)
        assert world.calls["stage_files"] == 2
        await order.command(Command.RETRY)
        await order.reached(OrderStatus.FULFILLED)
    assert world.calls["stage_files"] == 3
    assert world.events[-3:] == ["retried", "suborder_ready", "settled"]


async def test_signals_obey_the_table_and_a_refused_one_stays_on_the_timeline(temporal: WorkflowEnvironment) -> None:
    async with running(temporal.client, "signals", endless()) as order:
        await staging(order)
        await order.handle.signal(OrderWorkflow.resume, SignalInput(reason="a mistake"))
        await order.world.until(lambda: "command_refused" in order.world.events)
        await shown(order.handle, "**Last refused:** cannot resume an order that is provisioning")
        await order.handle.signal("pause", "by phone")
        await order.reached(OrderStatus.PAUSED)
        assert "Last refused" not in await shown(order.handle, "is **paused** since ")
        await order.handle.signal(OrderWorkflow.cancel, SignalInput(actor="operator:eve", reason="over"))
        assert await order.handle.result() == "cancelled"
    refused, paused, cancelled = order.world.entries[-3:]
    assert (refused.what, refused.reason_text) == ("command_refused", "cannot resume an order that is provisioning")
    assert (paused.what, paused.actor, paused.reason_text) == ("paused", "temporal-ui", "by phone")
    assert (cancelled.actor, cancelled.reason_text) == ("operator:eve", "over")


async def test_the_signals_on_offer_are_those_for_people_and_say_what_they_do(temporal: WorkflowEnvironment) -> None:
    async with running(temporal.client, "offered", endless()) as order:
        offered = await offered_signals(order.handle)
        assert {name for name in offered if name} == {"pause", "resume", "cancel", "retry"}
        assert all("a reason as a JSON string" in text for name, text in offered.items() if name)
        await order.handle.signal("notice", "no message at all")
        await order.handle.signal("hurry")
        await staging(order)


async def test_a_cancel_in_temporal_of_an_order_that_is_done_is_refused_on_its_timeline(
    temporal: WorkflowEnvironment,
) -> None:
    async with running(temporal.client, "native-refused", World(terms=LONG)) as order:
        await order.reached(OrderStatus.FULFILLED)
        await order.handle.cancel()
        await order.world.until(lambda: "command_refused" in order.world.events)
    refused = order.world.entries[-1]
    assert (refused.reason_text, refused.actor) == ("cannot cancel an order that is fulfilled", "temporal-ui")


async def test_a_refused_order_shows_its_errors_and_why(temporal: WorkflowEnvironment) -> None:
    gone = Fault(field="a.tif", code="source_missing", text="a.tif is not there")
    verdict = ValidationResult(faults=(gone, gone), faults_total=2, refused=True)
    async with running(temporal.client, "refused-shown", World(terms=LONG, verdict=verdict)) as order:
        await order.reached(OrderStatus.FAILED)
        await shown(order.handle, "**Failed:** a.tif is not there; and 1 more fault (source_missing).")
        found = (await order.handle.describe()).typed_search_attributes
        assert found[attributes.ERRORS] == 2


async def test_a_sub_order_whose_workflow_somebody_ended_says_so(temporal: WorkflowEnvironment) -> None:
    async with running(temporal.client, "ended", endless()) as order:
        await staging(order)
        await temporal.client.get_workflow_handle(suborder_workflow_id(workflow_of(order.order_id), 1)).terminate()
        await order.world.until(lambda: bool(order.world.given_up))
    assert order.world.given_up[1].code is FailureCode.WORKFLOW_ENDED


async def test_an_order_with_a_price_goes_on_when_it_is_paid(temporal: WorkflowEnvironment) -> None:
    async with running(temporal.client, "paid", World(is_free=False, terms=LONG)) as order:
        await order.command(Command.CONFIRM_PAYMENT)
        await order.reached(OrderStatus.FULFILLED)


@pytest.mark.parametrize(
    ("begins", "reason"),
    [(OrderStatus.DRAFT, "abandoned"), (OrderStatus.PENDING_PAYMENT, "payment_timeout")],
)
async def test_what_is_left_too_long_is_cancelled(
    temporal: WorkflowEnvironment, begins: OrderStatus, reason: str
) -> None:
    world = World(is_free=False, begins=begins, terms=LONG)
    async with running(temporal.client, reason, world) as order:
        await temporal.fast_forward(order.handle, timedelta(days=31))
        assert await order.handle.result() == "cancelled"
    assert [entry.reason_code for entry in world.entries] == [reason]


async def test_an_order_expires_after_a_reminder_and_an_extension_moves_both(temporal: WorkflowEnvironment) -> None:
    world = World(terms=LONG, left=1)
    async with running(temporal.client, "expiry", world) as order:
        await order.reached(OrderStatus.FULFILLED)
        end = world.entries[-1].expires_at
        assert end is not None
        far = Extension(id="far", expires_at=end + timedelta(days=90), actor="customer:a")
        with pytest.raises(NotExtended):
            await extend_order(temporal.client, workflow_of(order.order_id), far)
        near = Extension(id="near", expires_at=end + timedelta(days=3), actor="customer:a")
        await extend_order(temporal.client, workflow_of(order.order_id), near)
        await temporal.fast_forward(order.handle, timedelta(days=8))
        assert "expiry_reminder" not in world.events
        await temporal.fast_forward(order.handle, timedelta(days=3))
        assert await order.handle.result() == "expired"
    assert world.events[-3:] == ["extended", "expiry_reminder", "expired"]
    with pytest.raises(WorkflowNotRunning):
        await order.command(Command.DELETE)


async def test_an_extension_counts_also_while_only_an_open_download_keeps_the_order(
    temporal: WorkflowEnvironment,
) -> None:
    world = World(terms=LONG, left=1, downloads=100)
    async with running(temporal.client, "extended-late", world) as order:
        await order.reached(OrderStatus.FULFILLED)
        await temporal.fast_forward(order.handle, LONG.keep_for + timedelta(minutes=1))
        await world.until(lambda: world.downloads < 100)
        later = world.entries[-1].at + timedelta(days=5)
        extension = Extension(id="later", expires_at=later, actor="customer:a")
        await extend_order(temporal.client, workflow_of(order.order_id), extension)
        world.downloads = 0
        await temporal.fast_forward(order.handle, timedelta(hours=1))
        assert (await order.command(Command.DELETE)).status is OrderStatus.DELETED
    assert world.released == []
