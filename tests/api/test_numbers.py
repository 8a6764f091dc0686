"""Every kind of thing that somebody may make has a number and a size; what goes beyond says what to do."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from httpx2 import AsyncClient

from models.access import customer_id
from models.annotations import MAX_WORDINGS
from models.queries import bulk
from models.queries.users import upsert_user
from models.tables import Session, User
from services.credentials import make_room_for_session
from services.numbers import BULKS, MAX_SESSIONS, TOKENS
from tests.api.conftest import MakeProduct
from tests.factories import Sessions, add_order
from tests.issuer import REALM, as_
from tests.services.catalogue_sources import rows

LOCAL = customer_id(REALM, "local")
TOKEN = {"name": "n", "scopes": ["read"]}
MANY_TOKENS = """
    INSERT INTO access_tokens (customer, name, secret_hash, scopes, created_at, expires_at)
    SELECT :customer, 'n' || n, sha256(n::text::bytea), '{read}', now(), now() + interval '1 day'
    FROM generate_series(1, :number) n
"""

MANY_BULKS = """
    INSERT INTO bulks (customer, actor, command) SELECT :customer, 'customer:x', 'cancel'
    FROM generate_series(1, :number)
"""
MANY_WORDINGS = """
    INSERT INTO note_wordings (note_id, sequence, visibility, text, written_at)
    SELECT :note, n, 'customer', n::text, now() FROM generate_series(1, :number) n
"""
CLOSED = {"code": "bulk_cancelled", "text": "cancelled"}
DAY = timedelta(days=1)


def exceeded(answer: Any) -> list[str]:
    """What there is too much of."""
    assert (answer.status_code, answer.json()["code"]) == (409, "quota_exceeded"), answer.text
    return [fault["code"] for fault in answer.json()["faults"]]


async def add(sessions: Sessions, statement: str, number: int) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.text(statement), {"customer": LOCAL, "number": number})


async def test_tokens_have_a_number_and_pages(client: AsyncClient, sessions: Sessions) -> None:
    made = (await client.post("/tokens", json=TOKEN)).json()
    await add(sessions, MANY_TOKENS, TOKENS.most - 1)
    assert exceeded(await client.post("/tokens", json=TOKEN)) == ["too_many_tokens"]
    found: list[str] = []
    cursor: dict[str, str] = {}
    for more in True, True, False:
        page = (await client.get("/tokens", params={"limit": "40", **cursor})).json()
        found += [token["id"] for token in page["items"]]
        cursor = {"cursor": page["next_cursor"]}
        assert (page["next_cursor"] is not None) == more
    assert len(found) == len(set(found)) == TOKENS.most
    assert found == sorted(found, reverse=True)
    assert (await client.delete(f"/tokens/{made['id']}")).status_code == 204
    assert (await client.post("/tokens", json=TOKEN)).status_code == 201


async def test_bulks_that_have_not_ended_have_a_number(client: AsyncClient, sessions: Sessions) -> None:
    order = {"action": "cancel", "ids": ["00000000-0000-7000-8000-000000000000"]}
    waiting = (await client.post("/orders:bulk", json=order)).json()
    await add(sessions, MANY_BULKS, BULKS.most - 2)
    answers = await asyncio.gather(*(client.post("/orders:bulk", json=order) for _ in range(2)))
    (refused,) = (answer for answer in answers if answer.status_code != 202)
    assert exceeded(refused) == ["too_many_bulks"]
    assert (await client.post("/orders:bulk", json=order | {"dry_run": True})).status_code == 200
    assert (await client.post("/orders:bulk", json=order, headers=as_("other"))).status_code == 202
    async with sessions.begin() as session:
        await session.execute(bulk.CLOSE, CLOSED | {"bulk_id": waiting["id"], "now": datetime.now(UTC)})
    assert (await client.post("/orders:bulk", json=order)).status_code == 202


async def test_a_note_has_so_many_wordings_and_no_more(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    note = (await client.post(f"/orders/{order.id}/notes", json={"text": "first"})).json()
    url = f"/orders/{order.id}/notes/{note['id']}"
    async with sessions.begin() as session:
        await session.execute(sa.text(MANY_WORDINGS), {"note": note["id"], "number": MAX_WORDINGS - 1})
    last = await client.patch(url, json={"text": "last"})
    assert len(last.json()["history"]) == MAX_WORDINGS
    assert exceeded(await client.patch(url, json={"text": "one more"})) == ["too_many_wordings"]
    assert (await client.patch(url, json={"text": "last"})).status_code == 200, "what changes nothing is no edit"


async def test_the_oldest_session_ends_where_somebody_has_too_many(sessions: Sessions) -> None:
    begun = datetime.now(UTC)
    user = User(id=LOCAL, issuer="i", subject="s", roles=["customer"], groups=[], asserted_at=begun)
    async with sessions.begin() as session:
        await session.execute(upsert_user(user))
        for n in range(MAX_SESSIONS + 2):
            at = begun + timedelta(seconds=n)
            await make_room_for_session(session, LOCAL)
            session.add(Session(secret_hash=bytes([n]), customer=LOCAL, created_at=at, expires_at=at + DAY))
            await session.flush()
    kept = await rows(sessions, "SELECT secret_hash FROM sessions ORDER BY created_at")
    assert kept == [bytes([n]) for n in range(2, MAX_SESSIONS + 2)]


async def test_a_view_has_a_size(client: AsyncClient) -> None:
    large = {"product": [f"{n:03}" * 60 for n in range(100)]}
    answer = await client.post("/views", json={"name": "large", "filter": large})
    assert exceeded(answer) == ["view_too_large"]
    small = (await client.post("/views", json={"name": "small"})).json()
    assert exceeded(await client.patch(f"/views/{small['id']}", json={"filter": large})) == ["view_too_large"]


async def test_a_dry_run_shows_nothing_to_a_token_that_may_not_read(anonymous: AsyncClient) -> None:
    made = await anonymous.post("/tokens", json={"name": "n", "scopes": ["order"]}, headers=as_("local"))
    script = {"Authorization": f"Bearer {made.json()['token']}"}
    body = {"action": "cancel", "filter": {"q": "scenes"}, "dry_run": True}
    answer = await anonymous.post("/orders:bulk", json=body, headers=script)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
