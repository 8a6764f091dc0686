"""Running orders in a world of fake activities, commanded as a client does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self
from uuid import NAMESPACE_OID, UUID, uuid5

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle

from models.messages import CommandRequest, CommandResult, OrderTimeouts
from models.order import TRANSITIONS, Command, OrderStatus, advance
from temporal.commands import command_order
from temporal.start import OrderStart, start_order
from tests.workflows.fakes import World, an_order, end, playing, workflow_of

LONG = OrderTimeouts()


@dataclass
class Running:
    """A running order, in its world."""

    client: Client
    order_id: UUID
    world: World
    handle: WorkflowHandle[Any, str]
    commands: int = 0

    async def command(self, command: Command, *, id: str = "") -> CommandResult:  # noqa: A002
        self.commands += 1
        request = CommandRequest(id=id or f"c{self.commands}", command=command, actor="operator:eve")
        return await command_order(self.client, workflow_of(self.order_id), request)

    async def cancel_has_arrived(self) -> None:
        """Return when Temporal's own cancel has been given to a worker."""
        async with asyncio.timeout(30):
            asked = False
            async for event in self.handle.fetch_history_events(wait_new_event=True):
                asked = asked or event.HasField("workflow_execution_cancel_requested_event_attributes")
                if asked and event.HasField("workflow_task_completed_event_attributes"):
                    return

    async def reached(self, status: OrderStatus) -> None:
        await self.world.until(lambda: bool(self.world.entries) and self.world.entries[-1].status_after is status)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """The workflow does not outlive the test."""
        await end(self.client, self.order_id, self.world)


async def started(client: Client, name: str, world: World) -> Running:
    """An order that somebody else's workers run."""
    order_id = uuid5(NAMESPACE_OID, f"commands-{name}")
    await start_order(client, OrderStart(an_order(order_id), ["scenes"]))
    handle = client.get_workflow_handle(workflow_of(order_id), result_type=str)
    return Running(client, order_id, world, handle)


@asynccontextmanager
async def running(client: Client, name: str, world: World) -> AsyncIterator[Running]:
    """An order in a world; its workflow does not outlive the test."""
    async with playing(client, world), await started(client, name, world) as order:
        yield order


async def metadata(handle: WorkflowHandle[Any, Any]) -> WorkflowMetadata:
    found: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return found


async def details(handle: WorkflowHandle[Any, Any]) -> str:
    """What the Temporal UI shows of a workflow."""
    return str((await metadata(handle)).current_details)


async def shown(handle: WorkflowHandle[Any, Any], words: str) -> str:
    """What the Temporal UI shows as soon as it has these words, for a workflow goes on behind its activities."""
    async with asyncio.timeout(30):
        while words not in (text := await details(handle)):
            continue
    return text


async def offered_signals(handle: WorkflowHandle[Any, Any]) -> dict[str, str]:
    """The signals that the Temporal UI offers for a workflow, and what it says of each."""
    return {offer.name: offer.description for offer in (await metadata(handle)).definition.signal_definitions}


def endless() -> World:
    """A world in which staging lasts until it is cancelled."""

    async def for_ever(_: int) -> None:
        await asyncio.Event().wait()

    return World(gate=for_ever, terms=LONG)


async def staging(order: Running) -> None:
    await order.world.until(lambda: bool(order.world.staging))


def assert_whole_timeline(world: World) -> None:
    """Assert that the timeline has no gap and no double, and no change that the table does not allow."""
    assert [entry.sequence for entry in world.entries] == list(range(2, len(world.entries) + 2))
    statuses = [world.begins, *(entry.status_after for entry in world.entries)]
    assert [entry.status_before for entry in world.entries] == statuses[:-1]
    origin = None
    for before, after in pairwise(statuses):
        if after is not before:
            assert after in {advance(before, trigger, origin=origin) for trigger in TRANSITIONS[before]}
            origin = before
