"""What an order looks like to the one who waits for it: delivery status, progress and whom it waits for."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from models.errors import Failure, FailureCode
from models.order import FULFILLED, OrderStatus
from models.suborder import SubOrderState


class DeliveryStatus(StrEnum):
    """The words of the archive world."""

    WAITING_USER_DOWNLOAD = "Waiting user download"
    PENDING = "Pending"
    RUNNING = "Running"
    PAUSED = "Paused"
    DONE = "Done"
    DONE_WITH_WARNING = "Done with warning"
    FAILED = "Failed"
    EXPIRED = "Expired"
    CANCELLED = "Cancelled"
    DELETED = "Deleted"
    UNKNOWN = "Unknown"


_DELIVERY = {
    OrderStatus.DRAFT: DeliveryStatus.PENDING,
    OrderStatus.PENDING_PAYMENT: DeliveryStatus.PENDING,
    OrderStatus.PAYMENT_CONFIRMED: DeliveryStatus.PENDING,
    OrderStatus.VALIDATING: DeliveryStatus.RUNNING,
    OrderStatus.PROVISIONING: DeliveryStatus.RUNNING,
    OrderStatus.PAUSED: DeliveryStatus.PAUSED,
    OrderStatus.FULFILLED: DeliveryStatus.DONE,
    OrderStatus.FULFILLED_WITH_WARNINGS: DeliveryStatus.DONE_WITH_WARNING,
    OrderStatus.FAILED: DeliveryStatus.FAILED,
    OrderStatus.EXPIRED: DeliveryStatus.EXPIRED,
    OrderStatus.CANCELLED: DeliveryStatus.CANCELLED,
    OrderStatus.DELETED: DeliveryStatus.DELETED,
}


def delivery_status(status: str, *, waiting_for_user: bool) -> DeliveryStatus:
    """The delivery status of an order; a status this version does not know is `Unknown`."""
    if status not in set(OrderStatus):
        return DeliveryStatus.UNKNOWN
    if waiting_for_user:
        return DeliveryStatus.WAITING_USER_DOWNLOAD
    return _DELIVERY[OrderStatus(status)]


def is_waiting_for_user(status: OrderStatus, suborders: dict[SubOrderState, int]) -> bool:
    """Whether an archive is ready and not downloaded, and nothing more can move before it is.

    `suborders` counts the order's sub-orders by state.
    """
    if not suborders.get(SubOrderState.READY):
        return False
    if status in FULFILLED:
        return True
    moving = suborders.get(SubOrderState.PLANNED, 0) + suborders.get(SubOrderState.STAGING, 0)
    return status is OrderStatus.PROVISIONING and not moving and bool(suborders.get(SubOrderState.WAITING_SLOT))


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
    """The progress of an order; 100 % only when every file has settled, also where all files are empty."""
    settled = files_available + files_failed
    share = bytes_settled / bytes_total if bytes_total else settled / files_total if files_total else 0.0
    done = files_total > 0 and settled >= files_total
    return Progress(
        bytes_settled=bytes_settled,
        bytes_total=bytes_total,
        files_available=files_available,
        files_failed=files_failed,
        files_total=files_total,
        percent=100.0 if done else min(round(share * 100, 1), 99.9),
    )


class Actor(StrEnum):
    """Who can make a standing order move."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    STORAGE = "storage"
    NOBODY = "nobody"


class WaitingOn(BaseModel):
    """Why an order stands still, since when, and who can act."""

    model_config = ConfigDict(frozen=True)

    code: str
    text: str
    since: datetime
    who: Actor


_WAITING = {
    OrderStatus.DRAFT: ("not_submitted", "The order is a draft: submit it.", Actor.CUSTOMER),
    OrderStatus.PENDING_PAYMENT: ("payment", "The payment is not confirmed yet.", Actor.OPERATOR),
    OrderStatus.PAUSED: ("paused", "The order is paused: resume it.", Actor.CUSTOMER),
    OrderStatus.FAILED: ("failed", "The order failed: retry or cancel it.", Actor.OPERATOR),
}


def held_up(failure: Failure, since: datetime) -> WaitingOn:
    """What an order waits for while one of its steps is tried again by itself."""
    who = Actor.STORAGE if failure.code is FailureCode.SOURCE_UNAVAILABLE else Actor.OPERATOR
    text = f"{failure.text[:1].upper()}{failure.text[1:]}; it is tried again by itself."
    return WaitingOn(code=failure.code, text=text, since=since, who=who)


def waiting_on(
    status: OrderStatus,
    *,
    waiting_for_user: bool,
    is_free: bool,
    since: datetime,
    trouble: WaitingOn | None = None,
) -> WaitingOn | None:
    """What a standing order waits for, or None while it moves or is over; `trouble` is what holds its work up."""
    if trouble is not None:
        return trouble
    if waiting_for_user:
        text = "Archives are ready: download them."
        return WaitingOn(code="download", text=text, since=since, who=Actor.CUSTOMER)
    if status is OrderStatus.PENDING_PAYMENT and is_free:
        return None  # confirms itself in a moment
    if (found := _WAITING.get(status)) is None:
        return None
    code, text, who = found
    return WaitingOn(code=code, text=text, since=since, who=who)
