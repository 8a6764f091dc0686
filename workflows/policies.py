"""How long each activity may take, how often it is tried and where it runs: one value each, with the reason."""

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, TypeVarTuple

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from models.errors import FailureCode
    from models.messages import DELIVERIES_QUEUE, PACKAGING_QUEUE

from workflows.failures import is_being_cancelled, root_type

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True)
class ActivityPolicy:
    """The options with which an activity is executed; all that differs from call to call is its summary.

    Where `waits_for_cancel`, a cancelled workflow waits until the activity has stopped.
    """

    start_to_close: timedelta
    retry: RetryPolicy
    heartbeat: timedelta | None = None
    queue: str | None = None
    waits_for_cancel: bool = False

    async def execute(
        self, activity: Callable[[Any, *Arguments], Awaitable[Result]], *arguments: *Arguments, summary: str
    ) -> Result:
        """Execute an activity under this policy. Raises ActivityError."""
        return await workflow.execute_activity_method(
            activity,
            args=arguments,
            task_queue=self.queue,
            start_to_close_timeout=self.start_to_close,
            heartbeat_timeout=self.heartbeat,
            retry_policy=self.retry,
            cancellation_type=(
                ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
                if self.waits_for_cancel
                else ActivityCancellationType.TRY_CANCEL
            ),
            summary=summary,
        )

    async def execute_in_turn(
        self, activity: Callable[[Any, *Arguments], Awaitable[Result]], *arguments: *Arguments, summary: str
    ) -> Result:
        """Execute it, and where too many wait for the same storage ask again, less and less often; that is no try.

        Raises ActivityError.
        """
        pause = _SHORTEST_TURN
        while True:
            try:
                return await self.execute(activity, *arguments, summary=summary)
            except ActivityError as error:
                if root_type(error) != FailureCode.SOURCE_BUSY or is_being_cancelled():
                    raise
            await workflow.sleep(pause, summary="Wait for a turn: too many wait for the same storage")
            pause = min(2 * pause, _LONGEST_TURN)


# A worker has a dozen in hand that wait for the same storage, so none of its threads is idle meanwhile; at five minutes
# a history has room for weeks.
_SHORTEST_TURN, _LONGEST_TURN = timedelta(seconds=10), timedelta(minutes=5)

_ENDLESS = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30), maximum_attempts=0
)
_TEN_TRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=1),
    maximum_attempts=10,
)

# A turn that has to be waited for is no try: the workflow asks again, see `execute_in_turn`.
_AT_A_STORAGE = dataclasses.replace(_TEN_TRIES, non_retryable_error_types=[FailureCode.SOURCE_BUSY])

# PostgreSQL shows what the workflow decided; giving up would leave a wrong status there, so this never does.
RECORD = ActivityPolicy(timedelta(seconds=20), _ENDLESS)

# Short transactions whose result the workflow cannot continue without.
TRANSACTION = ActivityPolicy(timedelta(seconds=20), _ENDLESS)

# A million files are checked in minutes. Ten tries take four minutes: longer than a reboot of the storage.
VALIDATE = ActivityPolicy(timedelta(hours=1), _AT_A_STORAGE, heartbeat=timedelta(seconds=60), waits_for_cancel=True)

# One transaction, a COPY of a million rows at most. The heartbeat finds a killed worker.
PLAN = ActivityPolicy(timedelta(hours=1), _TEN_TRIES, heartbeat=timedelta(seconds=20))

# 2 GiB take seconds, but an object may have terabytes; a missing heartbeat tells that the worker has died. An order is
# paused only when no byte is read any more, so a cancel waits until the activity has stopped.
STAGE = ActivityPolicy(
    timedelta(days=2),
    _AT_A_STORAGE,
    heartbeat=timedelta(seconds=20),
    queue=PACKAGING_QUEUE,
    waits_for_cancel=True,
)

# Rows of one sub-order and a compare-and-set; its archive is known to be good, so it is never given up.
# Superseded, it needs a new attempt number, which the sub-order workflow gets by staging again. The heartbeat finds a
# killed worker long before the five minutes are over.
PUBLISH = ActivityPolicy(
    timedelta(minutes=5),
    dataclasses.replace(_ENDLESS, non_retryable_error_types=["superseded"]),
    heartbeat=timedelta(seconds=20),
)

# A customer's bucket may be unavailable for longer than our own disks: twenty tries take about an hour. Meanwhile the
# archive can be downloaded. A cancel waits until nothing is written any more.
DELIVER = ActivityPolicy(
    timedelta(days=2),
    dataclasses.replace(_AT_A_STORAGE, maximum_interval=timedelta(minutes=5), maximum_attempts=20),
    heartbeat=timedelta(seconds=30),
    queue=DELIVERIES_QUEUE,
    waits_for_cancel=True,
)

# The activity limits the tries of each order itself; only PostgreSQL or Temporal can stop a whole page, and both come
# back. A cancel waits until the order in hand is done.
BULK = ActivityPolicy(timedelta(hours=1), _ENDLESS, heartbeat=timedelta(seconds=10), waits_for_cancel=True)

# The schedule runs it again in half a minute anyway.
RECONCILE = ActivityPolicy(timedelta(minutes=10), RetryPolicy(maximum_attempts=3), heartbeat=timedelta(seconds=30))
