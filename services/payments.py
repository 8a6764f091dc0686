"""Payments: a provider's signed messages (Standard Webhooks), each recorded once with what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError, from_json
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from models.errors import PaymentRefused
from models.payment import PaymentState
from models.pricing import misfit, written
from models.queries import payments as queries
from models.tables import Order, Payment

PAYMENT_SUCCEEDED = "payment.succeeded"


class PaymentData(BaseModel):
    """What was paid, and for which order."""

    model_config = ConfigDict(extra="ignore")

    order_id: UUID
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    amount: Annotated[Decimal, Field(ge=0, max_digits=24)]

    @field_validator("amount")
    @classmethod
    def _payable(cls, amount: Decimal, given: ValidationInfo) -> Decimal:
        currency = given.data.get("currency")
        if currency is not None and (reason := misfit(amount, currency)):
            raise PydanticCustomError("amount_misfit", "{reason}", {"reason": reason})
        return amount


class PaymentMessage(BaseModel):
    """The message of a provider; other types are not applied."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["payment.succeeded"]
    data: PaymentData


@dataclass(frozen=True)
class PaymentDelivery:
    """A message as it came in, before anything of it is believed."""

    message_id: str
    headers: dict[str, str]
    body: bytes


def verify_signature(secrets: Sequence[str], delivery: PaymentDelivery) -> None:
    """Raise PaymentRefused unless one of the secrets signed it within five minutes (https://www.standardwebhooks.com).

    What nobody signed may come from anybody, as often as they like: nothing of it is written down.
    """
    reason = ""
    for secret in secrets:
        try:
            Webhook(secret).verify(delivery.body, delivery.headers, json_parse=False)
        except WebhookVerificationError as error:
            reason = str(error)
        except (ValueError, OverflowError):
            # What the library raises for headers and bodies that are no text, no number or no base64.
            reason = "headers or body cannot be read"
        else:
            return
    raise PaymentRefused(reason)


def read_message(delivery: PaymentDelivery) -> PaymentMessage | None:
    """Read a signed message; None where it is of a type that is not about payments that succeeded.

    Raises PaymentRefused, which is to be recorded, for it is the provider who is not understood.
    """
    try:
        found = from_json(delivery.body)
        kind = found.get("type") if isinstance(found, dict) else None
        if isinstance(kind, str) and kind != PAYMENT_SUCCEEDED:
            return None
        return PaymentMessage.model_validate_json(delivery.body)
    except ValidationError as error:
        raise PaymentRefused(f"the message is not understood: {error.errors()[0]['msg']}") from None
    except ValueError:
        raise PaymentRefused("the message is not understood: it is not JSON") from None


async def record_refused_message(session: AsyncSession, delivery: PaymentDelivery, reason: str, now: datetime) -> None:
    """Record a signed message that is not understood, under an id of its own: the id may come again with a true one."""
    session.add(
        Payment(
            message_id=f"refused:{now.isoformat()}:{delivery.message_id}"[:500],
            state=PaymentState.REFUSED,
            reason=reason,
            received_at=now,
        )
    )


async def record_message(session: AsyncSession, message_id: str, message: PaymentMessage, now: datetime) -> Payment:
    """Record a message with its first delivery, or find what became of it by the next. Raises PaymentRefused again."""
    values = {
        "message_id": message_id,
        "order_id": message.data.order_id,
        "state": PaymentState.RECEIVED,
        "amount": message.data.amount,
        "currency": message.data.currency,
        "received_at": now,
    }
    await session.execute(
        insert(Payment).values(values).on_conflict_do_nothing(index_elements=[col(Payment.message_id)])
    )
    payment = (await session.execute(queries.payment_by_message(message_id))).scalar_one()
    if payment.state == PaymentState.REFUSED:
        raise PaymentRefused(payment.reason or "")
    return payment


def mismatch(order: Order, data: PaymentData) -> str | None:
    """Why a payment does not fit the order it names; None where it does."""
    if data.currency != order.currency:
        return f"the order is priced in {order.currency}, not in {data.currency}"
    if data.amount != order.total_price:
        return f"the order costs {written(order.total_price, order.currency)} {order.currency}, not {data.amount}"
    return None
