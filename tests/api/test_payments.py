"""A payment provider's messages, signed after Standard Webhooks: each applied once, or refused and recorded."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from standardwebhooks.webhooks import Webhook
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from storage.pool import StoragePool
from tests.api.conftest import MakeProduct
from tests.api.running_orders import SECRET, command, facade, ordered, settled, told, workflow_of, working
from tests.factories import Sessions, add_order
from tests.services.catalogue_sources import rows

NOBODY = "00000000-0000-7000-8000-000000000000"
OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
RECORDED = "SELECT state, amount::text, currency FROM payments ORDER BY received_at"


@pytest.fixture
async def paying(sessions: Sessions, temporal: WorkflowEnvironment, readers: StoragePool) -> AsyncIterator[AsyncClient]:
    """The facade, with workers behind it."""
    async with working(temporal.client, sessions), facade(sessions, temporal.client, readers) as client:
        yield client


@pytest.fixture
async def unpaid(paying: AsyncClient, make_product: MakeProduct) -> Any:
    """An order of 7.50 EUR that waits for its payment."""
    await make_product(price="2.50")
    return await ordered(paying)


def message(order_id: str, amount: str = "7.50", currency: str = "EUR", **more: Any) -> bytes:
    data = {"order_id": order_id, "amount": amount, "currency": currency, "invoice": "unknown to us"}
    return json.dumps({"type": "payment.succeeded", "data": data, **more}).encode()


async def send(
    client: AsyncClient, body: bytes, *, key: str = "msg_1", secret: str = SECRET, age: timedelta = timedelta()
) -> Response:
    """Send a message as the provider does."""
    at = datetime.now(UTC) - age
    signature = Webhook(secret).sign(key, at, body.decode())
    return await raw(client, body, key, str(int(at.timestamp())), signature)


async def raw(client: AsyncClient, body: bytes, key: str, at: str, signature: str) -> Response:
    headers = {"webhook-id": key, "webhook-timestamp": at, "webhook-signature": signature}
    return await client.post("/webhooks/payments", content=body, headers=headers)


def refused(answer: Response) -> str:
    """Why a message was refused."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "payment_refused"
    return str(answer.json()["detail"])


async def test_a_payment_confirms_its_order(paying: AsyncClient, sessions: Sessions, unpaid: Any) -> None:
    answer = await send(paying, message(unpaid["id"]))
    assert (answer.status_code, answer.json()) == (200, {"state": "applied"})
    assert (await settled(paying, unpaid))["status"] == "fulfilled"
    assert (await told(paying, unpaid))[1] == ("payment_confirmed", "payment-provider")
    assert await rows(sessions, RECORDED) == [("applied", "7.50", "EUR")]


async def test_the_same_message_again_has_no_second_effect(
    paying: AsyncClient, sessions: Sessions, unpaid: Any
) -> None:
    for _ in range(3):
        assert (await send(paying, message(unpaid["id"]))).json() == {"state": "applied"}
    await settled(paying, unpaid)
    assert (await send(paying, message(unpaid["id"]))).json() == {"state": "applied"}
    assert [what for what, _ in await told(paying, unpaid)].count("payment_confirmed") == 1
    assert await rows(sessions, RECORDED) == [("applied", "7.50", "EUR")]


async def test_money_that_comes_twice_under_two_ids_is_due_back(
    paying: AsyncClient, sessions: Sessions, unpaid: Any
) -> None:
    assert (await send(paying, message(unpaid["id"]), key="msg_1")).json() == {"state": "applied"}
    assert (await send(paying, message(unpaid["id"]), key="msg_2")).json() == {"state": "refund_due"}
    order = await settled(paying, unpaid)
    assert (order["status"], order["refund_due"]) == ("fulfilled", "7.50")
    assert [row[0] for row in await rows(sessions, RECORDED)] == ["applied", "refund_due"]


async def test_money_for_a_cancelled_order_is_due_back_and_resurrects_nothing(
    paying: AsyncClient, unpaid: Any, temporal: WorkflowEnvironment
) -> None:
    await command(paying, unpaid, "cancel")
    await temporal.client.get_workflow_handle(workflow_of(unpaid)).result()
    for _ in range(2):
        assert (await send(paying, message(unpaid["id"]))).json() == {"state": "refund_due"}
    order = (await paying.get(f"/orders/{unpaid['id']}")).json()
    assert (order["status"], order["refund_due"], order["allowed_actions"]) == ("cancelled", "7.50", ["delete"])
    assert [what for what, _ in await told(paying, unpaid)] == ["submitted", "cancelled", "refund_due"]


@pytest.mark.parametrize(
    ("price", "total", "paid", "too_fine"),
    [("500", "1500 JPY", "1500.0", "1500.5"), ("1.505", "4.515 KWD", "4.5150", "4.5151")],
)
async def test_payments_are_compared_and_due_back_in_minor_units(
    paying: AsyncClient, make_product: MakeProduct, price: str, total: str, paid: str, too_fine: str
) -> None:
    amount, currency = total.split()
    await make_product(price=price, currency=currency)
    order = await ordered(paying)
    one_less = f"{Decimal(amount) - 1}"
    answer = await send(paying, message(order["id"], one_less, currency), key="msg_1")
    assert refused(answer) == f"the order costs {total}, not {one_less}"
    answer = await send(paying, message(order["id"], too_fine, currency))
    assert refused(answer).startswith(f"the message is not understood: {too_fine} {currency} cannot be paid")
    for key, state in (("msg_2", "applied"), ("msg_3", "refund_due")):
        assert (await send(paying, message(order["id"], paid, currency), key=key)).json() == {"state": state}
    assert (await paying.get(f"/orders/{order['id']}")).json()["refund_due"] == amount


@pytest.mark.parametrize("secret", [OTHER_SECRET])
async def test_a_wrong_signature_is_refused_and_leaves_nothing(
    paying: AsyncClient, sessions: Sessions, unpaid: Any, secret: str
) -> None:
    assert "signature" in refused(await send(paying, message(unpaid["id"]), secret=secret))
    assert await rows(sessions, "SELECT state FROM payments") == []
    assert (await paying.get(f"/orders/{unpaid['id']}")).json()["status"] == "pending_payment"
    assert (await send(paying, message(unpaid["id"]))).json() == {"state": "applied"}


@pytest.mark.parametrize("age", [timedelta(minutes=6), -timedelta(minutes=6), timedelta(days=9999)])
async def test_a_timestamp_too_far_from_now_is_refused(
    paying: AsyncClient, sessions: Sessions, unpaid: Any, age: timedelta
) -> None:
    assert "timestamp" in refused(await send(paying, message(unpaid["id"]), age=age))
    assert await rows(sessions, "SELECT state FROM payments") == []


async def test_a_body_that_was_tampered_with_is_refused(paying: AsyncClient, unpaid: Any) -> None:
    at = datetime.now(UTC)
    signature = Webhook(SECRET).sign("msg_1", at, message(unpaid["id"]).decode())
    body = message(unpaid["id"], amount="0.01")
    refused(await raw(paying, body, "msg_1", str(int(at.timestamp())), signature))


@pytest.mark.parametrize(
    ("body", "at", "signature"),
    [
        (b"\xff\xfe", "now", "v1,AAAA"),
        (b"{}", "now", "no comma"),
        (b"{}", "now", "v1,!"),
        (b"{}", "now", "v1,ä"),
        (b"{}", "nan", "v1,AAAA"),
        (b"{}", "inf", "v1,AAAA"),
        (b"{}", "1e300", "v1,AAAA"),
        (b"{}", "9" * 15, "v1,AAAA"),
        (b"{}", "yesterday", "v1,AAAA"),
    ],
)
async def test_no_message_however_strange_is_a_mistake_of_ours(
    paying: AsyncClient, sessions: Sessions, body: bytes, at: str, signature: str
) -> None:
    stamp = str(int(datetime.now(UTC).timestamp())) if at == "now" else at
    headers = [
        (b"webhook-id", b"msg_1"),
        (b"webhook-timestamp", stamp.encode()),
        (b"webhook-signature", signature.encode("latin-1")),
    ]
    refused(await paying.post("/webhooks/payments", content=body, headers=headers))
    assert await rows(sessions, "SELECT state FROM payments") == []


async def test_without_its_headers_a_message_is_none(paying: AsyncClient) -> None:
    answer = await paying.post("/webhooks/payments", content=b"{}")
    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["faults"]} == {
        "header/webhook-id",
        "header/webhook-timestamp",
        "header/webhook-signature",
    }


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"amount": "7.49"}, "the order costs 7.50 EUR, not 7.49"),
        ({"amount": "750"}, "the order costs 7.50 EUR, not 750"),
        ({"currency": "USD"}, "the order is priced in EUR, not in USD"),
    ],
)
async def test_a_wrong_amount_or_currency_is_refused_and_recorded(
    paying: AsyncClient, sessions: Sessions, unpaid: Any, given: dict[str, str], why: str
) -> None:
    for _ in range(2):
        assert refused(await send(paying, message(unpaid["id"], **given))) == why
    assert await rows(sessions, "SELECT state, reason, order_id::text FROM payments") == [
        ("refused", why, unpaid["id"])
    ]
    assert (await paying.get(f"/orders/{unpaid['id']}")).json()["status"] == "pending_payment"


async def test_an_unknown_order_is_refused_and_recorded(paying: AsyncClient, sessions: Sessions) -> None:
    assert refused(await send(paying, message(NOBODY))) == "there is no such order"
    assert await rows(sessions, "SELECT state, order_id::text FROM payments") == [("refused", NOBODY)]


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"7",
        b"not json",
        b'{"type": "payment.succeeded", "data": {}}',
        b'{"type": 7, "data": {}}',
        message(NOBODY, amount="NaN"),
        message(NOBODY, amount="-1"),
        message(NOBODY, amount="1.001"),
        message(NOBODY, amount="1e30"),
        message(NOBODY, currency="euro"),
        message("not-an-id"),
    ],
)
async def test_a_signed_message_that_is_not_understood_is_refused_and_recorded(
    paying: AsyncClient, sessions: Sessions, body: bytes
) -> None:
    assert refused(await send(paying, body)).startswith("the message is not understood")
    assert await rows(sessions, "SELECT state FROM payments") == ["refused"]


async def test_the_old_secret_is_good_while_it_is_replaced(
    sessions: Sessions, temporal: WorkflowEnvironment, readers: StoragePool, make_product: MakeProduct
) -> None:
    await make_product(price="2.50")
    async with (
        working(temporal.client, sessions),
        facade(sessions, temporal.client, readers, (OTHER_SECRET, SECRET)) as client,
    ):
        for key, secret in (("msg_1", SECRET), ("msg_2", OTHER_SECRET)):
            order = await ordered(client)
            assert (await send(client, message(order["id"]), key=key, secret=secret)).json() == {"state": "applied"}


async def test_without_a_secret_there_is_no_such_route(client: AsyncClient, sessions: Sessions) -> None:
    answer = await send(client, message(NOBODY))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "CONSIGNOR_PAYMENT_WEBHOOK_SECRETS" in answer.json()["detail"]
    assert await rows(sessions, "SELECT state FROM payments") == []


@pytest.mark.parametrize("kind", ["payment.failed", "invoice.paid", ""])
async def test_a_signed_message_of_another_type_is_ignored(paying: AsyncClient, sessions: Sessions, kind: str) -> None:
    answer = await send(paying, json.dumps({"type": kind, "data": {"any": "thing"}}).encode())
    assert (answer.status_code, answer.json()) == (200, {"state": "ignored"})
    assert await rows(sessions, "SELECT state FROM payments") == []


async def test_without_temporal_the_provider_is_asked_to_come_again_and_then_served(
    sessions: Sessions,
    temporal: WorkflowEnvironment,
    temporal_away: Client,
    readers: StoragePool,
    make_product: MakeProduct,
) -> None:
    await make_product(price="2.50")
    order = {"id": str((await add_order(sessions, {"scenes": "all"})).id)}
    async with facade(sessions, temporal_away, readers) as client:
        answer = await send(client, message(order["id"]))
        assert (answer.status_code, answer.json()["code"]) == (503, "temporal_unavailable")
        assert 0 < int(answer.headers["retry-after"]) <= 5
    assert await rows(sessions, "SELECT state FROM payments") == ["received"]
    # Accepted while Temporal was away, the order has no workflow yet: it is started, not taken for over.
    async with working(temporal.client, sessions), facade(sessions, temporal.client, readers) as client:
        assert (await send(client, message(order["id"]))).json() == {"state": "applied"}
        assert (await settled(client, order))["status"] == "fulfilled"


async def test_an_order_that_costs_nothing_confirms_itself(paying: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    order = await settled(paying, await ordered(paying))
    rest = (await paying.get(f"/orders/{order['id']}/timeline")).json()["items"]
    assert (rest[1]["what"], rest[1]["actor"], rest[1]["reason_code"]) == ("payment_confirmed", "system", "free")
    assert (order["total_price"], order["refund_due"]) == ("0.00", None)
