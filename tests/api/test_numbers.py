"""Every kind of thing that somebody may make has a number and a size; what goes beyond says what to do."""

from typing import Any

import sqlalchemy as sa
from httpx2 import AsyncClient

from models.access import customer_id
from services.credentials import MAX_TOKENS
from tests.factories import Sessions
from tests.issuer import REALM, as_

LOCAL = customer_id(REALM, "local")
TOKEN = {"name": "n", "scopes": ["read"]}
MANY_TOKENS = """
    INSERT INTO access_tokens (customer, name, secret_hash, scopes, created_at, expires_at)
    SELECT :customer, 'n' || n, sha256(n::text::bytea), '{read}', now(), now() + interval '1 day'
    FROM generate_series(1, :number) n
"""


def exceeded(answer: Any) -> list[str]:
    """What there is too much of."""
    assert (answer.status_code, answer.json()["code"]) == (409, "quota_exceeded"), answer.text
    return [fault["code"] for fault in answer.json()["faults"]]


async def add(sessions: Sessions, statement: str, number: int) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.text(statement), {"customer": LOCAL, "number": number})


async def test_tokens_have_a_number_and_pages(client: AsyncClient, sessions: Sessions) -> None:
    made = (await client.post("/tokens", json=TOKEN)).json()
    await add(sessions, MANY_TOKENS, MAX_TOKENS - 1)
    assert exceeded(await client.post("/tokens", json=TOKEN)) == ["too_many_tokens"]
    found: list[str] = []
    cursor: dict[str, str] = {}
    for more in True, True, False:
        page = (await client.get("/tokens", params={"limit": "40", **cursor})).json()
        found += [token["id"] for token in page["items"]]
        cursor = {"cursor": page["next_cursor"]}
        assert (page["next_cursor"] is not None) == more
    assert len(found) == len(set(found)) == MAX_TOKENS
    assert found == sorted(found, reverse=True)
    assert (await client.delete(f"/tokens/{made['id']}")).status_code == 204
    assert (await client.post("/tokens", json=TOKEN)).status_code == 201


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
