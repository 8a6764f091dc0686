"""Blockers: records why a step is tried again, so that the order shows it meanwhile.

Every activity runs inside `recording_blocker`: nothing that concerns an order is tried again in silence.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.exceptions import CancelledError, FailureError
from temporalio.service import RPCError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.failures import failure_of
from models.delivery_status import who_can_act
from models.destination import DestinationKind
from models.errors import Failure, FailureCode
from models.messages import BLOCKED_SIGNAL, BlockerNote, order_workflow_id
from models.queries import blockers as queries
from models.queries.destinations import destination_of_order
from models.queries.orders import workflow_kept_of
from models.steps import STEP_FACTS, STEPS, Step

claimed_attempt: ContextVar[int | None] = ContextVar("claimed_attempt", default=None)
"""The number under which the running activity has claimed its sub-order: a later claim forbids it to note anything."""

_LONGEST_WITHOUT_MAXIMUM = 100
"""Temporal's longest pause, in first pauses, where a policy names none."""

Tell = Callable[[str, BlockerNote], Awaitable[None]]
"""Tells the workflow of an order, by its id, what holds it up."""


@dataclass(frozen=True)
class BlockerScope:
    """What a step belongs to: an order, or one sub-order of it (`number`; 0 for the order itself)."""

    order_id: UUID
    step: Step
    number: int = queries.OF_THE_ORDER

    @classmethod
    def of(cls, message: object) -> "BlockerScope | None":
        """The scope of the running activity, given its message; None where it is about no single order."""
        step, order_id = STEPS.get(activity.info().activity_type), getattr(message, "order_id", None)
        if step is None or not isinstance(order_id, UUID):
            return None
        return cls(order_id, step, getattr(message, "number", queries.OF_THE_ORDER))


class BlockerInterceptor(Interceptor):
    """Runs every activity inside `recording_blocker`."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap one activity."""
        return _Recording(next, self._sessions)


class _Recording(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, sessions: async_sessionmaker[AsyncSession]) -> None:
        super().__init__(inner)
        self._sessions = sessions

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        message = input.args[0] if input.args else None
        async with recording_blocker(self._sessions, message, _tell_workflow):
            return await self.next.execute_activity(input)


async def _tell_workflow(workflow_id: str, note: BlockerNote) -> None:
    """Have the Temporal UI show it, too; where that fails, the order itself still does."""
    with suppress(RPCError, RuntimeError, TimeoutError):
        await activity.client().get_workflow_handle(workflow_id).signal(BLOCKED_SIGNAL, note)


@asynccontextmanager
async def recording_blocker(
    sessions: async_sessionmaker[AsyncSession], message: object, tell: Tell | None = None
) -> AsyncIterator[None]:
    """Record why the activity in the block will be tried again; when it succeeds after all, the record goes."""
    scope = BlockerScope.of(message)
    token = claimed_attempt.set(None)
    try:
        yield
    except (FailureError, CancelledError, asyncio.CancelledError):
        raise
    except Exception as error:
        failure, pause = failure_of(error), _next_pause()
        # Of whoever waits for a turn the workflow says when it asks again, however often that was.
        waits = failure.code is FailureCode.SOURCE_BUSY
        if scope is not None and failure.retryable and (waits or pause is not None):
            await _note(sessions, scope, failure, None if waits else pause, tell)
        raise
    else:
        if activity.info().attempt > 1:
            await clear_blocker(sessions, message)
    finally:
        claimed_attempt.reset(token)


async def note_waiting(sessions: async_sessionmaker[AsyncSession], message: object, failure: Failure) -> None:
    """Record for what the running activity waits, though nothing of it has failed."""
    if (scope := BlockerScope.of(message)) is not None:
        await _note(sessions, scope, failure, None, _tell_workflow)


async def clear_blocker(sessions: async_sessionmaker[AsyncSession], message: object) -> None:
    """The running activity goes on or has succeeded: what it met before holds nothing up any more."""
    if (scope := BlockerScope.of(message)) is not None:
        async with sessions.begin() as session:
            await session.execute(queries.clear_of_step(scope.order_id, scope.number, scope.step))


def _next_pause() -> timedelta | None:
    """How long Temporal waits before the next attempt; None where this was the last one."""
    info = activity.info()
    if (policy := info.retry_policy) is None:
        return timedelta()
    if policy.maximum_attempts and info.attempt >= policy.maximum_attempts:
        return None
    longest = policy.maximum_interval or policy.initial_interval * _LONGEST_WITHOUT_MAXIMUM
    # Far attempts would overflow, and have long reached the longest pause.
    grown: timedelta = policy.initial_interval * policy.backoff_coefficient ** min(info.attempt - 1, 32)
    return min(grown, longest)


async def _note(
    sessions: async_sessionmaker[AsyncSession],
    scope: BlockerScope,
    failure: Failure,
    pause: timedelta | None,
    tell: Tell | None,
) -> None:
    facts, attempts = STEP_FACTS[scope.step], activity.info().attempt
    values = {
        "order_id": scope.order_id,
        "number": scope.number,
        "attempt": claimed_attempt.get(),
        "step": scope.step.value,
        "code": failure.code.value,
        "text": failure.text,
        "attempts": attempts,
        "next_try_at": None if pause is None else datetime.now(UTC) + pause,
        "statuses": sorted(facts.statuses) or None,
        "states": sorted(facts.suborders) or None,
    }
    of_suborder = scope.number != queries.OF_THE_ORDER
    statement = queries.NOTE_OF_SUBORDER if of_suborder else queries.NOTE_OF_ORDER
    # An unavailable database records nothing; the API reports that by itself.
    with suppress(SQLAlchemyError, OSError):
        async with sessions.begin() as session:
            known = (
                await session.execute(queries.code_of(scope.order_id, scope.number, scope.step))
            ).scalar_one_or_none()
            written = (await session.execute(statement, values)).one_or_none() is not None
            kept = (await session.execute(workflow_kept_of(scope.order_id))).scalar_one_or_none()
            place = (await session.execute(destination_of_order(scope.order_id))).scalar_one_or_none()
        if written and known != failure.code and tell is not None:
            who = who_can_act(failure.code, DestinationKind(place.kind) if place else None)
            note = BlockerNote(number=scope.number, step=scope.step, failure=failure, who=who)
            await tell(order_workflow_id(scope.order_id, kept), note)
