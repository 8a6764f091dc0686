"""What an order looks like to the one who waits for it: delivery status, progress and whom it waits for."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from models.destination import DestinationKind
from models.errors import DESTINATION_FAILURES, Failure, FailureCode
from models.labels import counted
from models.order import FULFILLED, OrderStatus
from models.status_facts import BRIEF, DELIVERY, MOVES_BY_ITSELF, ORDER_FACTS, WAITING_FOR_USER, Actor, DeliveryStatus
from models.steps import Step
from models.suborder import SubOrderState

A_MOMENT = timedelta(seconds=15)
"""How long a status that lasts no time may last: a worker that is there has taken the order further by then."""


def delivery_status(status: str, *, waiting_for_user: bool) -> DeliveryStatus:
    """The delivery status of an order; a status this version does not know is `Unknown`."""
    if status not in set(OrderStatus):
        return DeliveryStatus.UNKNOWN
    if waiting_for_user:
        return DeliveryStatus.WAITING_USER_DOWNLOAD
    return DELIVERY[OrderStatus(status)]


def is_waiting_for_user(status: OrderStatus, suborders: Mapping[SubOrderState, int]) -> bool:
    """Whether an order waits for its user; `suborders` counts its sub-orders by state."""
    if (condition := WAITING_FOR_USER.get(status)) is None:
        return False
    return all(suborders.get(s) for s in condition.some) and not any(suborders.get(s) for s in condition.none)


class Progress(BaseModel):
    """How far an order is: bytes and files settled (delivered or failed) of all."""

    model_config = ConfigDict(frozen=True)

    bytes_settled: int
    bytes_total: int
    files_available: int
    files_failed: int
    files_total: int
    percent: float


def progress(
    *, bytes_settled: int, bytes_total: int, files_available: int, files_failed: int, files_total: int
) -> Progress:
    """The progress of an order; 100 % only when every file has settled, also where all files are empty.

    In whole per mille, rounded down: exports compute the same in SQL, digit for digit.
    """
    settled = files_available + files_failed
    done, total = (bytes_settled, bytes_total) if bytes_total else (settled, files_total)
    per_mille = 1000 if 0 < files_total <= settled else min(done * 1000 // total, 999) if total else 0
    return Progress(
        bytes_settled=bytes_settled,
        bytes_total=bytes_total,
        files_available=files_available,
        files_failed=files_failed,
        files_total=files_total,
        percent=per_mille / 10,
    )


class WaitingOn(BaseModel):
    """Why an order stands still, since when, and who can act.

    While a step is tried again by itself: which step of which sub-order, how often it was tried, and when it is next.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    text: str
    since: datetime
    who: Actor
    step: Step | None = None
    suborder: int | None = None
    attempts: int | None = None
    next_try_at: datetime | None = None


class Machinery(NamedTuple):
    """What every order needs to move, as of `now`: since when Temporal, or all workers, have been gone."""

    now: datetime
    temporal_gone_at: datetime | None = None
    workers_gone_at: datetime | None = None


class RetriedStep(NamedTuple):
    """A step that is tried again by itself, and where its order's archives go."""

    step: Step
    suborder: int | None
    failure: Failure
    since: datetime
    attempts: int = 1
    next_try_at: datetime | None = None
    destination: DestinationKind | None = None


def held_up(retried: RetriedStep) -> WaitingOn:
    """What an order waits for while one of its steps is tried again by itself."""
    failure = retried.failure
    text = f"{failure.text[:1].upper()}{failure.text[1:]}; it is tried again by itself."
    if retried.step is Step.DELIVERING:
        text += " Meanwhile the archive can be downloaded."
    return WaitingOn(
        code=failure.code,
        text=text,
        since=retried.since,
        who=who_can_act(failure.code, retried.destination),
        step=retried.step,
        suborder=retried.suborder,
        attempts=retried.attempts,
        next_try_at=retried.next_try_at,
    )


def who_can_act(code: FailureCode, destination: DestinationKind | None) -> Actor:
    """Who can end what is tried again and again.

    A bucket is its customer's; a folder lies on machines of ours, though customers choose it.
    """
    if code is FailureCode.SOURCE_UNAVAILABLE:
        return Actor.STORAGE
    if code in DESTINATION_FAILURES and destination is not DestinationKind.LOCAL:
        return Actor.CUSTOMER
    return Actor.OPERATOR


def waiting_on(
    status: OrderStatus,
    *,
    waiting_for_user: bool,
    is_free: bool,
    since: datetime,
    blocker: WaitingOn | None = None,
    machinery: Machinery | None = None,
    failed_parts: int = 0,
) -> WaitingOn | None:
    """What a standing order waits for, or None while it moves or is over; `blocker` is what holds its work up.

    `failed_parts` are sub-orders of which nothing can be had, or not any more.
    """
    if blocker is not None:
        return blocker
    if waiting_for_user:
        text = "Archives are ready: download them."
        return WaitingOn(code="download", text=text, since=since, who=Actor.CUSTOMER)
    confirms_itself = status is OrderStatus.PENDING_PAYMENT and is_free
    if confirms_itself or status in MOVES_BY_ITSELF:
        return _stopped(machinery, since, is_at_once=status in BRIEF or confirms_itself) if machinery else None
    if failed_parts and status in FULFILLED:
        text = (
            f"Nothing can be had of {counted(failed_parts, 'part')}: mend the files that failed, then retry the order."
        )
        return WaitingOn(code="failed_files", text=text, since=since, who=Actor.OPERATOR)
    if (message := ORDER_FACTS[status].waiting) is None:
        return None
    return WaitingOn(**message._asdict(), since=since)


def _stopped(machinery: Machinery, since: datetime, *, is_at_once: bool) -> WaitingOn | None:
    """Why an order that should move by itself does not, where nothing of its own is in the way.

    `is_at_once`: any worker would have taken it further within a moment.
    """
    if machinery.temporal_gone_at is not None:
        text = "Temporal does not answer; the order goes on when it does."
        return WaitingOn(code="temporal", text=text, since=max(since, machinery.temporal_gone_at), who=Actor.OPERATOR)
    text = "No worker takes it up: is one running, and is it busy? The order goes on when one does."
    if machinery.workers_gone_at is not None:
        return WaitingOn(code="worker", text=text, since=max(since, machinery.workers_gone_at), who=Actor.OPERATOR)
    if is_at_once and machinery.now - since > A_MOMENT:
        return WaitingOn(code="worker", text=text, since=since, who=Actor.OPERATOR)
    return None
