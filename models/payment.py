"""What may become of a payment provider's message."""

from enum import StrEnum


class PaymentState(StrEnum):
    """`received` until the order's workflow has answered; `refund_due` when the money came too late.

    `ignored`: it is about nothing that orders wait for.
    """

    RECEIVED = "received"
    APPLIED = "applied"
    REFUND_DUE = "refund_due"
    REFUSED = "refused"
    IGNORED = "ignored"
