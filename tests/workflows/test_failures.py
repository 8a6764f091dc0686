"""What reaches a workflow becomes a failure for the timeline: the root cause, in our words."""

import pytest
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    RetryState,
    TerminatedError,
    TimeoutError,  # noqa: A004 - Temporal's own
    TimeoutType,
)

from models.errors import FailureCode
from workflows.failures import failure_of


def of_activity(cause: FailureError) -> ActivityError:
    """What execute_activity raises."""
    error = ActivityError(
        "activity failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="stage_files",
        activity_id="1",
        retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
    )
    error.__cause__ = cause
    return error


def of_child(cause: FailureError) -> ChildWorkflowError:
    """What execute_child_workflow raises."""
    error = ChildWorkflowError(
        "child failed",
        namespace="default",
        workflow_id="w",
        run_id="r",
        workflow_type="suborder",
        initiated_event_id=1,
        started_event_id=2,
        retry_state=None,
    )
    error.__cause__ = cause
    return error


def timed_out(kind: TimeoutType) -> TimeoutError:
    return TimeoutError("timed out", type=kind, last_heartbeat_details=[])


@pytest.mark.parametrize("code", FailureCode)
def test_a_failure_of_ours_keeps_its_code_and_sentence(code: FailureCode) -> None:
    failure = failure_of(of_activity(ApplicationError("a sentence", type=code)))
    assert (failure.code, failure.text) == (code, "a sentence")


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (timed_out(TimeoutType.HEARTBEAT), FailureCode.WORKER_LOST),
        (timed_out(TimeoutType.START_TO_CLOSE), FailureCode.TIMED_OUT),
        (timed_out(TimeoutType.SCHEDULE_TO_CLOSE), FailureCode.TIMED_OUT),
        (ApplicationError("secret", type="ValueError"), FailureCode.INTERNAL),
        (ApplicationError("secret"), FailureCode.INTERNAL),
        (CancelledError("secret"), FailureCode.WORKFLOW_ENDED),
        (TerminatedError("secret"), FailureCode.WORKFLOW_ENDED),
    ],
)
def test_what_is_not_ours_gets_the_nearest_code_and_a_sentence_of_ours(cause: FailureError, code: FailureCode) -> None:
    failure = failure_of(of_activity(cause))
    assert failure.code is code
    assert "secret" not in failure.text


def test_the_root_cause_counts_however_deep_it_lies() -> None:
    root = ApplicationError("the storage does not answer", type=FailureCode.SOURCE_UNAVAILABLE)
    assert failure_of(of_child(of_activity(root))).code is FailureCode.SOURCE_UNAVAILABLE


def test_a_timeout_after_a_failure_of_ours_tells_the_failure() -> None:
    timeout = timed_out(TimeoutType.SCHEDULE_TO_CLOSE)
    timeout.__cause__ = ApplicationError("a.tif is not there", type=FailureCode.SOURCE_MISSING)
    assert failure_of(of_activity(timeout)).code is FailureCode.SOURCE_MISSING
