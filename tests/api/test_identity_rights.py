"""Rights end when they end: whoever has no role has none anywhere, and what goes on is asked about again."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from api.dependencies import Caller, Services
from api.identity.oidc import REMEMBERED_FOR
from api.identity.rights import right_to_read
from api.identity.secrets import hashed
from models.credentials import BrowserSession, IssuerToken
from models.tables import Session
from services.credentials import caller_of_secret
from tests.api.conftest import PUBLIC_URL
from tests.api.response_recorder import HOOKS
from tests.factories import Sessions
from tests.issuer import Issuer


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def services(services: Services, issuer: Issuer) -> Services:
    """With an issuer that gives nobody a role by default."""
    claims = replace(issuer.config.claims, default_role=None)
    services.identity.config = replace(issuer.config, claims=claims)
    return services


@pytest.fixture
async def script(anonymous: AsyncClient, issuer: Issuer) -> dict[str, Any]:
    """An access token of an administrator."""
    answer = await anonymous.post(
        "/tokens", json={"name": "nightly", "scopes": ["read", "operate"]}, headers=bearer(issuer.token("ada"))
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def forbidden(answer: Response) -> bool:
    return (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_whoever_lost_all_roles_has_none_by_an_access_token_either(
    anonymous: AsyncClient, issuer: Issuer, script: dict[str, Any]
) -> None:
    assert (await anonymous.get("/orders", headers=bearer(script["token"]))).status_code == 200
    earlier = issuer.token("ada")
    dismissed = issuer.token("ada", roles=[], iat=int(time.time()) + 1)
    assert forbidden(await anonymous.get("/orders", headers=bearer(dismissed)))
    assert forbidden(await anonymous.get("/orders", headers=bearer(script["token"])))
    assert forbidden(await anonymous.get("/orders", headers=bearer(earlier))), "what the issuer said last counts"
    again = issuer.token("ada", iat=int(time.time()) + 2)
    assert (await anonymous.get("/orders", headers=bearer(again))).status_code == 200
    assert (await anonymous.get("/orders", headers=bearer(script["token"]))).status_code == 200


async def test_who_signs_in_without_a_role_gets_no_session_and_loses_those_there_are(
    app: FastAPI, sessions: Sessions, issuer: Issuer, services: Services
) -> None:
    async with AsyncClient(transport=ASGITransport(app), base_url=f"{PUBLIC_URL}/api/v1", event_hooks=HOOKS) as browser:
        for roles, status in (["customer"], 303), ([], 403):
            begun = await browser.get("/login")
            asked = dict(part.split("=") for part in begun.headers["location"].partition("?")[2].split("&"))
            identity = issuer.token(aud=services.identity.config.client_id, nonce=asked["nonce"], roles=roles)
            tokens = {"access_token": "opaque", "id_token": identity}
            issuer.codes["c"] = {"challenge": asked["code_challenge"], "tokens": tokens}
            answer = await browser.get("/callback", params={"code": "c", "state": asked["state"]})
            assert answer.status_code == status, answer.text
    async with sessions.begin() as session:
        assert (await session.execute(sa.select(sa.func.count()).select_from(Session))).scalar_one() == 0


async def test_an_operator_ends_all_sessions_and_tokens_of_somebody(
    anonymous: AsyncClient, issuer: Issuer, script: dict[str, Any], sessions: Sessions
) -> None:
    theirs = issuer.token("ada")
    me = (await anonymous.get("/me", headers=bearer(theirs))).json()["id"]
    boss = bearer(issuer.token("boss", roles=["admin"]))
    assert (await anonymous.post("/users/nobody:sign-out", headers=boss)).status_code == 404
    answer = await anonymous.post(f"/users/{me}:sign-out", headers=boss)
    assert (answer.status_code, answer.json()) == (200, {"sessions": 0, "access_tokens": 1})
    for token in theirs, script["token"]:
        assert (await anonymous.get("/me", headers=bearer(token))).status_code == 401
    without_iat = issuer.token("ada", iat=None)
    assert (await anonymous.get("/me", headers=bearer(without_iat))).status_code == 401
    later = issuer.token("ada", iat=int(time.time()) + 2)
    assert (await anonymous.get("/me", headers=bearer(later))).status_code == 200


async def test_another_process_hears_of_it_before_long(
    anonymous: AsyncClient, issuer: Issuer, sessions: Sessions
) -> None:
    mine = bearer(issuer.token("ada"))
    assert (await anonymous.get("/me", headers=mine)).status_code == 200
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE people SET signed_out_at = now()"))
    issuer.seconds += REMEMBERED_FOR
    assert (await anonymous.get("/me", headers=mine)).status_code == 401


@pytest.fixture
async def held(services: Services, anonymous: AsyncClient, issuer: Issuer, script: dict[str, Any]) -> list[Caller]:
    """An administrator by all that one can show."""
    by_issuer = await services.identity.caller_of_token(services.sessions, issuer.token("ada"), services.now())
    now = services.now()
    async with services.sessions.begin() as session:
        by_script = await caller_of_secret(session, hashed(script["token"]), now)
        secret = hashed("cookie")
        ends = now + timedelta(hours=1)
        session.add(Session(secret_hash=secret, customer=by_script.customer, created_at=now, expires_at=ends))
    by_session = replace(by_issuer, credential=BrowserSession(secret))
    return [by_issuer, by_script, by_session]


ENDED = {
    "its time is up": (
        "UPDATE access_tokens SET expires_at = now() - interval '1 s'",
        "UPDATE sessions SET expires_at = now() - interval '1 s'",
    ),
    "revoked and signed out": ("UPDATE access_tokens SET revoked_at = now()", "DELETE FROM sessions"),
    "no role": ("UPDATE people SET roles = '{}', asserted_at = now() + interval '1 s'",),
    "other roles": ("UPDATE people SET roles = '{customer}', asserted_at = now() + interval '1 s'",),
}


@pytest.mark.parametrize("statements", ENDED.values(), ids=ENDED)
async def test_what_goes_on_is_asked_about_again(
    services: Services, held: list[Caller], statements: tuple[str, ...]
) -> None:
    assert [await right_to_read(services, caller).holds() for caller in held] == [True] * 3
    async with services.sessions.begin() as session:
        for statement in statements:
            await session.execute(sa.text(statement))
    by_issuer, *others = [await right_to_read(services, caller).holds() for caller in held]
    assert others == [False, False]
    assert by_issuer == (len(statements) == 2), "tokens of the issuer know no revocation but everybody's"


async def test_a_token_of_the_issuer_ends_with_its_time_or_when_its_owner_is_signed_out(
    services: Services, held: list[Caller]
) -> None:
    by_issuer, *_ = held
    token = by_issuer.credential
    assert isinstance(token, IssuerToken)
    expired = replace(by_issuer, credential=replace(token, expires_at=services.now()))
    assert not await right_to_read(services, expired).holds()
    async with services.sessions.begin() as session:
        await session.execute(sa.text("UPDATE people SET signed_out_at = now()"))
    assert not await right_to_read(services, by_issuer).holds()
