"""Translation of what Temporal raises in a workflow into a failure for the timeline."""

import asyncio

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    TerminatedError,
    TimeoutError,  # noqa: A004 - Temporal's own, which is what reaches a workflow
    TimeoutType,
)

from models.errors import Failure, FailureCode

NOT_GIVEN_UP = "2026-11-21-cancelled-not-given-up"
"""The patch since which nothing is given up that fails while it is being cancelled."""


def is_being_cancelled() -> bool:
    """Whether the present task is being cancelled: a pause or a cancel has come.

    Temporal retries no activity that is being cancelled. If such an activity fails, because its worker dies for
    example, the failure arrives after one attempt.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _root(error: BaseException) -> BaseException:
    while isinstance(error, FailureError) and error.cause is not None:
        error = error.cause
    return error


def root_type(error: BaseException) -> str | None:
    """The type of the root cause, where it is an ApplicationError."""
    cause = _root(error)
    return cause.type if isinstance(cause, ApplicationError) else None


def failure_of(error: ActivityError | ChildWorkflowError) -> Failure:
    """The failure that the root cause means."""
    cause = _root(error)
    if isinstance(cause, ApplicationError) and cause.type in set(FailureCode):
        return Failure(code=FailureCode(cause.type), text=cause.message)
    if isinstance(cause, TimeoutError):
        if cause.type is TimeoutType.HEARTBEAT:
            return Failure(code=FailureCode.WORKER_LOST, text="the worker that ran it has stopped")
        return Failure(code=FailureCode.TIMED_OUT, text="it took longer than allowed")
    if isinstance(cause, TerminatedError | CancelledError):
        text = "somebody ended its workflow in Temporal before it was done"
        return Failure(code=FailureCode.WORKFLOW_ENDED, text=text)
    return Failure(code=FailureCode.INTERNAL, text=f"internal error: {type(cause).__name__}")
