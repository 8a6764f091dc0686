"""How long each activity may take and how often it is tried: one line each, with the reason."""

import dataclasses
from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

_FOR_EVER = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30), maximum_attempts=0
)
_PATIENT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=1),
    maximum_attempts=10,
)

# PostgreSQL shows what the workflow decided; giving up would leave a lie there, so this one never does.
RECORD: dict[str, Any] = {"start_to_close_timeout": timedelta(seconds=20), "retry_policy": _FOR_EVER}

# Small reads the workflow cannot go on without.
READ: dict[str, Any] = {"start_to_close_timeout": timedelta(seconds=20), "retry_policy": _FOR_EVER}

# A million files are looked at in minutes. Ten tries take four minutes: longer than a reboot of the storage.
VALIDATE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(hours=1),
    "heartbeat_timeout": timedelta(seconds=60),
    "retry_policy": _PATIENT,
}

# One transaction, a COPY of a million rows at most.
PLAN: dict[str, Any] = {
    "start_to_close_timeout": timedelta(hours=1),
    "heartbeat_timeout": timedelta(seconds=120),
    "retry_policy": _PATIENT,
}

# 2 GiB take seconds, but an object may have terabytes; a worker that dies is noticed by its missing heartbeat.
STAGE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(days=2),
    "heartbeat_timeout": timedelta(seconds=20),
    "retry_policy": _PATIENT,
}

# Rows of one sub-order and a compare-and-set; its archive is known to be good, so it is never given up.
# Superseded, it needs a new number, which the sub-order workflow gets by staging again. Nobody waits five minutes for a
# worker that was killed meanwhile: its heartbeat is missed before.
PUBLISH: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=5),
    "heartbeat_timeout": timedelta(seconds=20),
    "retry_policy": dataclasses.replace(_FOR_EVER, non_retryable_error_types=["superseded"]),
}

# A customer's bucket may be away for longer than our own disks: twenty tries take about an hour. Nobody waits for it
# who wants to download instead.
DELIVER: dict[str, Any] = {
    "start_to_close_timeout": timedelta(days=2),
    "heartbeat_timeout": timedelta(seconds=30),
    "retry_policy": dataclasses.replace(_PATIENT, maximum_interval=timedelta(minutes=5), maximum_attempts=20),
}

# Each order has its own patience, within; what stops a whole page is PostgreSQL or Temporal, and they come back.
# A cancel waits until no order is in the midst of it.
BULK: dict[str, Any] = {
    "start_to_close_timeout": timedelta(hours=1),
    "heartbeat_timeout": timedelta(seconds=10),
    "retry_policy": _FOR_EVER,
    "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}

# The schedule comes again in half a minute anyway.
RECONCILE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(maximum_attempts=3),
}
