"""The one place that turns errors of libraries into failures, and failures into what Temporal retries or not."""

import asyncio
from typing import Any

import psycopg
import sqlalchemy.exc
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from models.errors import Failed, Failure, FailureCode
from models.messages import number_in
from storage.sources.protocol import failed_by

log = structlog.get_logger()


def failure_of(error: BaseException) -> Failure:
    """The failure an error means; an unknown error is an internal one."""
    match error:
        case Failed():
            return error.failure
        case sqlalchemy.exc.DBAPIError(orig=psycopg.errors.DiskFull()):
            return Failure(code=FailureCode.DISK_FULL, text="the database has no room left")
        case sqlalchemy.exc.OperationalError() | sqlalchemy.exc.InterfaceError() | psycopg.OperationalError():
            return Failure(code=FailureCode.DATABASE_UNAVAILABLE, text="the database does not answer")
        case sqlalchemy.exc.TimeoutError():
            return Failure(code=FailureCode.DATABASE_UNAVAILABLE, text="no database connection became free in time")
        case TimeoutError():
            return Failure(code=FailureCode.TIMED_OUT, text="the work took too long")
        case OSError():
            return failed_by(error, error.filename or "the machine").failure
        case MemoryError():
            return Failure(code=FailureCode.OUT_OF_MEMORY, text="memory is short")
    return Failure(code=FailureCode.INTERNAL, text=f"internal error: {type(error).__name__}")


class FailureInterceptor(Interceptor):
    """Makes every activity fail in our words: the type is the failure's code, the message its sentence."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap one activity."""
        return _Translating(next)


class _Translating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        with structlog.contextvars.bound_contextvars(**_subject(input.args[0] if input.args else None)):
            return await self._translated(input)

    async def _translated(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        try:
            return await self.next.execute_activity(input)
        except (FailureError, CancelledError, asyncio.CancelledError):
            raise
        except Exception as error:
            failure = failure_of(error)
            # The traceback of what is nobody's fault but ours goes to the log; Temporal gets a sentence and no stack.
            ours = failure.code is FailureCode.INTERNAL
            log.log(40 if ours else 30, failure.text, code=failure.code.value, exc_info=ours)
            raise ApplicationError(failure.text, type=failure.code, non_retryable=not failure.retryable) from None


def _subject(message: object) -> dict[str, Any]:
    """What every log line of the running activity says it is about."""
    info = activity.info()
    order_id = getattr(message, "order_id", None)
    about = {"activity": info.activity_type, "workflow": info.workflow_id, "attempt": info.attempt}
    if order_id is None:
        return about
    # Of workflows from before their ids had it, the number is not known here.
    number = number_in(info.workflow_id or "")
    return {"order": str(order_id), **({"number": number} if number else {}), **about}
