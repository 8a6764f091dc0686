"""What a browser may do with an answer, who may keep it, and a documentation that comes from nobody else's host."""

import re
from dataclasses import replace

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api.dependencies import Services
from api.http.policy import CONTENT_SECURITY_POLICY
from tests.api.conftest import PUBLIC_URL, MakeReady

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("path", ["/orders", f"/orders/{NOBODY}", "/nothing", "/products", "/me", "/quotas"])
async def test_what_somebody_is_answered_is_kept_by_nobody_else(client: AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    if path != "/nothing":
        assert headers["cache-control"].startswith("private")


async def test_refusals_have_the_policy_too(anonymous: AsyncClient) -> None:
    for method, path in (("GET", "/orders"), ("BREW", "/orders"), ("POST", "/orders"), ("GET", "//")):
        headers = (await anonymous.request(method, path)).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert headers["cache-control"] == "no-cache"


async def test_links_and_tokens_are_stored_nowhere(client: AsyncClient, make_ready_order: MakeReady) -> None:
    order = await make_ready_order()
    assert (await client.get(f"/orders/{order.id}/links")).headers["cache-control"] == "no-store"
    made = await client.post("/tokens", json={"name": "nightly", "scopes": ["read"]})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")


async def test_a_browser_that_came_by_https_comes_by_https_from_then_on(
    app: FastAPI, services: Services, client: AsyncClient
) -> None:
    assert "max-age=31536000" in (await client.get("/me")).headers["strict-transport-security"]
    app.state.services = replace(services, public_url="http://127.0.0.1:8000")
    assert "strict-transport-security" not in (await client.get("/me")).headers


async def test_what_is_mounted_in_the_api_answers_with_the_policy_and_may_have_its_own(
    app: FastAPI, anonymous: AsyncClient
) -> None:
    async def answer(request: Request) -> Response:
        return PlainTextResponse("there", headers=dict(request.query_params))

    app.mount("/mounted", Starlette(routes=[Route("/there", answer, methods=["GET", "POST"])]))
    try:
        # Its routes take no caller, so that none is looked for.
        assert (await anonymous.post(f"{PUBLIC_URL}/mounted/there", data={"a": "b"})).status_code == 200
        for own in ({}, {"Content-Security-Policy": "default-src 'self'"}):
            answered = await anonymous.get(f"{PUBLIC_URL}/mounted/there", params=own)
            assert answered.status_code == 200
            assert answered.headers["content-security-policy"] == own.get(
                "Content-Security-Policy", CONTENT_SECURITY_POLICY
            )
            assert "max-age=31536000" in answered.headers["strict-transport-security"]
    finally:
        app.router.routes.pop()


async def test_the_documentation_loads_and_runs_nothing_of_other_hosts(anonymous: AsyncClient) -> None:
    page = await anonymous.get(f"{PUBLIC_URL}/docs")
    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sorted(loaded) == ["/docs/favicon-32x32.png", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"]
    for path in loaded:
        file = await anonymous.get(f"{PUBLIC_URL}{path}")
        assert (file.status_code, len(file.content) > 100) == (200, True)
    policy = page.headers["content-security-policy"]
    assert "script-src 'self' 'sha256-" in policy
    assert "unsafe" not in policy.replace("style-src 'self' 'unsafe-inline'", "")
    assert (await anonymous.get(f"{PUBLIC_URL}/docs/__init__.py")).status_code == 404
