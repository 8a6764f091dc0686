"""Today's workflows go on with yesterday's orders: recorded histories are replayed, no server needed."""

import pytest
from temporalio import workflow
from temporalio.workflow import NondeterminismError

from activities.orders import OrderActivities
from models.messages import COMMAND_UPDATE, ORDER_WORKFLOW, OrderInput, OrderRef
from tests.workflows.record_histories import bulks, worlds
from tests.workflows.recorded_lives import lives
from tests.workflows.replaying import FINGERPRINTS, HISTORIES, fingerprint, histories, replay
from workflows.order import OrderWorkflow
from workflows.policies import READ
from workflows.suborder import SubOrderWorkflow

RECORDED = histories()


@pytest.mark.parametrize("name", RECORDED)
async def test_a_recorded_history_replays(name: str) -> None:
    assert await replay(RECORDED[name].read_text(encoding="utf-8"))


async def test_the_workflows_ask_for_what_their_fingerprints_say() -> None:
    """Where this fails on purpose: `workflow.patched`, then `make histories`, in one commit."""
    assert await fingerprint() == FINGERPRINTS.read_text(encoding="utf-8")


def test_every_world_has_its_history() -> None:
    assert {f"{name}_order" for name in (*worlds(), *lives())} <= set(RECORDED)
    assert {f"{name}_bulk" for name in bulks()} <= set(RECORDED)


def test_the_update_that_commands_an_order_has_the_name_by_which_it_is_called() -> None:
    assert COMMAND_UPDATE in {name for name in vars(OrderWorkflow) if not name.startswith("_")}


@pytest.mark.parametrize("activity", ["open_order", "validate_order", "plan_suborders", "tally"])
async def test_a_workflow_that_once_did_something_else_is_found_out(activity: str) -> None:
    history = RECORDED["fulfilled_order"].read_text(encoding="utf-8")
    with pytest.raises(NondeterminismError):
        await replay(history.replace(f'"name": "{activity}"', '"name": "something_else"'))


async def test_a_workflow_that_does_one_thing_more_than_it_did_is_found_out() -> None:
    history = RECORDED["fulfilled_order"].read_text(encoding="utf-8")
    assert await replay(history)
    with pytest.raises(NondeterminismError):
        await replay(history, [Changed, SubOrderWorkflow])


@workflow.defn(name=ORDER_WORKFLOW)
class Changed:
    """The order workflow after a change without `workflow.patched`: it counts before it does anything else."""

    @workflow.init
    def __init__(self, order: OrderInput) -> None:
        self._then = OrderWorkflow(order)

    @workflow.run
    async def run(self, order: OrderInput) -> str:
        await workflow.execute_activity_method(OrderActivities.tally, OrderRef(order_id=order.order_id), **READ)
        return await self._then.run(order)


def test_histories_hold_nothing_of_the_machine_they_were_recorded_on() -> None:
    for path in HISTORIES.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not any(word in text for word in ("identity", "stackTrace", "/site-packages/", "@"))
        assert len(text) < 100_000
