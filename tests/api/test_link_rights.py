"""Signed links end with the right of whoever made them, and when they are revoked; not when they merely signed out."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient

from tests.api.conftest import MakeReady
from tests.factories import Sessions
from tests.issuer import Issuer, as_

Opens = Callable[[str], Awaitable[bool]]


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def opens(anonymous: AsyncClient) -> Opens:
    """Whether a link opens; one that does not is refused, with the reason."""

    async def ask(url: str) -> bool:
        answer = await anonymous.get(url)
        if answer.status_code == 200:
            return True
        assert (answer.status_code, answer.json()["code"]) == (403, "link_refused"), answer.text
        return False

    return ask


async def links(anonymous: AsyncClient, order_id: object, headers: dict[str, str]) -> list[str]:
    """A link to a file, one to the archive, one to the Metalink, and one that is in that Metalink."""
    answer = await anonymous.get(f"/orders/{order_id}/links", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    metalink = await anonymous.get(found["metalink"])
    within = metalink.text.partition('<url priority="1">')[2] or metalink.text.partition("<url>")[2]
    return [found["files"][0]["url"], found["archives"][0]["url"], found["metalink"], within.partition("</url>")[0]]


async def test_links_end_with_the_access_token_they_were_made_with(
    anonymous: AsyncClient, make_ready_order: MakeReady, opens: Opens
) -> None:
    order = await make_ready_order()
    made = (await anonymous.post("/tokens", json={"name": "n", "scopes": ["read"]}, headers=as_("local"))).json()
    by_token = await links(anonymous, order.id, bearer(made["token"]))
    by_person = await links(anonymous, order.id, as_("local"))
    assert by_token != by_person
    assert [await opens(url) for url in (*by_token, *by_person)] == [True] * 8
    assert (await anonymous.delete(f"/tokens/{made['id']}", headers=as_("local"))).status_code == 204
    assert [await opens(url) for url in by_token] == [False] * 4
    assert [await opens(url) for url in by_person] == [True] * 4


async def test_a_token_that_ran_out_leaves_its_links(
    anonymous: AsyncClient, sessions: Sessions, make_ready_order: MakeReady, opens: Opens
) -> None:
    order = await make_ready_order()
    made = (await anonymous.post("/tokens", json={"name": "n", "scopes": ["read"]}, headers=as_("local"))).json()
    url, *_ = await links(anonymous, order.id, bearer(made["token"]))
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE access_tokens SET expires_at = now()"))
    assert await opens(url)


async def test_the_links_of_an_order_are_revoked_and_made_again(
    anonymous: AsyncClient, make_ready_order: MakeReady, opens: Opens
) -> None:
    order = await make_ready_order()
    old = await links(anonymous, order.id, as_("local"))
    assert (await anonymous.post(f"/orders/{order.id}/links:revoke", headers=as_("local"))).status_code == 204
    new = await links(anonymous, order.id, as_("local"))
    assert [await opens(url) for url in (*old, *new)] == [False] * 4 + [True] * 4
    assert await links(anonymous, order.id, as_("local")) == new, "the same until something is revoked again"


@pytest.mark.parametrize("what", ["signed out", "customer"])
async def test_links_of_an_operator_end_when_the_operator_is_none_any_more(
    anonymous: AsyncClient, issuer: Issuer, make_ready_order: MakeReady, opens: Opens, what: str
) -> None:
    order = await make_ready_order()
    theirs = await links(anonymous, order.id, as_("ada"))
    assert [await opens(url) for url in theirs] == [True] * 4
    if what == "signed out":
        me = (await anonymous.get("/me", headers=as_("ada"))).json()["id"]
        assert (await anonymous.post(f"/users/{me}:sign-out", headers=as_("ada"))).status_code == 200
    else:
        later = issuer.token("ada", roles=["customer"], iat=int(time.time()) + 1)
        assert (await anonymous.get("/me", headers=bearer(later))).json()["roles"] == ["customer"]
    assert [await opens(url) for url in theirs] == [False] * 4
    mine = await links(anonymous, order.id, as_("local"))
    assert [await opens(url) for url in mine] == [True] * 4
