"""Errors of libraries become failures in our words, and Temporal retries what may pass."""

import asyncio
import errno
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
import structlog
from structlog.testing import capture_logs
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.failures import FailureInterceptor, failure_of
from activities.orders import OrderActivities
from activities.settling import Superseded
from cli.dev.ports import any_free
from database.engine import make_engine, make_sessions
from models.errors import Failed, FailureCode
from models.messages import OrderRef, new_order_workflow_id
from tests.activities.builders import Sessions, attempt_of, placed

NOBODY = UUID(int=7)
CODES = {
    FailureCode.CHECKSUM_MISMATCH: Failed(FailureCode.CHECKSUM_MISMATCH, "a.tif is not what was promised"),
    FailureCode.SOURCE_MISSING: FileNotFoundError(errno.ENOENT, "gone", "a.tif"),
    FailureCode.SOURCE_FORBIDDEN: PermissionError(errno.EACCES, "denied", "a.tif"),
    FailureCode.TOO_MANY_OPEN_FILES: OSError(errno.EMFILE, "too many", "a.tif"),
    FailureCode.SOURCE_UNAVAILABLE: OSError(errno.EIO, "input/output error"),
    FailureCode.OUT_OF_MEMORY: MemoryError(),
    FailureCode.TIMED_OUT: TimeoutError(),
    FailureCode.DISK_FULL: sa.exc.DBAPIError("COPY", None, psycopg.errors.DiskFull()),
    FailureCode.DATABASE_UNAVAILABLE: sa.exc.OperationalError("SELECT 1", None, psycopg.OperationalError()),
    FailureCode.INTERNAL: ValueError("secret of the caller"),
}


class Failing(ActivityInboundInterceptor):
    """The innermost end of the chain: an activity that fails."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        raise self.error


class Calling(ActivityInboundInterceptor):
    """The innermost end of the chain: a real activity."""

    def __init__(self) -> None:
        """Nothing comes after it."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        return await input.fn(*input.args)


async def through(innermost: ActivityInboundInterceptor, fn: Any = None, *args: Any) -> Any:
    """What comes out of the interceptor."""
    chain = FailureInterceptor().intercept_activity(innermost)
    given = ExecuteActivityInput(fn=fn, args=args, executor=None, headers={})
    return await ActivityEnvironment().run(chain.execute_activity, given)


@pytest.mark.parametrize(
    ("workflow", "number"),
    [(new_order_workflow_id("CO-2026-000018", NOBODY), "CO-2026-000018"), (f"order-{NOBODY}", None)],
)
async def test_a_log_line_of_an_activity_says_order_number_workflow_attempt_and_code(
    workflow: str, number: str | None
) -> None:
    chain = FailureInterceptor().intercept_activity(Failing(CODES[FailureCode.DISK_FULL]))
    given = ExecuteActivityInput(fn=through, args=[OrderRef(order_id=NOBODY)], executor=None, headers={})
    environment = attempt_of(2)
    environment.info = replace(environment.info, workflow_id=f"{workflow}/sub-1")
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs, pytest.raises(ApplicationError):
        await environment.run(chain.execute_activity, given)
    (line,) = logs
    said = {name: line.get(name) for name in ("order", "number", "workflow", "attempt", "code")}
    expected = {"order": str(NOBODY), "number": number, "workflow": f"{workflow}/sub-1", "attempt": 2}
    assert said == expected | {"code": "disk_full"}


@pytest.mark.parametrize("code", CODES)
def test_an_error_is_told_in_our_words(code: FailureCode) -> None:
    assert failure_of(CODES[code]).code is code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sa.exc.TimeoutError(), FailureCode.DATABASE_UNAVAILABLE),
        (sa.exc.InterfaceError("SELECT 1", None, psycopg.InterfaceError()), FailureCode.DATABASE_UNAVAILABLE),
        (psycopg.OperationalError(), FailureCode.DATABASE_UNAVAILABLE),
        (sa.exc.IntegrityError("INSERT", None, psycopg.errors.UniqueViolation()), FailureCode.INTERNAL),
        (OSError(errno.ENOSPC, "full"), FailureCode.DISK_FULL),
    ],
)
def test_so_are_their_relatives(error: Exception, code: FailureCode) -> None:
    assert failure_of(error).code is code


@pytest.mark.parametrize("code", CODES)
async def test_what_may_pass_is_retried_and_what_cannot_is_not(code: FailureCode) -> None:
    with pytest.raises(ApplicationError) as caught:
        await through(Failing(CODES[code]))
    failure = failure_of(CODES[code])
    assert (caught.value.type, caught.value.message) == (code, failure.text)
    assert caught.value.non_retryable is not failure.retryable
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


async def test_an_error_nobody_foresaw_names_its_class_and_nothing_of_its_content() -> None:
    with pytest.raises(ApplicationError) as caught:
        await through(Failing(ValueError("secret of the caller")))
    assert caught.value.message == "internal error: ValueError"
    assert not caught.value.non_retryable


@pytest.mark.parametrize("error", [Superseded(), CancelledError(), asyncio.CancelledError()])
async def test_what_is_temporals_own_passes_unchanged(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        await through(Failing(error))
    assert caught.value is error


async def test_a_result_passes_unchanged(sessions: Sessions, tmp_path: Path) -> None:
    order = await placed(sessions, tmp_path)
    activity = OrderActivities(sessions).open_order
    brief = await through(Calling(), activity, OrderRef(order_id=order.id))
    assert brief.number == order.number


async def test_a_database_that_is_away_is_a_failure_to_be_retried(sessions: Sessions, tmp_path: Path) -> None:
    order = await placed(sessions, tmp_path)
    engine = make_engine(f"postgresql://nobody@127.0.0.1:{any_free()}/nothing")
    activity = OrderActivities(make_sessions(engine)).open_order
    with pytest.raises(ApplicationError, match="the database does not answer") as caught:
        await through(Calling(), activity, OrderRef(order_id=order.id))
    await engine.dispose()
    assert caught.value.type == FailureCode.DATABASE_UNAVAILABLE
    assert not caught.value.non_retryable
