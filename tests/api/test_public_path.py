"""The facade below a path of a host, and paths as clients write them."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from api.dependencies import Services
from api.http.paths import below, below_prefix
from tests.api.conftest import PUBLIC_URL, MakeProduct
from tests.api.test_identity_sessions import begin, sign_in
from tests.issuer import Issuer

PREFIX = "/at/consignor"
ROOT = PUBLIC_URL + PREFIX


@pytest.fixture
async def services(services: Services) -> Services:
    """The services of a facade below a path of its host."""
    return replace(services, public_url=ROOT)


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client that keeps its cookies."""
    async with AsyncClient(transport=ASGITransport(app), base_url=f"{ROOT}/api/v1") as made:
        yield made


async def test_the_documentation_and_the_description_are_found_below_the_path(browser: AsyncClient) -> None:
    for front in (ROOT, f"{ROOT}/", f"{PUBLIC_URL}/"):
        answer = await browser.get(front)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PREFIX}/docs")
    for place in (ROOT, PUBLIC_URL):
        assert f"{PREFIX}/api/v1/openapi.json" in (await browser.get(f"{place}/docs")).text
        assert (await browser.get(f"{place}/api/v1/openapi.json")).json()["servers"][0]["url"] == PREFIX


async def test_texts_name_routes_as_they_are_found_from_outside(client: AsyncClient) -> None:
    unknown = await client.post("/orders", json={"items": [{"product": "nothing", "objects": "all"}]})
    assert f"GET {PREFIX}/api/v1/products" in unknown.json()["detail"]
    strange = await client.post("/orders", json={"items": [], "strange": 1})
    assert f"{PREFIX}/api/v1/openapi.json" in strange.text


async def test_a_login_stays_below_the_path(browser: AsyncClient, issuer: Issuer) -> None:
    for return_to, expected in (("/orders?a=b", f"{PREFIX}/orders?a=b"), (f"{PREFIX}/x", f"{PREFIX}/x")):
        asked = await begin(browser, return_to)
        assert asked["redirect_uri"] == f"{ROOT}/api/v1/callback"
        answer = await browser.get("/callback", params=sign_in(issuer, asked))
        assert (answer.status_code, answer.headers["location"]) == (303, expected)
    for cookie in answer.headers.get_list("set-cookie"):
        # Not `__Host-`, which would go to all that the host serves.
        assert cookie.startswith("__Secure-")
        assert f"Path={PREFIX}" in cookie.split("; ")
    assert (await browser.get("/me")).status_code == 200
    assert (await browser.post("/logout", headers={"Origin": PUBLIC_URL})).status_code == 204
    assert (await browser.get("/me")).status_code == 401


async def test_a_slash_at_the_end_makes_no_difference(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    for path in ("/stac/", "/stac/collections/", "/stac/collections/scenes/items/", "/api/v1/orders/", "/healthz/"):
        assert (await client.get(ROOT + path)).status_code == 200, path
    assert (await client.post(f"{ROOT}/stac/search/", json={})).status_code == 200
    for nothing in ("/stac//", "//stac", "/api//v1/orders", "/api/v1/", "/api/v1/orders//"):
        assert (await client.get(ROOT + nothing)).status_code == 404, nothing


async def test_what_need_not_be_encoded_may_be(client: AsyncClient) -> None:
    assert (await client.get(f"{ROOT}/api/v1/%6Frders")).status_code == 200
    # An encoded slash parts nothing.
    assert (await client.get(f"{ROOT}/api%2Fv1/orders")).status_code == 404


ROOTS = frozenset({"", "api", "stac", "docs"})


@pytest.mark.parametrize(
    ("prefix", "path", "expected"),
    [
        ("", "/api/v1", "/api/v1"),
        ("/a", "/a", "/"),
        ("/a", "/a/", "/"),
        ("/a", "/", "/"),
        ("/a", "/a/api/v1", "/api/v1"),
        ("/a", "/api/v1", "/api/v1"),
        ("/a", "/ab/api", "/ab/api"),
        ("/a", "/a/nothing", "/a/nothing"),
        ("/api", "/api/v1/orders", "/api/v1/orders"),
        ("/api", "/api/api/v1/orders", "/api/v1/orders"),
        ("/api/v1", "/api/v1/orders", "/api/v1/orders"),
        ("/api/v1", "/api/v1/api/v1/orders", "/api/v1/orders"),
        ("/stac", "/stac/stac", "/stac"),
        ("/stac", "/stac", "/stac"),
        ("/stac", "/stac/docs", "/docs"),
    ],
)
def test_a_prefix_is_taken_away_where_a_proxy_has_left_it(prefix: str, path: str, expected: str) -> None:
    assert below(prefix, path, ROOTS) == expected


def test_a_path_of_this_site_is_one_below_the_prefix() -> None:
    assert below_prefix("https://host", "/orders") == "/orders"
    for path in ("/a", "/a/", "/a/b", "/a?b"):
        assert below_prefix("https://host/a", path) == path
    assert below_prefix("https://host/a", "/ab") == "/a/ab"
    assert below_prefix("https://host/a", "/") == "/a/"
