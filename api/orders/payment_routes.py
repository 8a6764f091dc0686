"""The payment provider's way in."""

from typing import Annotated

from fastapi import APIRouter, Header, Request

from api.dependencies import ServicesDep
from api.http.answers import DATABASE_UNAVAILABLE, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, answers
from api.orders.payments import receive
from api.orders.schemas import PaymentAnswer
from models.errors import NotFound, PaymentRefused, TemporalUnavailable
from services.payments import PaymentDelivery, PaymentMessage

SCHEMA = PaymentMessage.model_json_schema(ref_template="#/components/schemas/{model}")

router = APIRouter(prefix="/webhooks", tags=["payments"])


@router.post(
    "/payments",
    name="receive-payment",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": SCHEMA}}}},
)
@answers(NotFound, PaymentRefused, TemporalUnavailable, DATABASE_UNAVAILABLE, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE)
async def receive_payment(
    request: Request,
    services: ServicesDep,
    webhook_id: Annotated[str, Header(min_length=1, max_length=300)],
    webhook_timestamp: Annotated[str, Header(max_length=40)],
    webhook_signature: Annotated[str, Header(max_length=2000)],
) -> PaymentAnswer:
    """A signed message of the payment provider (Standard Webhooks); sent twice it has its effect once.

    Messages of other types than `payment.succeeded` are `ignored`.
    """
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": webhook_timestamp,
        "webhook-signature": webhook_signature,
    }
    state = await receive(services, PaymentDelivery(webhook_id, headers, await request.body()))
    return PaymentAnswer(state=state)
