"""Applies a payment provider's messages: the services verify and record them, the order's workflow confirms."""

from typing import NoReturn
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Services
from api.orders.commanding import execute_command, start_unstarted
from models.errors import IllegalTransition, InvalidOrder, NotFound, PaymentRefused
from models.messages import CommandRequest
from models.order import Command, OrderStatus
from models.payment import PaymentState
from models.queries import orders as queries
from models.queries.payments import conclude
from models.tables import Order
from services.payments import (
    PaymentDelivery,
    PaymentMessage,
    mismatch,
    read_message,
    record_message,
    record_refused_message,
    verify_signature,
)
from services.placing import check_payable
from temporal.commands import append_timeline_to_closed

ACTOR = "payment-provider"


async def receive(services: Services, delivery: PaymentDelivery) -> PaymentState:
    """Apply a message once.

    Raises NotFound where no provider is known, PaymentRefused or TemporalUnavailable; the provider may send it again
    in any case.
    """
    if not services.payment_secrets:
        raise NotFound("payment provider here: its secret is set by", "CONSIGNOR_PAYMENT_WEBHOOK_SECRETS")
    verify_signature(services.payment_secrets, delivery)
    message = await _read(services, delivery)
    if message is None:
        return PaymentState.IGNORED
    async with services.sessions.begin() as session:
        known = await record_message(session, delivery.message_id, message, services.now())
        if known.state != PaymentState.RECEIVED:
            return PaymentState(known.state)
        order = (await session.execute(queries.order_by_id(message.data.order_id))).scalar_one_or_none()
        nothing_left = await _nothing_left(session, services, order) if order else None
    if order is None:
        await _refuse(services, delivery.message_id, "there is no such order")
    if reason := mismatch(order, message.data):
        await _refuse(services, delivery.message_id, reason)
    if order.started_at is None:
        await start_unstarted(services, order)
    if nothing_left:
        state, reason = PaymentState.REFUND_DUE, nothing_left
    else:
        state, reason = await _confirm(services, order, delivery.message_id)
    await _conclude(services, delivery.message_id, state, reason)
    return state


async def _nothing_left(session: AsyncSession, services: Services, order: Order) -> str | None:
    """Why an order that waits for its payment is worth none any more; money for it is due back."""
    if order.status != OrderStatus.PENDING_PAYMENT:
        return None
    try:
        await check_payable(session, order, services.storage_check)
    except InvalidOrder as error:
        return error.faults[0].text
    return None


async def _read(services: Services, delivery: PaymentDelivery) -> PaymentMessage | None:
    try:
        return read_message(delivery)
    except PaymentRefused as refused:
        async with services.sessions.begin() as session:
            await record_refused_message(session, delivery, str(refused), services.now())
        raise


async def _refuse(services: Services, message_id: str, reason: str) -> NoReturn:
    await _conclude(services, message_id, PaymentState.REFUSED, reason)
    raise PaymentRefused(reason)


async def _confirm(services: Services, order: Order, message_id: str) -> tuple[PaymentState, str | None]:
    """Confirm the payment; money for an order that does not wait for any is due back."""
    request = CommandRequest(id=f"payment-{message_id}", command=Command.CONFIRM_PAYMENT, actor=ACTOR)
    try:
        await execute_command(services, order, request)
    except IllegalTransition as error:
        await _note_refund(services, order.id)
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
        await session.execute(conclude(message_id, state, reason))
