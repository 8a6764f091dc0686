"""Signing in with a browser, and what must not get anybody else in: forged answers, fixed sessions, other sites."""

import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from api.identity.login import local_path
from models.access import customer_id
from models.tables import Session
from tests.api.conftest import PUBLIC_URL
from tests.factories import Sessions
from tests.issuer import CLIENT_ID, ISSUER, REALM, Issuer

SESSION = "__Host-consignor_session"
LOGIN = "__Host-consignor_login"


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client that keeps its cookies."""
    async with AsyncClient(transport=ASGITransport(app), base_url=f"{PUBLIC_URL}/api/v1") as made:
        yield made


async def begin(browser: AsyncClient, return_to: str = "/orders") -> dict[str, str]:
    """Begin a login; gives what the issuer is asked."""
    answer = await browser.get("/login", params={"return_to": return_to})
    assert answer.status_code == 303
    url = urlsplit(answer.headers["location"])
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{ISSUER}/authorize"
    return {name: values[0] for name, values in parse_qs(url.query).items()}


def sign_in(issuer: Issuer, asked: dict[str, str], subject: str = "local", **more: Any) -> dict[str, str]:
    """The person signs in at the issuer; gives what the browser brings back."""
    identity = issuer.token(subject, **({"aud": CLIENT_ID, "nonce": asked["nonce"]} | more))
    tokens = {"access_token": "opaque", "id_token": identity, "token_type": "Bearer"}
    issuer.codes["the-code"] = {"challenge": asked["code_challenge"], "tokens": tokens}
    return {"code": "the-code", "state": asked["state"]}


async def logged_in(browser: AsyncClient, issuer: Issuer, subject: str = "local") -> Response:
    """A whole login."""
    return await browser.get("/callback", params=sign_in(issuer, await begin(browser), subject))


async def test_a_browser_signs_in_and_out(browser: AsyncClient, issuer: Issuer) -> None:
    asked = await begin(browser, "/orders?status=failed&q=a;b")
    assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT_ID, "code", "S256")
    assert asked["redirect_uri"] == f"{PUBLIC_URL}/api/v1/callback"
    answer = await browser.get("/callback", params=sign_in(issuer, asked))
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders?status=failed&q=a;b")
    me = await browser.get("/me")
    assert me.json()["id"] == customer_id(REALM, "local")
    kept = browser.cookies[SESSION]
    assert (await browser.post("/logout", headers={"Origin": PUBLIC_URL})).status_code == 204
    assert (await browser.get("/me")).status_code == 401
    browser.cookies.set(SESSION, kept)
    assert (await browser.get("/me")).status_code == 401


async def test_cookies_are_out_of_the_reach_of_scripts_and_of_other_sites(browser: AsyncClient, issuer: Issuer) -> None:
    answer = await logged_in(browser, issuer)
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {SESSION, LOGIN}
    for cookie in cookies:
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    assert answer.headers["cache-control"] == "no-store"


async def test_only_hashes_of_sessions_are_kept(browser: AsyncClient, issuer: Issuer, sessions: Sessions) -> None:
    await logged_in(browser, issuer)
    async with sessions.begin() as session:
        rows = (await session.execute(Session.__table__.select())).all()  # type: ignore[attr-defined]
    assert len(rows) == 1
    assert browser.cookies[SESSION].encode() not in rows[0].secret_hash


async def test_a_session_fixed_by_somebody_else_is_not_taken_over(browser: AsyncClient, issuer: Issuer) -> None:
    browser.cookies.set(SESSION, "known-to-the-attacker")
    await logged_in(browser, issuer)
    async with AsyncClient(transport=browser._transport, base_url=browser.base_url) as attacker:
        attacker.cookies.set(SESSION, "known-to-the-attacker")
        assert (await attacker.get("/me")).status_code == 401


async def test_a_second_login_ends_the_session_before(browser: AsyncClient, issuer: Issuer) -> None:
    await logged_in(browser, issuer)
    first = browser.cookies[SESSION]
    await logged_in(browser, issuer, "other")
    assert (await browser.get("/me")).json()["id"] == customer_id(REALM, "other")
    browser.cookies.clear()
    browser.cookies.set(SESSION, first)
    assert (await browser.get("/me")).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "another"},
        {"state": None},
        {"state": "é"},
        {"code": "another"},
        {"code": None},
        {"iss": "https://evil.example"},
        {"code": None, "error": "access_denied"},
    ],
)
async def test_an_answer_that_is_not_to_this_login_is_refused(
    browser: AsyncClient, issuer: Issuer, changed: dict[str, str | None]
) -> None:
    brought = {**sign_in(issuer, await begin(browser)), **changed}
    answer = await browser.get("/callback", params={name: value for name, value in brought.items() if value})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert SESSION not in browser.cookies


async def test_a_login_begun_in_another_browser_is_not_finished_here(browser: AsyncClient, issuer: Issuer) -> None:
    brought = sign_in(issuer, await begin(browser))
    browser.cookies.clear()
    assert (await browser.get("/callback", params=brought)).status_code == 401


async def test_a_code_is_good_once(browser: AsyncClient, issuer: Issuer) -> None:
    brought = sign_in(issuer, await begin(browser))
    kept = browser.cookies[LOGIN]
    assert (await browser.get("/callback", params=brought)).status_code == 303
    browser.cookies.set(LOGIN, kept)
    assert (await browser.get("/callback", params=brought)).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},
        {"exp": 1},
        {"iss": "https://evil.example"},
    ],
)
async def test_an_identity_token_for_something_else_is_refused(
    browser: AsyncClient, issuer: Issuer, wrong: dict[str, Any]
) -> None:
    brought = sign_in(issuer, await begin(browser), **wrong)
    assert (await browser.get("/callback", params=brought)).status_code == 401


async def test_an_issuer_that_is_away_is_503(browser: AsyncClient, issuer: Issuer) -> None:
    brought = sign_in(issuer, await begin(browser))
    issuer.is_away = True
    assert (await browser.get("/callback", params=brought)).status_code == 503


TARGETS = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil",
    "javascript:x",
    "",
    "a",
    "/\r\nX: 1",
]


@pytest.mark.parametrize("target", TARGETS)
def test_a_login_leads_nowhere_else(target: str) -> None:
    assert local_path(target) == "/"


OTHER_SITES: list[dict[str, str]] = [
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://orders.example"},
    {"Origin": "https://orders.example.evil.example"},
    {"Origin": "https://evil.example", "X-CSRF": "1"},
]


@pytest.mark.parametrize("headers", OTHER_SITES, ids=range(len(OTHER_SITES)))
@pytest.mark.parametrize(("method", "path"), [("POST", "/tokens"), ("POST", "/orders"), ("POST", "/logout")])
async def test_another_site_cannot_use_the_session(
    browser: AsyncClient, issuer: Issuer, headers: dict[str, str], method: str, path: str
) -> None:
    await logged_in(browser, issuer)
    body = {"name": "x", "scopes": ["read"]}
    answer = await browser.request(method, path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert (await browser.get("/me")).status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": PUBLIC_URL}, {"X-CSRF": "1"}])
async def test_the_site_itself_may_use_the_session(
    browser: AsyncClient, issuer: Issuer, headers: dict[str, str]
) -> None:
    await logged_in(browser, issuer)
    body = {"name": "x", "scopes": ["read"]}
    assert (await browser.post("/tokens", json=body, headers=headers)).status_code == 201


async def test_a_session_ends_when_its_time_is_up(browser: AsyncClient, issuer: Issuer, sessions: Sessions) -> None:
    await logged_in(browser, issuer)
    async with sessions.begin() as session:
        table = Session.__table__  # type: ignore[attr-defined]
        await session.execute(table.update().values(expires_at=table.c.created_at))
    assert (await browser.get("/me")).status_code == 401


async def test_a_wrong_token_beside_a_good_session_is_refused(browser: AsyncClient, issuer: Issuer) -> None:
    await logged_in(browser, issuer)
    expired = issuer.token(exp=int(time.time()) - 3600)
    assert (await browser.get("/me", headers={"Authorization": f"Bearer {expired}"})).status_code == 401
