"""Refusals about orders: placing, commanding, paying and annotating them."""

from collections.abc import Iterable
from typing import Any

from models.errors.base import Refusal, RefusalWithFaults


class IllegalTransition(Refusal):
    """The lifecycle table forbids this command in this status."""

    code = "illegal_transition"
    http_status = 409

    def __init__(self, command: str, status: str, allowed: Iterable[str]) -> None:
        self.command, self.status, self.allowed = str(command), str(status), sorted(map(str, allowed))
        super().__init__(f"cannot {self.command} an order that is {self.status}")

    @property
    def members(self) -> dict[str, Any]:
        """What a client needs to go on."""
        return {"order_status": self.status, "command": self.command, "allowed": self.allowed}


class InvalidOrder(RefusalWithFaults):
    """An order that cannot be accepted, with every fault at once."""

    code = "invalid_order"
    http_status = 422


class LabelTaken(Refusal):
    """The customer already has an order of this label."""

    code = "label_taken"
    http_status = 409

    def __init__(self, label: str) -> None:
        self.label = label
        super().__init__(f"you already have an order labelled “{label}”, in upper or lower case; choose another label")


class QuotaExceeded(RefusalWithFaults):
    """More than the customer may have; the faults carry the figures."""

    code = "quota_exceeded"
    http_status = 409


class NotExtended(Refusal):
    """The end of an order's life cannot be moved there."""

    code = "not_extended"
    http_status = 409


class NotInvoiced(Refusal):
    """A draft has no invoice, for its prices are not settled."""

    code = "not_invoiced"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("a draft has no invoice, for its prices are those of the day it is submitted; submit it first")


class PaymentRefused(Refusal):
    """A payment message that nobody signed, or that is not understood or does not fit; what was signed is recorded."""

    code = "payment_refused"
    http_status = 400


class ViewTaken(Refusal):
    """The caller already has a view of this name."""

    code = "view_taken"
    http_status = 409

    def __init__(self, name: str) -> None:
        super().__init__(f"you already have a view called {name}; choose another name, or change that one")


class TemporalUnavailable(Refusal):
    """Commands need Temporal, and it does not answer; nothing has changed."""

    code = "temporal_unavailable"
    http_status = 503
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("Temporal or its workers do not answer; try again soon")


class CommandPending(Refusal):
    """A command has been handed over, and how it went is not known yet; `accepted` tells whether it will be done."""

    code = "command_pending"
    http_status = 503
    retry_after = 5

    def __init__(self, *, accepted: bool) -> None:
        super().__init__(
            "The order has accepted the command and is still carrying it out; look at it again soon."
            if accepted
            else "No worker has taken the command yet. It may still be carried out: look at the order before you "
            "repeat it, or repeat it with the same Idempotency-Key."
        )
        self.accepted = accepted

    @property
    def members(self) -> dict[str, Any]:
        """What a client needs to go on."""
        return {"accepted": self.accepted}
