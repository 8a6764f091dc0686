"""Queries for payments."""

from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.payment import PaymentState
from models.tables import Payment


def payment_by_message(message_id: str) -> sa.Select[Payment]:
    """What became of a provider's message."""
    return sa.select(Payment).where(col(Payment.message_id) == message_id)


def conclude(message_id: str, state: PaymentState, reason: str | None) -> sa.Update:
    """Write what became of a message that was received."""
    return (
        sa.update(Payment)
        .where(col(Payment.message_id) == message_id, col(Payment.state) == PaymentState.RECEIVED)
        .values(state=state, reason=reason)
    )


def refund_due(order_id: UUID) -> sa.Select[Decimal | None]:
    """What has to be paid back for an order; None where nothing has."""
    return sa.select(sa.func.sum(col(Payment.amount))).where(
        col(Payment.order_id) == order_id, col(Payment.state) == PaymentState.REFUND_DUE
    )
