"""What went wrong travels through Temporal as a type and a sentence; no stack trace is in any history."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

import pytest
from temporalio.api.failure.v1 import Failure as EncodedFailure
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.testing import WorkflowEnvironment

from models.errors import Failed, FailureCode
from models.messages import CommandRequest, OrderTimeouts, suborder_workflow_id
from models.order import Command, OrderStatus
from temporal.converter import DATA_CONVERTER
from temporal.start import OrderStart, start_order
from tests.workflows.fakes import MISMATCH, World, an_order, end, playing, workflow_of
from workflows.order import OrderWorkflow

NAMESPACE = UUID(int=5)
REFUSED = Failed(FailureCode.SOURCE_FORBIDDEN, "the folder may not be read")


def failures_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every failure in a history, causes included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"failure", "cause", "lastFailure"} and isinstance(inner, dict):
                yield inner
            yield from failures_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from failures_in(inner)


async def failures(client: Client, workflow_id: str) -> list[dict[str, Any]]:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return list(failures_in(json.loads(history.to_json())))


async def test_a_history_tells_failures_without_stack_traces(temporal: WorkflowEnvironment) -> None:
    order_id, client = uuid5(NAMESPACE, "provisioning"), temporal.client
    world = World(suborders=[(0, 2)], unreadable=frozenset({1}), failure=MISMATCH, terms=OrderTimeouts())
    async with playing(client, world):
        await start_order(client, OrderStart(an_order(order_id), ["scenes"]))
        await world.until(lambda: world.entries and world.entries[-1].status_after is OrderStatus.FAILED)
        found = await failures(client, suborder_workflow_id(workflow_of(order_id), 1))
        await end(client, order_id, world)
    assert [failure["applicationFailureInfo"]["type"] for failure in found] == [MISMATCH.code]
    assert not [failure for failure in found if failure.get("stackTrace")]


async def test_neither_a_refused_order_nor_a_refused_command_shows_one(temporal: WorkflowEnvironment) -> None:
    order_id, client = uuid5(NAMESPACE, "validating"), temporal.client
    world = World(validation={1: REFUSED}, terms=OrderTimeouts())
    async with playing(client, world):
        await start_order(client, OrderStart(an_order(order_id), ["scenes"]))
        await world.until(lambda: world.entries and world.entries[-1].status_after is OrderStatus.FAILED)
        handle = client.get_workflow_handle(workflow_of(order_id))
        request = CommandRequest(id="c", command=Command.PAUSE, actor="operator:eve")
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(OrderWorkflow.command, request, id="c")
        found = await failures(client, workflow_of(order_id))
        await end(client, order_id, world)
    assert [failure["applicationFailureInfo"]["type"] for failure in found] == [REFUSED.failure.code]
    assert not [failure for failure in found if failure.get("stackTrace")]
    assert isinstance(refused.value.cause, FailureError)
    assert refused.value.cause.failure is not None
    assert refused.value.cause.failure.stack_trace == ""


def test_causes_lose_theirs_too_also_those_that_came_from_elsewhere() -> None:
    elsewhere = ApplicationError("from elsewhere")
    elsewhere._failure = EncodedFailure(
        message="from elsewhere", stack_trace="secret", cause=EncodedFailure(stack_trace="secret")
    )
    encoded = EncodedFailure()
    try:
        try:
            raise elsewhere
        except ApplicationError as error:
            raise ApplicationError("outer", type="outer") from error
    except ApplicationError as error:
        DATA_CONVERTER.failure_converter.to_failure(error, DATA_CONVERTER.payload_converter, encoded)
    assert (encoded.message, encoded.cause.message) == ("outer", "from elsewhere")
    assert encoded.application_failure_info.type == "outer"
    assert "secret" not in str(encoded)
    assert encoded.stack_trace == encoded.cause.stack_trace == encoded.cause.cause.stack_trace == ""
