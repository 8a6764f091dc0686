"""The lifecycle of an order: its statuses, the one transition table, and all that is derived from them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from models.errors import IllegalTransition


class OrderStatus(StrEnum):
    """Where an order stands; kept by its workflow, projected to PostgreSQL."""

    DRAFT = "draft"
    PENDING_PAYMENT = "pending_payment"
    PAYMENT_CONFIRMED = "payment_confirmed"
    VALIDATING = "validating"
    PROVISIONING = "provisioning"
    PAUSED = "paused"
    FULFILLED = "fulfilled"
    FULFILLED_WITH_WARNINGS = "fulfilled_with_warnings"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DELETED = "deleted"


class Command(StrEnum):
    """What somebody may ask of an order."""

    SUBMIT = "submit"
    CONFIRM_PAYMENT = "confirm_payment"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"


class Event(StrEnum):
    """What happens to an order without anybody asking."""

    STARTED = "started"
    VALIDATED = "validated"
    REFUSED = "refused"
    SETTLED = "settled"
    SETTLED_WITH_FAILURES = "settled_with_failures"
    SETTLED_FAILED = "settled_failed"
    FILES_LOST = "files_lost"
    ABANDONED = "abandoned"
    PAYMENT_TIMED_OUT = "payment_timed_out"
    EXPIRED = "expired"


Trigger = Command | Event


class Return(StrEnum):
    """The target of a transition that leads back to the status the order came from."""

    WHERE_IT_WAS = "where it was"


S, C, E = OrderStatus, Command, Event
_BACK = Return.WHERE_IT_WAS

TRANSITIONS: Mapping[OrderStatus, Mapping[Trigger, OrderStatus | Return]] = MappingProxyType(
    {
        S.DRAFT: {C.SUBMIT: S.PENDING_PAYMENT, C.CANCEL: S.CANCELLED, E.ABANDONED: S.CANCELLED},
        S.PENDING_PAYMENT: {
            C.CONFIRM_PAYMENT: S.PAYMENT_CONFIRMED,
            C.CANCEL: S.CANCELLED,
            E.PAYMENT_TIMED_OUT: S.CANCELLED,
        },
        S.PAYMENT_CONFIRMED: {
            E.STARTED: S.VALIDATING,
            C.PAUSE: S.PAUSED,
            C.CANCEL: S.CANCELLED,
            E.EXPIRED: S.EXPIRED,
        },
        S.VALIDATING: {
            E.VALIDATED: S.PROVISIONING,
            E.REFUSED: S.FAILED,
            C.PAUSE: S.PAUSED,
            C.CANCEL: S.CANCELLED,
            E.EXPIRED: S.EXPIRED,
        },
        S.PROVISIONING: {
            E.SETTLED: S.FULFILLED,
            E.SETTLED_WITH_FAILURES: S.FULFILLED_WITH_WARNINGS,
            E.SETTLED_FAILED: S.FAILED,
            C.PAUSE: S.PAUSED,
            C.CANCEL: S.CANCELLED,
            E.EXPIRED: S.EXPIRED,
        },
        S.PAUSED: {C.RESUME: _BACK, C.CANCEL: S.CANCELLED, E.EXPIRED: S.EXPIRED},
        S.FULFILLED: {E.FILES_LOST: S.FULFILLED_WITH_WARNINGS, E.EXPIRED: S.EXPIRED, C.DELETE: S.DELETED},
        S.FULFILLED_WITH_WARNINGS: {C.RETRY: S.PROVISIONING, E.EXPIRED: S.EXPIRED, C.DELETE: S.DELETED},
        S.FAILED: {C.RETRY: _BACK, C.CANCEL: S.CANCELLED, E.EXPIRED: S.EXPIRED, C.DELETE: S.DELETED},
        S.CANCELLED: {C.DELETE: S.DELETED},
        S.EXPIRED: {C.DELETE: S.DELETED},
        S.DELETED: {},
    }
)

TERMINAL = frozenset(s for s, row in TRANSITIONS.items() if not set(row.values()) - {S.DELETED})
"""Statuses after which nothing is ever fulfilled again."""

FULFILLED = frozenset({S.FULFILLED, S.FULFILLED_WITH_WARNINGS})
EXTENDABLE = FULFILLED | {S.FAILED}
"""Statuses in which the end of an order's life can be moved."""
"""Statuses in which all that could be delivered is there to be downloaded."""

BEFORE_PAYMENT = frozenset(s for s, row in TRANSITIONS.items() if S.PENDING_PAYMENT in {s, *row.values()})
"""Statuses in which nothing has been paid yet."""

BULK_CANCELLABLE = frozenset({S.DRAFT, S.PENDING_PAYMENT})
"""What a bulk cancel may touch; narrower than the table on purpose (DESIGN §2)."""


def advance(status: OrderStatus, trigger: Trigger, *, origin: OrderStatus | None = None) -> OrderStatus:
    """The status after `trigger`; `origin` is the status before the present one, for the ways back.

    Raises IllegalTransition where the table has no such row, or where no way leads back to the origin.
    """
    target = TRANSITIONS[status].get(trigger)
    if target is Return.WHERE_IT_WAS:
        target = origin if origin is not None and status in TRANSITIONS[origin].values() else None
    if not isinstance(target, OrderStatus):
        raise IllegalTransition(trigger, status, allowed_actions(status))
    return target


def allowed_actions(status: OrderStatus) -> tuple[Command, ...]:
    """The commands the table allows in a status, in the order of `Command`."""
    return tuple(c for c in Command if c in TRANSITIONS[status])


def settled_event(files: int, failed: int, undelivered: int = 0, *, too_many: bool = False) -> Event:
    """What it means for the order when all its sub-orders have settled.

    `undelivered` archives did not reach their destination; they can still be downloaded. `too_many`: more files have
    failed than the order allows.
    """
    if too_many:
        return Event.SETTLED_FAILED
    if failed == 0 and undelivered == 0:
        return Event.SETTLED
    return Event.SETTLED_WITH_FAILURES if failed < files else Event.SETTLED_FAILED


class Outcome(StrEnum):
    """One word for scripts: wait, take it, or look."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


def outcome(status: OrderStatus) -> Outcome:
    """The outcome of an order in this status; a retry can turn `failed` back to `pending`."""
    if status in FULFILLED:
        return Outcome.SUCCEEDED
    return Outcome.FAILED if status in TERMINAL or status is S.FAILED else Outcome.PENDING


def lifecycle_diagram() -> str:
    """The lifecycle as a Mermaid state diagram, as the README shows it."""
    lines = ["stateDiagram-v2", "    [*] --> draft", "    [*] --> pending_payment"]
    for status, row in TRANSITIONS.items():
        merged: dict[str, list[str]] = {}
        for trigger, target in row.items():
            merged.setdefault(str(target), []).append(str(trigger))
        for name, triggers in merged.items():
            ends = _origins(status) if name == str(_BACK) else [name]
            lines += [f"    {status} --> {end}: {', '.join(triggers)}" for end in ends]
    return "\n".join([*lines, "    deleted --> [*]"])


def _origins(status: OrderStatus) -> list[str]:
    """The statuses that lead to this one and that it may lead back to."""
    return [str(s) for s, row in TRANSITIONS.items() if status in row.values()]


_PAST = {
    C.SUBMIT: "submitted",
    C.CONFIRM_PAYMENT: "payment_confirmed",
    C.PAUSE: "paused",
    C.RESUME: "resumed",
    C.CANCEL: "cancelled",
    C.RETRY: "retried",
    C.DELETE: "deleted",
}


def past_tense(trigger: Trigger) -> str:
    """How the timeline tells that a command or an event has happened."""
    return _PAST[trigger] if isinstance(trigger, Command) else str(trigger)
