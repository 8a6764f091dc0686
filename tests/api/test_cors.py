"""Pages of other origins: none may ask unless set, and those that may read what they need."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from httpx2 import ASGITransport, AsyncClient

from api.dependencies import Services
from models.cors import CorsPolicy, parse_origin
from tests.api.applications import started
from tests.api.conftest import PUBLIC_URL
from tests.api.test_identity_sessions import SESSION, logged_in
from tests.issuer import Issuer

MAPS, OTHER = "https://maps.example.org", "https://other.example.org"


@pytest.fixture
async def services(services: Services) -> Services:
    """The services of a facade that one origin may ask, as whoever has signed in."""
    return replace(services, cors=CorsPolicy(frozenset({MAPS}), credentials=True))


@asynccontextmanager
async def asked_with(services: Services, policy: CorsPolicy) -> AsyncIterator[AsyncClient]:
    """A client of a facade with another policy."""
    async with (
        started(replace(services, cors=policy)) as app,
        AsyncClient(transport=ASGITransport(app), base_url=f"{PUBLIC_URL}/api/v1") as made,
    ):
        yield made


def preflight(
    origin: str, method: str = "PATCH", headers: str = "authorization, if-match, content-type"
) -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}


async def test_no_page_may_ask_unless_set(services: Services) -> None:
    async with asked_with(services, CorsPolicy()) as nobody:
        for answer in (
            await nobody.options("/orders", headers=preflight(MAPS)),
            await nobody.get("/me", headers={"Origin": MAPS}),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_page_of_an_allowed_origin_asks_and_reads(client: AsyncClient) -> None:
    allowed = await client.options("/orders/x", headers=preflight(MAPS))
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, MAPS)
    assert allowed.headers["access-control-allow-credentials"] == "true"
    assert "PATCH" in allowed.headers["access-control-allow-methods"]
    assert (await client.options("/orders/x", headers=preflight(OTHER))).status_code == 400
    assert (await client.options("/orders/x", headers=preflight(MAPS, headers="x-strange"))).status_code == 400
    for path in ("/orders", "/nothing", "/orders/x"):
        answer = await client.get(path, headers={"Origin": MAPS})
        assert answer.headers["access-control-allow-origin"] == MAPS
        exposed = set(answer.headers["access-control-expose-headers"].split(", "))
        assert {"ETag", "Link", "Location", "Content-Range", "Content-Disposition", "Retry-After"} <= exposed
        # Nobody may keep an answer to one origin for another.
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-origin" not in (await client.get(path, headers={"Origin": OTHER})).headers
    refused = await client.put("/orders", headers={"Origin": MAPS})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (405, MAPS)


async def test_with_credentials_an_allowed_page_acts_as_whoever_has_signed_in(
    anonymous: AsyncClient, issuer: Issuer
) -> None:
    await logged_in(anonymous, issuer)
    assert SESSION in anonymous.cookies
    refused = await anonymous.post("/logout", headers={"Origin": OTHER, "X-CSRF": "1"})
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
    assert (await anonymous.post("/logout", headers={"Origin": MAPS})).status_code == 204


async def test_without_credentials_any_page_may_read_what_a_token_opens(services: Services, issuer: Issuer) -> None:
    async with asked_with(services, CorsPolicy(frozenset({"*"}))) as anybody:
        answer = await anybody.get(
            "/orders", headers={"Origin": OTHER, "Authorization": f"Bearer {issuer.token('local')}"}
        )
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
        assert "access-control-allow-credentials" not in answer.headers
        await logged_in(anybody, issuer)
        assert (await anybody.post("/logout", headers={"Origin": OTHER})).status_code == 403


def test_any_origin_and_credentials_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="any page could act"):
        CorsPolicy(frozenset({MAPS, "*"}), credentials=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", "*"),
        ("https://Maps.Example.org", MAPS),
        ("https://maps.example.org:443", MAPS),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_origin_is_compared_as_browsers_write_it(text: str, expected: str) -> None:
    assert parse_origin(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "null",
            "maps.example.org",
            "https://",
            "ftp://maps.example.org",
            "https://*.example.org/",
            "https://a/b",
        ),
        *(
            "https://a/",
            "https://a?b",
            "https://a#b",
            "https://u@a",
            "https://é.example",
            "https://a:x",
            "https://a:99999",
            "https://*.a",
        ),
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        parse_origin(text)
