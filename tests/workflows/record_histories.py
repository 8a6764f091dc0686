"""Records the histories that `test_replay.py` replays, and their fingerprints.

Run it (`make histories`, `python -m tests.workflows.record_histories`) when a workflow's commands were changed on
purpose and behind `workflow.patched`; commit what it writes with the change. A history that was recorded before the
patch goes to a name of its own first.
"""

import asyncio
import gc
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from temporalio.client import Client, WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from cli.dev.binaries import temporal_binary
from cli.dev.temporal import temporal_dev
from models.errors import Fault
from models.messages import (
    ORDER_WORKFLOW,
    ORDERS_QUEUE,
    OrderInput,
    ValidationResult,
    bulk_workflow_id,
    suborder_workflow_id,
)
from models.tables import Bulk
from temporal.converter import DATA_CONVERTER
from temporal.start import OrderStart, start_bulk, start_order
from tests.workflows.fake_bulk import BulkWorld, working_off
from tests.workflows.fakes import MISMATCH, World, an_order, playing, workflow_of
from tests.workflows.replaying import FINGERPRINTS, HISTORIES, fingerprint, write
from tests.workflows.scenarios import Commanded, Scenario, scenarios
from workflows.provisioning import PAGE

_OF_THIS_MACHINE = {"identity", "requestId", "taskId", "stackTrace", "workerVersion", "binaryChecksum", "namespaceId"}
_FAULTS = tuple(Fault(field=name, code="source_missing", text=f"{name} is not there") for name in ("a.tif", "b.tif"))


def worlds() -> Mapping[str, World]:
    """What is recorded; `many_suborders` are more than are under way at once, `long` is more than one history holds."""
    return {
        "fulfilled": World(suborders=[(2, 0)]),
        "with_warnings": World(suborders=[(1, 1), (3, 0)]),
        "refused": World(verdict=ValidationResult(faults=_FAULTS, faults_total=2)),
        "all_failed": World(suborders=[(0, 2)]),
        "given_up": World(suborders=[(0, 1), (1, 0)], unreadable=frozenset({1}), failure=MISMATCH),
        "many_suborders": World(suborders=[(1, 0)] * 12),
        "long": World(suborders=[(1, 0)] * (PAGE + 3), delivers=True, patience=120),
    }


def bulks() -> Mapping[str, BulkWorld]:
    """What is recorded of bulks."""
    return {"finished": BulkWorld(pages=2), "cancelled": BulkWorld(pages=3, held=2)}


async def record() -> None:
    """Play every world on a server of its own and write what it left."""
    HISTORIES.mkdir(exist_ok=True)
    async with await WorkflowEnvironment.start_local(
        data_converter=DATA_CONVERTER,
        identity="recorder",
        dev_server_existing_path=str(temporal_binary()),
        dev_server_extra_args=temporal_dev().registrations,
    ) as environment:
        for number, (name, world) in enumerate(worlds().items(), 1):
            await _play(environment.client, UUID(int=number), world)
            await _write(environment.client, workflow_of(UUID(int=number)), f"{name}_order")
        for number, (name, scenario) in enumerate(scenarios().items(), 101):
            await _run_scenario(environment.client, UUID(int=number), scenario)
            await _write(environment.client, workflow_of(UUID(int=number)), f"{name}_order")
        for number, (name, bulk) in enumerate(bulks().items(), 201):
            await _work_off(environment.client, UUID(int=number), bulk)
            await _write(environment.client, bulk_workflow_id(UUID(int=number)), f"{name}_bulk")
        # The sub-orders of two worlds show all that a sub-order does.
        for number, name in ((1, "fulfilled"), (5, "given_up")):
            await _write(environment.client, suborder_workflow_id(workflow_of(UUID(int=number)), 1), f"{name}_suborder")
    text = await fingerprint()
    await asyncio.to_thread(FINGERPRINTS.write_text, text, encoding="utf-8")


async def _play(client: Client, order_id: UUID, world: World) -> None:
    """Run an order to its end; its sub-orders settle one by one, so that the next recording looks the same."""

    async def in_turn(number: int) -> None:
        await world.until(lambda: number == 1 or any(entry.suborder == number - 1 for entry in world.entries))

    world.gate = in_turn
    async with playing(client, world):
        await start_order(client, OrderStart(an_order(order_id), ["scenes"]))
        await client.get_workflow_handle(workflow_of(order_id)).result()


async def _run_scenario(client: Client, order_id: UUID, scenario: Scenario) -> None:
    """Run an order to its end, as its script wants it."""
    workflow_id = workflow_of(order_id)
    async with playing(client, scenario.world):
        if scenario.carried is None:
            await start_order(client, OrderStart(an_order(order_id), ["scenes"]))
        else:
            order = OrderInput(order_id=order_id, carried=scenario.carried)
            await client.start_workflow(ORDER_WORKFLOW, order, id=workflow_id, task_queue=ORDERS_QUEUE)
        await scenario.script(Commanded(client, order_id, scenario.world))
        await client.get_workflow_handle(workflow_id).result()


async def _work_off(client: Client, bulk_id: UUID, world: BulkWorld) -> None:
    """Run a bulk to its end; where it is held up somebody cancels it in Temporal."""
    async with working_off(client, world):
        await start_bulk(
            client, Bulk(id=bulk_id, customer="maria", actor="customer:maria", command="cancel", total=world.pages)
        )
        handle = client.get_workflow_handle(bulk_workflow_id(bulk_id))
        if world.held is not None:
            await world.holding.wait()
            await handle.cancel()
        with suppress(WorkflowFailureError):
            await handle.result()


async def _write(client: Client, workflow_id: str, name: str, run_id: str | None = None) -> None:
    """One event a line, without what only says where it was recorded; first the run that it continued, if it did."""
    history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    began = history.events[0].workflow_execution_started_event_attributes
    if began.continued_execution_run_id:
        await _write(client, workflow_id, f"{name}_before", began.continued_execution_run_id)
    events = [json.dumps(_cleaned(event), ensure_ascii=False) for event in history.to_json_dict()["events"]]
    text = '{"events": [\n' + ",\n".join(events) + "\n]}\n"
    await asyncio.to_thread(write, name, text)


def _cleaned(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _cleaned(value) for key, value in node.items() if key not in _OF_THIS_MACHINE}
    return [_cleaned(value) for value in node] if isinstance(node, list) else node


if __name__ == "__main__":
    asyncio.run(record())
    # Temporal's core may crash the interpreter's exit while its objects are still there.
    gc.collect()
