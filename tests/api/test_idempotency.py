"""Requests that are sent again: with the same key they have one effect and one answer."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient, Response

from api.dependencies import Services
from api.http.idempotency import KEPT_FOR, REPLAYED
from models.queries import idempotency as queries
from models.tables import IdempotencyKey
from tests.api.conftest import MakeProduct
from tests.factories import LOCAL_CALLER, Sessions, add_order
from tests.issuer import Issuer

BODY = {"items": [{"product": "scenes"}], "label": "Once"}
LOCAL = {"kind": "local", "name": "a", "folder": "/nowhere"}
TOKEN = {"name": "nightly", "scopes": ["read"]}


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def problem(answer: Response, status: int, code: str) -> Any:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert answer.json()["code"] == code
    return answer.json()


async def orders(client: AsyncClient) -> int:
    return len((await client.get("/orders")).json()["items"])


async def test_the_same_request_with_the_same_key_creates_one_order_and_gets_one_answer(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    first = await client.post("/orders", json=BODY, headers=keyed("k1"))
    again = await client.post("/orders", json=BODY, headers=keyed("k1"))
    assert (first.status_code, REPLAYED in first.headers) == (201, False)
    assert (again.status_code, again.headers[REPLAYED], again.content) == (201, "true", first.content)
    assert again.headers["location"] == first.headers["location"]
    assert await orders(client) == 1


async def test_blanks_and_the_order_of_members_make_no_other_request(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    one, other = b'{"items": [{"product": "scenes"}], "label": "a"}', b'{"label":"a","items":[{"product":"scenes"}]}'
    for content in (one, other):
        headers = {**keyed("k"), "Content-Type": "application/json"}
        assert (await client.post("/orders", content=content, headers=headers)).status_code == 201
    assert await orders(client) == 1


async def test_a_key_is_for_one_request_only(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    order = (await client.post("/orders", json=BODY, headers=keyed("k"))).json()
    for path, body in (
        ("/orders", {**BODY, "label": "Other"}),
        ("/orders", {**BODY, "draft": True}),
        ("/tokens", TOKEN),
        ("/destinations", LOCAL),
        (f"/orders/{order['id']}/restart", None),
        (f"/orders/{order['id']}/pause", None),
    ):
        refused = problem(await client.post(path, json=body, headers=keyed("k")), 422, "idempotency_key_reused")
        assert [fault["field"] for fault in refused["faults"]] == ["Idempotency-Key"]
    problem(await client.delete(f"/orders/{order['id']}", headers=keyed("k")), 422, "idempotency_key_reused")
    assert await orders(client) == 1


async def test_everybody_has_keys_of_their_own(
    client: AsyncClient, anonymous: AsyncClient, issuer: Issuer, make_product: MakeProduct
) -> None:
    await make_product()
    mine = (await client.post("/orders", json=BODY, headers=keyed("k"))).json()
    headers = {**keyed("k"), "Authorization": f"Bearer {issuer.token('other')}"}
    theirs = await anonymous.post("/orders", json=BODY, headers=headers)
    assert (theirs.status_code, REPLAYED in theirs.headers, theirs.json()["id"] == mine["id"]) == (201, False, False)


async def test_what_was_refused_may_be_tried_again_with_the_same_key(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    problem(await client.post("/orders", json=BODY, headers=keyed("k")), 422, "invalid_order")
    await make_product()
    created = await client.post("/orders", json=BODY, headers=keyed("k"))
    assert (created.status_code, REPLAYED in created.headers) == (201, False)


async def test_of_many_at_once_one_creates_and_the_others_hear_of_it(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    answers = await asyncio.gather(*(client.post("/orders", json=BODY, headers=keyed("k")) for _ in range(12)))
    counts = Counter((answer.status_code, answer.headers.get(REPLAYED)) for answer in answers)
    assert counts[201, None] == 1
    assert set(counts) <= {(201, None), (201, "true"), (409, None)}
    for answer in answers:
        if answer.status_code == 409:
            assert answer.headers["retry-after"] == "1"
            problem(answer, 409, "idempotency_key_in_flight")
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert await orders(client) == 1


async def test_a_key_is_in_use_while_its_request_is_being_answered(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    async with sessions.begin() as session:
        await session.execute(queries.TAKE, {"caller": LOCAL_CALLER.customer, "key": "k"})
        problem(await client.post("/orders", json=BODY, headers=keyed("k")), 409, "idempotency_key_in_flight")
    assert (await client.post("/orders", json=BODY, headers=keyed("k"))).status_code == 201


async def test_a_key_is_kept_for_a_day_and_then_swept(
    client: AsyncClient, services: Services, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    before = services.now()
    first = await client.post("/orders", json={**BODY, "label": None}, headers=keyed("k"))
    async with sessions.begin() as session:
        (row,) = (await session.execute(sa.select(IdempotencyKey))).scalars()
        assert before + KEPT_FOR <= row.expires_at <= services.now() + KEPT_FOR
        await session.execute(sa.update(IdempotencyKey).values(expires_at=before - timedelta(seconds=1)))
    again = await client.post("/orders", json={**BODY, "label": None}, headers=keyed("k"))
    assert again.json()["id"] != first.json()["id"]
    async with sessions.begin() as session:
        await session.execute(sa.update(IdempotencyKey).values(expires_at=before - timedelta(seconds=1)))
    await client.post("/orders", json={**BODY, "label": None}, headers=keyed("another"))
    async with sessions.begin() as session:
        assert (await session.execute(sa.select(sa.func.count()).select_from(IdempotencyKey))).scalar_one() == 1


async def test_the_secret_of_an_access_token_is_shown_once_and_kept_nowhere(
    client: AsyncClient, sessions: Sessions
) -> None:
    first = await client.post("/tokens", json=TOKEN, headers=keyed("my key"))
    assert first.json()["token"]
    again = problem(await client.post("/tokens", json=TOKEN, headers=keyed("my key")), 410, "gone")
    assert first.headers["location"] in again["detail"]
    assert len((await client.get("/tokens")).json()["items"]) == 1
    async with sessions.begin() as session:
        kept = (await session.execute(sa.select(IdempotencyKey))).scalar_one()
    assert kept.body == b""


async def test_a_copy_of_the_table_repeats_nobodys_request(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    await client.post("/orders", json=BODY, headers=keyed("my key"))
    async with sessions.begin() as session:
        kept = (await session.execute(sa.select(IdempotencyKey))).scalar_one()
    assert "my key" not in repr(kept)
    again = await client.post("/orders", json=BODY, headers=keyed(kept.key))
    assert (again.status_code, again.json()["code"]) == (409, "label_taken")


async def test_restarts_are_created_once(client: AsyncClient, sessions: Sessions, make_product: MakeProduct) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    for _ in range(2):
        assert (await client.post(f"/orders/{order.id}/restart", headers=keyed("k"))).status_code == 201
    assert await orders(client) == 2


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_a_key_has_one_to_two_hundred_characters(
    client: AsyncClient, make_product: MakeProduct, key: str
) -> None:
    await make_product()
    refused = problem(await client.post("/orders", json=BODY, headers=keyed(key)), 422, "invalid_request")
    assert [fault["field"] for fault in refused["faults"]] == ["header/Idempotency-Key"]


@pytest.mark.parametrize("key", ["ü", '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "' OR 1=1 --", "a b", "\x7f"])
async def test_a_key_is_whatever_a_client_likes(client: AsyncClient, make_product: MakeProduct, key: str) -> None:
    await make_product()
    for replayed in (None, "true"):
        answer = await client.post("/orders", json=BODY, headers={b"Idempotency-Key": key.encode()})
        assert (answer.status_code, answer.headers.get(REPLAYED)) == (201, replayed)


async def test_a_command_that_fails_frees_its_key(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    for _ in range(2):
        problem(await client.post(f"/orders/{order.id}/pause", headers=keyed("k")), 503, "temporal_unavailable")
    async with sessions.begin() as session:
        assert (await session.execute(sa.select(IdempotencyKey))).all() == []


async def test_a_command_holds_its_key_until_it_is_answered_or_its_server_is_long_dead(
    client: AsyncClient, services: Services, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    url = f"/orders/{order.id}/restart"
    assert (await client.post(url, headers=keyed("k"))).status_code == 201
    async with sessions.begin() as session:
        await session.execute(sa.update(IdempotencyKey).values(status=None))
    problem(await client.post(url, headers=keyed("k")), 409, "idempotency_key_in_flight")
    async with sessions.begin() as session:
        await session.execute(sa.update(IdempotencyKey).values(expires_at=services.now() - timedelta(seconds=1)))
    assert (await client.post(url, headers=keyed("k"))).status_code == 201
