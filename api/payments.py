"""Payments: a provider's signed messages (Standard Webhooks), each applied once, refused ones recorded."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from api.dependencies import Services
from api.orders.commanding import obey, start_unstarted
from models.errors import IllegalTransition, PaymentRefused
from models.messages import CommandRequest
from models.order import Command, OrderStatus
from models.payment import PaymentState
from models.queries import orders as queries
from models.queries import payments as payment_queries
from models.tables import Order, Payment
from temporal.commands import append_timeline_to_closed

ACTOR = "payment-provider"


class PaymentData(BaseModel):
    """What was paid, and for which order."""

    model_config = ConfigDict(extra="ignore")

    order_id: UUID
    amount: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


class PaymentMessage(BaseModel):
    """The message of a provider; other types are none of our business."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["payment.succeeded"]
    data: PaymentData


@dataclass(frozen=True)
class Delivery:
    """A message as it came in, before anything of it is believed."""

    message_id: str
    headers: dict[str, str]
    body: bytes


async def receive(services: Services, delivery: Delivery) -> PaymentState:
    """Apply a message once. Raises PaymentRefused, TemporalUnavailable; the provider may send it again in any case."""
    message = await _verified(services, delivery)
    async with services.sessions.begin() as session:
        known = await _known(session, delivery.message_id, message, services.now())
        if known.state == PaymentState.REFUSED:
            raise PaymentRefused(known.reason or "")
        if known.state != PaymentState.RECEIVED:
            return PaymentState(known.state)
        order = (await session.execute(queries.order_by_id(message.data.order_id))).scalar_one_or_none()
    if reason := _wrong(order, message.data):
        await _conclude(services, delivery.message_id, PaymentState.REFUSED, reason)
        raise PaymentRefused(reason)
    if order is not None and order.started_at is None:
        await start_unstarted(services, order)
    state, reason = await _confirm(services, message.data.order_id, delivery.message_id)
    await _conclude(services, delivery.message_id, state, reason)
    return state


async def _verified(services: Services, delivery: Delivery) -> PaymentMessage:
    """The message, if any of our secrets signed it within five minutes (https://www.standardwebhooks.com)."""
    for secret in services.payment_secrets:
        try:
            Webhook(secret).verify(delivery.body, delivery.headers, json_parse=False)
        except WebhookVerificationError as error:
            reason = str(error)
            continue
        except (ValueError, OverflowError):
            # What the library raises for headers and bodies that are no text, no number or no base64.
            reason = "headers or body cannot be read"
            continue
        try:
            return PaymentMessage.model_validate_json(delivery.body)
        except ValidationError as error:
            reason = f"the message is not understood: {error.errors()[0]['msg']}"
            break
    else:
        reason = reason if services.payment_secrets else "no payment secret is configured"
    await _record_refusal(services, delivery, reason)
    raise PaymentRefused(reason)


async def _record_refusal(services: Services, delivery: Delivery, reason: str) -> None:
    """Under an id of its own: an attacker must not use up the id of a true message."""
    async with services.sessions.begin() as session:
        session.add(
            Payment(
                message_id=f"refused:{services.now().isoformat()}:{delivery.message_id}"[:500],
                state=PaymentState.REFUSED,
                reason=reason,
                received_at=services.now(),
            )
        )


async def _known(session: AsyncSession, message_id: str, message: PaymentMessage, now: datetime) -> Payment:
    """The row of a message; written with the first delivery, found by the next."""
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
    return (await session.execute(payment_queries.payment_by_message(message_id))).scalar_one()


def _wrong(order: Order | None, data: PaymentData) -> str | None:
    if order is None:
        return "there is no such order"
    if data.currency != order.currency:
        return f"the order is priced in {order.currency}, not in {data.currency}"
    if data.amount != order.total_price:
        return f"the order costs {order.total_price} {order.currency}, not {data.amount}"
    return None


async def _confirm(services: Services, order_id: UUID, message_id: str) -> tuple[PaymentState, str | None]:
    """Confirm the payment; money for an order that does not wait for any is due back."""
    request = CommandRequest(id=f"payment-{message_id}", command=Command.CONFIRM_PAYMENT, actor=ACTOR)
    try:
        await obey(services, order_id, request)
    except IllegalTransition as error:
        await _note_refund(services, order_id)
        return PaymentState.REFUND_DUE, str(error)
    return PaymentState.APPLIED, None


async def _note_refund(services: Services, order_id: UUID) -> None:
    """On the timeline where the workflow has ended; while it lives, the payment's own row says it."""
    async with services.sessions.begin() as session:
        order = (await session.execute(queries.order_by_id(order_id).with_for_update())).scalar_one()
        if order.status == OrderStatus.CANCELLED:
            status = OrderStatus(order.status)
            await append_timeline_to_closed(session, order, "refund_due", ACTOR, status, services.now())


async def _conclude(services: Services, message_id: str, state: PaymentState, reason: str | None) -> None:
    async with services.sessions.begin() as session:
        await session.execute(payment_queries.conclude(message_id, state, reason))
