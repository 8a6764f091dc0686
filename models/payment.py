"""What may become of a payment provider's message."""

from enum import StrEnum


class PaymentState(StrEnum):
    """`received` until the order's workflow has answered; `refund_due` when the money came too late."""

    RECEIVED = "received"
    APPLIED = "applied"
    REFUND_DUE = "refund_due"
    REFUSED = "refused"
