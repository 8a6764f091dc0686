"""Orders that somebody commands, for the recorder: their worlds, and what client and clock do to them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from models.messages import CommandRequest, ContinuedState, OrderTimeouts
from models.order import Command, OrderStatus
from temporal.commands import command_order
from tests.workflows.fakes import UNAVAILABLE, World, workflow_of
from workflows.policies import VALIDATE

S = OrderStatus
BRIEF = OrderTimeouts(
    draft_timeout=timedelta(seconds=1),
    payment_timeout=timedelta(seconds=1),
    keep_for=timedelta(seconds=2),
    remind_before=timedelta(seconds=1),
)
"""A recorder moves no clock: what expires has to expire soon. Long enough for a command in between."""


@dataclass(frozen=True)
class Commanded:
    """An order in its world, and the script of those who act on it."""

    client: Client
    order_id: UUID
    world: World

    async def reached(self, status: OrderStatus) -> None:
        await self.world.until(lambda: bool(self.world.entries) and self.world.entries[-1].status_after is status)

    async def command(self, command: Command) -> None:
        request = CommandRequest(id=f"c-{command}", command=command, actor="operator:eve")
        await command_order(self.client, workflow_of(self.order_id), request)

    async def signal(self, name: str) -> None:
        await self.client.get_workflow_handle(workflow_of(self.order_id)).signal(name)


Script = Callable[[Commanded], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """What is recorded of one order."""

    world: World
    script: Script
    carried: ContinuedState | None = None


async def _pay(order: Commanded) -> None:
    await order.command(Command.CONFIRM_PAYMENT)


async def _submit_and_pay(order: Commanded) -> None:
    await order.command(Command.SUBMIT)
    await order.command(Command.CONFIRM_PAYMENT)


async def _pause_and_resume(order: Commanded) -> None:
    """Also a resume that is refused."""
    await order.world.until(lambda: order.world.staging)
    await order.command(Command.PAUSE)
    await order.signal("retry")
    await order.world.until(lambda: "command_refused" in order.world.events)
    order.world.gate = _at_once
    await order.signal("resume")


async def _retry(order: Commanded) -> None:
    await order.reached(S.FULFILLED_WITH_WARNINGS)
    await order.command(Command.RETRY)


def _unavailable() -> ApplicationError:
    """The storage does not answer; a recorder cannot wait the minutes that ten attempts take."""
    failure = UNAVAILABLE.failure
    return ApplicationError(failure.text, type=failure.code, next_retry_delay=timedelta(milliseconds=1))


async def _unread(_: int) -> None:
    raise _unavailable()


async def _mend_and_retry(order: Commanded) -> None:
    """The machines are back when somebody retries."""
    await order.reached(S.FAILED)
    order.world.validation, order.world.gate = {}, _at_once
    await order.command(Command.RETRY)


async def _cancel(order: Commanded) -> None:
    await order.world.until(lambda: order.world.staging)
    await order.command(Command.CANCEL)


async def _resume(order: Commanded) -> None:
    await order.world.until(lambda: order.world.calls["open_order"])
    await order.command(Command.RESUME)


async def _wait(order: Commanded) -> None:
    """Nobody does anything."""


async def _at_once(_: int) -> None:
    pass


async def _for_ever(_: int) -> None:
    await asyncio.Event().wait()


def scenarios() -> Mapping[str, Scenario]:
    """Every path that a command or the clock makes an order take."""
    priced = OrderTimeouts(keep_for=timedelta(milliseconds=100), remind_before=timedelta())
    carried = ContinuedState(
        origin=S.PROVISIONING, obeyed=("c-pause",), expires_at=None, failed_files=1, reopened=True, seqs=(7,)
    )
    always = {attempt: _unavailable() for attempt in range(1, VALIDATE.retry.maximum_attempts + 1)}
    return {
        "paid": Scenario(World(is_free=False, terms=priced), _pay),
        "drafted": Scenario(World(is_free=False, begins=S.DRAFT, terms=priced), _submit_and_pay),
        "paused": Scenario(World(gate=_for_ever), _pause_and_resume),
        "retried": Scenario(World(suborders=[(1, 1), (2, 0)], mended=True, terms=BRIEF), _retry),
        "unanswered": Scenario(World(validation=always, terms=BRIEF), _mend_and_retry),
        "unread": Scenario(World(suborders=[(0, 2)], gate=_unread, mended=True, terms=BRIEF), _mend_and_retry),
        "cancelled": Scenario(World(gate=_for_ever), _cancel),
        "unpaid": Scenario(World(is_free=False, terms=BRIEF), _wait),
        "expired": Scenario(World(terms=BRIEF, left=1), _wait),
        "continued": Scenario(World(begins=S.PAUSED), _resume, carried),
    }
