"""Downloads and exports under way are cut when the right to them ends, and not when it merely cannot be asked about."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient, AsyncHTTPTransport, Response, TransportError
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from api.dependencies import Services
from api.http.lasting import LastingRight
from api.http.limiting import Ceiling
from models.access import Role
from models.errors import Forbidden, LinkRefused, Unauthenticated
from models.tables import Order
from tests.api.conftest import MakeReady
from tests.api.serving import served
from tests.factories import LOCAL_CALLER, Sessions
from tests.issuer import as_
from tests.listings import add_rows, order_row

BUFFER = 64 * 1024
BIG = {"big": {"a.bin": bytes(1024 * 1024)}}
"""More than a connection of such buffers takes that nobody reads."""


@pytest.fixture
async def api(services: Services, database_url: str) -> AsyncIterator[AsyncClient]:
    """A client of a facade on a real port that looks again all the time."""
    often = replace(services, look_again_after=0.05)
    transport = AsyncHTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)])
    async with (
        served(often, database_url, is_public=True, send_buffer=BUFFER) as base,
        AsyncClient(base_url=f"{base}/api/v1", timeout=30, transport=transport) as client,
    ):
        yield client


async def new_token(api: AsyncClient) -> dict[str, Any]:
    answer = await api.post("/tokens", json={"name": "n", "scopes": ["read"]}, headers=as_("local"))
    made: dict[str, Any] = answer.json()
    return made | {"shown": {"Authorization": f"Bearer {made['token']}"}}


async def revoke(api: AsyncClient, token: dict[str, Any]) -> None:
    assert (await api.delete(f"/tokens/{token['id']}", headers=as_("local"))).status_code == 204


async def links_of(api: AsyncClient, order: Order, shown: dict[str, str]) -> list[str]:
    """The links of an order to a file and to an archive."""
    found = (await api.get(f"/orders/{order.id}/links", headers=shown)).json()
    return [found["files"][0]["url"], found["archives"][0]["url"]]


@asynccontextmanager
async def unread(api: AsyncClient, url: str, shown: dict[str, str] | None = None) -> AsyncIterator[Response]:
    """An answer that has begun, and of which nothing more is read yet."""
    async with api.stream("GET", url, headers=shown or {}) as answer:
        assert answer.status_code == 200
        yield answer


async def only(count: int, answers: Ceiling) -> None:
    """Return when no more than so many are under way."""
    async with asyncio.timeout(30):
        while answers.active.total() > count:  # noqa: ASYNC110 - nothing tells when an answer ends
            await asyncio.sleep(0.01)


async def is_cut(answer: Response) -> bool:
    try:
        await answer.aread()
    except TransportError:
        return True
    return False


async def test_downloads_are_cut_when_their_token_is_revoked_and_others_go_on(
    api: AsyncClient, services: Services, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order(BIG)
    archive, token, other = f"/orders/{order.id}/suborders/1/archive", await new_token(api), await new_token(api)
    (by_link, _), (stays, _) = await links_of(api, order, token["shown"]), await links_of(api, order, other["shown"])
    with capture_logs() as logs:
        async with (
            unread(api, archive, token["shown"]) as first,
            unread(api, by_link) as second,
            unread(api, archive, other["shown"]) as third,
            unread(api, stays) as fourth,
        ):
            await revoke(api, token)
            await only(2, services.downloads)
            assert [await is_cut(answer) for answer in (first, second, third, fourth)] == [True, True, False, False]
    assert [line["why"] for line in logs if line["event"] == "answer cut"] == ["the right to it has ended"] * 2
    assert (await api.get(archive, headers=token["shown"])).status_code == 401


async def test_downloads_by_links_are_cut_when_the_links_of_the_order_are_revoked(
    api: AsyncClient, services: Services, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order(BIG)
    file, archive = await links_of(api, order, as_("local"))
    own = f"/orders/{order.id}/files/1/content"
    async with unread(api, file) as first, unread(api, archive) as second, unread(api, own, as_("local")) as third:
        await api.post(f"/orders/{order.id}/links:revoke", headers=as_("local"))
        await only(1, services.downloads)
        assert [await is_cut(answer) for answer in (first, second, third)] == [True, True, False]


async def test_an_export_is_cut_when_its_token_is_revoked(
    api: AsyncClient, services: Services, sessions: Sessions
) -> None:
    chance, token, other = random.Random(1), await new_token(api), await new_token(api)
    mine = {"customer": LOCAL_CALLER.customer}
    await add_rows(sessions, [order_row(n, chance, **mine, label=f"{n:2000}") for n in range(300)], chance)
    async with (
        unread(api, "/orders.csv", token["shown"]) as first,
        unread(api, "/orders.jsonl", other["shown"]) as second,
    ):
        await revoke(api, token)
        await only(1, services.exports)
        assert [await is_cut(answer) for answer in (first, second)] == [True, False]


async def test_a_download_outlives_what_merely_runs_out(
    api: AsyncClient, services: Services, sessions: Sessions, make_ready_order: MakeReady
) -> None:
    order, token, revoked = await make_ready_order(BIG), await new_token(api), await new_token(api)
    archive = f"/orders/{order.id}/suborders/1/archive"
    async with unread(api, archive, token["shown"]) as first, unread(api, archive, revoked["shown"]) as second:
        async with sessions.begin() as session:
            await session.execute(sa.text("UPDATE access_tokens SET expires_at = now()"))
        await revoke(api, revoked)
        await only(1, services.downloads)
        assert [await is_cut(answer) for answer in (first, second)] == [False, True]


async def test_a_right_ends_when_it_is_denied_and_not_while_the_database_is_away(services: Services) -> None:
    denials: list[Exception | bool] = [
        Unauthenticated("revoked"),
        Forbidden("you have no role here", Role),
        LinkRefused(),
        False,
    ]
    for denial in denials:
        said: Iterator[Exception | bool] = iter([True, OperationalError("", None, OSError()), True, denial])

        async def look(_: AsyncSession, said: Iterator[Exception | bool] = said) -> bool:
            if isinstance(word := next(said), Exception):
                raise word
            return word

        async with asyncio.timeout(30):
            await LastingRight(replace(services, look_again_after=0), look).ended()
        assert list(said) == []
