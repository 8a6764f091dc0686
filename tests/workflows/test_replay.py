"""Today's workflows go on with yesterday's orders: recorded histories are replayed, no server needed."""

import base64
import json
from typing import Any

import pytest
from temporalio import workflow
from temporalio.workflow import NondeterminismError

from activities.orders import OrderActivities
from models.errors import FailureCategory, FailureCode
from models.messages import (
    COMMAND_UPDATE,
    EXTEND_UPDATE,
    ORDER_WORKFLOW,
    OrderInput,
    OrderRef,
    Projection,
    TimelineEntry,
)
from tests.workflows.record_histories import bulks, worlds
from tests.workflows.replaying import FINGERPRINTS, HISTORIES, READABLE, fingerprint, histories, read, replay
from tests.workflows.scenarios import scenarios
from workflows.order import OrderWorkflow
from workflows.phases import CONTINUE_AFTER_EVENTS
from workflows.policies import TRANSACTION
from workflows.suborder import SubOrderWorkflow

RECORDED = histories()


@pytest.mark.parametrize("name", RECORDED)
async def test_a_recorded_history_replays(name: str) -> None:
    assert await replay(read(RECORDED[name]))


async def test_the_workflows_ask_for_what_their_fingerprints_say() -> None:
    """Where this fails on purpose: `workflow.patched`, then `make histories`, in one commit."""
    assert await fingerprint() == FINGERPRINTS.read_text(encoding="utf-8")


def test_every_world_has_its_history() -> None:
    assert {f"{name}_order" for name in (*worlds(), *scenarios())} <= set(RECORDED)
    assert {f"{name}_bulk" for name in bulks()} <= set(RECORDED)


@pytest.mark.parametrize("update", [COMMAND_UPDATE, EXTEND_UPDATE])
def test_the_updates_of_an_order_have_the_names_by_which_they_are_called(update: str) -> None:
    assert update in {name for name in vars(OrderWorkflow) if not name.startswith("_")}


def events(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(read(RECORDED[name]))["events"]
    return found


def timeline(name: str) -> list[TimelineEntry]:
    """What the activity `record` was given, as a history tells it."""
    scheduled = [event.get("activityTaskScheduledEventAttributes") for event in events(name)]
    inputs = [s["input"]["payloads"][0] for s in scheduled if s and s["activityType"]["name"] == "record"]
    projections = [Projection.model_validate_json(base64.b64decode(payload["data"])) for payload in inputs]
    return [entry for projection in projections for entry in projection.entries]


@pytest.mark.parametrize(("name", "again"), [("unanswered", "validating"), ("unread", "provisioning")])
def test_an_order_whose_storage_was_unavailable_is_retried_and_fulfilled(name: str, again: str) -> None:
    entries = [entry for entry in timeline(f"{name}_order") if entry.status_before is not entry.status_after]
    (failed,) = [number for number, entry in enumerate(entries) if entry.status_after == "failed"]
    failure = entries[failed].failure
    assert failure is not None
    assert (failure.code, failure.category) == (FailureCode.SOURCE_UNAVAILABLE, FailureCategory.INFRASTRUCTURE)
    assert (entries[failed + 1].what, entries[failed + 1].status_after) == ("retried", again)
    assert "fulfilled" in [entry.status_after for entry in entries[failed:]]


def test_a_history_that_grew_too_long_ended_in_the_next() -> None:
    before, after = events("long_order_before"), events("long_order")
    assert before[-1]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    assert after[-1]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"
    assert len(after) < CONTINUE_AFTER_EVENTS < len(before)


@pytest.mark.parametrize("activity", ["open_order", "validate_order", "plan_suborders", "tally"])
async def test_a_workflow_that_once_did_something_else_is_found_out(activity: str) -> None:
    history = read(RECORDED["fulfilled_order"])
    with pytest.raises(NondeterminismError):
        await replay(history.replace(f'"name": "{activity}"', '"name": "something_else"'))


async def test_a_workflow_that_does_one_thing_more_than_it_did_is_found_out() -> None:
    history = read(RECORDED["fulfilled_order"])
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
        await TRANSACTION.execute(OrderActivities.tally, OrderRef(order_id=order.order_id), summary="Count")
        return await self._then.run(order)


def test_histories_hold_nothing_of_the_machine_they_were_recorded_on() -> None:
    for path in HISTORIES.iterdir():
        text = read(path)
        assert not any(word in text for word in ("identity", "stackTrace", "/site-packages/", "@"))
        assert path.stat().st_size < READABLE
