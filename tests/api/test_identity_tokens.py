"""Access tokens of scripts: shown once, for what they are for, while they last and their owner may."""

import re
import time
from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from models.tables import AccessToken
from tests.api.conftest import MakeProduct
from tests.factories import Sessions, add_order
from tests.issuer import Issuer

ORDER = {"items": [{"product": "scenes"}]}


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


async def make(client: AsyncClient, issuer: Issuer, *scopes: str, owner: str = "local") -> dict[str, Any]:
    """A new access token."""
    body = {"name": "nightly", "scopes": list(scopes)}
    answer = await client.post("/tokens", json=body, headers=bearer(issuer.token(owner)))
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


async def test_a_token_is_shown_once_and_kept_as_a_hash(
    anonymous: AsyncClient, issuer: Issuer, sessions: Sessions
) -> None:
    made = await make(anonymous, issuer, "read")
    assert re.fullmatch("cnsg_[0-9a-f]{64}", made["token"])
    listed = await anonymous.get("/tokens", headers=bearer(issuer.token()))
    assert made["token"] not in listed.text
    assert [token["id"] for token in listed.json()["items"]] == [made["id"]]
    async with sessions.begin() as session:
        row = await session.get_one(AccessToken, made["id"])
    assert made["token"].encode() not in row.secret_hash


async def test_a_token_does_what_its_scopes_say(
    anonymous: AsyncClient, issuer: Issuer, make_product: MakeProduct
) -> None:
    await make_product()
    reader = bearer((await make(anonymous, issuer, "read"))["token"])
    writer = bearer((await make(anonymous, issuer, "order"))["token"])
    assert (await anonymous.get("/orders", headers=reader)).status_code == 200
    refused = await anonymous.post("/orders", json=ORDER, headers=reader)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope", scope="order operate"' in refused.headers["www-authenticate"]
    assert (await anonymous.post("/orders", json=ORDER, headers=writer)).status_code == 204
    assert (await anonymous.get("/orders", headers=writer)).status_code == 403


async def test_a_token_begets_no_others(anonymous: AsyncClient, issuer: Issuer) -> None:
    script = bearer((await make(anonymous, issuer, "read", "order", "operate", owner="ada"))["token"])
    for answer in (
        await anonymous.post("/tokens", json={"name": "x", "scopes": ["read"]}, headers=script),
        await anonymous.get("/tokens", headers=script),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_a_scope_gives_nothing_its_owner_may_not(
    anonymous: AsyncClient, issuer: Issuer, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    script = bearer((await make(anonymous, issuer, "read", "operate", owner="other"))["token"])
    assert (await anonymous.get(f"/orders/{order.id}", headers=script)).status_code == 404
    assert (await anonymous.post(f"/orders/{order.id}/cancel", headers=script)).status_code == 404


async def test_a_reading_token_of_an_administrator_commands_nothing(
    anonymous: AsyncClient, issuer: Issuer, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    script = bearer((await make(anonymous, issuer, "read", "order", owner="ada"))["token"])
    assert (await anonymous.get(f"/orders/{order.id}", headers=script)).status_code == 200
    refused = await anonymous.post(f"/orders/{order.id}/cancel", headers=script)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")


async def refused(client: AsyncClient, token: str, reason: str) -> None:
    answer: Response = await client.get("/me", headers=bearer(token))
    assert answer.status_code == 401
    assert reason in answer.json()["detail"]


async def test_a_revoked_token_is_refused_at_once(anonymous: AsyncClient, issuer: Issuer) -> None:
    made = await make(anonymous, issuer, "read")
    assert (await anonymous.get("/me", headers=bearer(made["token"]))).status_code == 200
    mine = bearer(issuer.token())
    assert (await anonymous.delete(f"/tokens/{made['id']}", headers=mine)).status_code == 204
    await refused(anonymous, made["token"], "revoked")
    assert (await anonymous.delete(f"/tokens/{made['id']}", headers=mine)).status_code == 404
    assert (await anonymous.get("/tokens", headers=mine)).json()["items"] == []


async def test_a_token_past_its_time_is_refused(anonymous: AsyncClient, issuer: Issuer, sessions: Sessions) -> None:
    made = await make(anonymous, issuer, "read")
    async with sessions.begin() as session:
        table = AccessToken.__table__  # type: ignore[attr-defined]
        await session.execute(table.update().values(expires_at=table.c.created_at))
    await refused(anonymous, made["token"], "expired")


async def test_a_token_goes_by_what_its_owner_is_now(anonymous: AsyncClient, issuer: Issuer) -> None:
    now = int(time.time())
    made = await make(anonymous, issuer, "read", owner="ada")
    assert (await anonymous.get("/me", headers=bearer(made["token"]))).json()["roles"] == ["admin"]
    demoted = issuer.token("ada", roles=["customer"], iat=now + 1)
    assert (await anonymous.get("/me", headers=bearer(demoted))).status_code == 200
    assert (await anonymous.get("/me", headers=bearer(made["token"]))).json()["roles"] == ["customer"]
    older = issuer.token("ada", iat=now - 60, groups=["then"])
    assert (await anonymous.get("/me", headers=bearer(older))).status_code == 200
    assert (await anonymous.get("/me", headers=bearer(made["token"]))).json()["roles"] == ["customer"]


async def test_the_last_use_is_noted(anonymous: AsyncClient, issuer: Issuer) -> None:
    made = await make(anonymous, issuer, "read")
    await anonymous.get("/me", headers=bearer(made["token"]))
    (listed,) = (await anonymous.get("/tokens", headers=bearer(issuer.token()))).json()["items"]
    assert made["last_used_at"] is None
    assert listed["last_used_at"] is not None


async def test_an_administrator_sees_and_revokes_everybodys(anonymous: AsyncClient, issuer: Issuer) -> None:
    made = await make(anonymous, issuer, "read")
    admin, other = bearer(issuer.token("ada")), bearer(issuer.token("other"))
    listed = await anonymous.get("/tokens", params={"scope": "all"}, headers=admin)
    assert [token["id"] for token in listed.json()["items"]] == [made["id"]]
    assert (await anonymous.get("/tokens", params={"scope": "all"}, headers=other)).status_code == 403
    assert (await anonymous.delete(f"/tokens/{made['id']}", headers=other)).status_code == 404
    assert (await anonymous.delete(f"/tokens/{made['id']}", headers=admin)).status_code == 204
    await refused(anonymous, made["token"], "revoked")


WRONG = [
    ({"scopes": ["read"]}, "name"),
    ({"name": "", "scopes": ["read"]}, "name"),
    ({"name": " ", "scopes": ["read"]}, "name"),
    ({"name": "a\0b", "scopes": ["read"]}, "name"),
    ({"name": 7, "scopes": ["read"]}, "name"),
    ({"name": "x", "scopes": []}, "scopes"),
    ({"name": "x", "scopes": ["everything"]}, "scopes/0"),
    ({"name": "x", "scopes": "read"}, "scopes"),
    ({"name": "x", "scopes": ["read"], "days": 0}, "days"),
    ({"name": "x", "scopes": ["read"], "days": 3650}, "days"),
    ({"name": "x", "scopes": ["read"], "days": "7"}, "days"),
    ({"name": "x", "scopes": ["read"], "customer": "other"}, "customer"),
]


@pytest.mark.parametrize(("body", "field"), WRONG, ids=range(len(WRONG)))
async def test_a_wrong_body_names_its_field(client: AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await client.post("/tokens", json=body)
    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.json()["faults"]] == [field]
