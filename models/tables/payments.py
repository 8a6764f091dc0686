"""Messages of payment providers."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from models.payment import PaymentState
from models.tables.base import INSTANT, new_id, one_of


class Payment(SQLModel, table=True):
    """A message of a payment provider, whatever became of it; its id makes a repetition known."""

    __tablename__ = "payments"
    __table_args__ = (
        # What is ignored is not kept.
        one_of("state", (state for state in PaymentState if state is not PaymentState.IGNORED)),
        sa.UniqueConstraint("message_id"),
        sa.Index("ix_payments_order", "order_id"),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    message_id: str = Field(sa_type=sa.Text)
    order_id: UUID | None = Field(default=None)
    state: str = Field(sa_type=sa.Text)
    reason: str | None = Field(default=None, sa_type=sa.Text)
    amount: Decimal | None = Field(default=None, sa_type=sa.Numeric)
    currency: str | None = Field(default=None, sa_type=sa.Text)
    received_at: datetime = Field(sa_type=INSTANT)
