"""The application as a whole: unknown paths, health, the published description, and no answer of ours in 5xx."""

from itertools import product

import pytest
from httpx2 import AsyncClient

from api.dependencies import Services
from api.events.routes import EventsServices
from api.http.bodies import MAX_BODY_BYTES, MAX_LIST_BYTES
from api.identity.authenticate import IdentityServices
from api.operations.state import OperationsServices
from tests.api.conftest import PUBLIC_URL, MakeProduct

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("path", ["/", "/nothing", "/orders/x/y/z", "/%00", "/ordérs", "/api/v1/orders", "//"])
async def test_an_unknown_path_of_the_api_is_a_problem(client: AsyncClient, path: str) -> None:
    answer = await client.get(f"{PUBLIC_URL}/api/v1{path}", follow_redirects=True)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path"), [*product(["PUT", "PATCH", "DELETE"], ["/orders", "/products", "/nothing"])]
)
async def test_a_method_that_is_not_offered_is_a_problem(client: AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code in {404, 405}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("root", ["", "/api/v1"])
async def test_whatever_is_wanted_of_an_unknown_path_it_is_unknown(client: AsyncClient, method: str, root: str) -> None:
    answer = await client.request(method, f"{PUBLIC_URL}{root}/nothing/here")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "allow" not in answer.headers
    known = await client.request("PUT", f"{PUBLIC_URL}/api/v1/orders")
    assert (known.status_code, known.headers["content-type"]) == (405, "application/problem+json")


async def test_the_bare_address_leads_to_the_documentation(client: AsyncClient) -> None:
    answer = await client.get(f"{PUBLIC_URL}/", follow_redirects=True)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_health_and_readiness_are_told(client: AsyncClient) -> None:
    assert (await client.get(f"{PUBLIC_URL}/healthz")).json() == {"status": "ok"}
    assert (await client.get(f"{PUBLIC_URL}/readyz")).json() == {"status": "ready", "degraded": False}


async def test_the_description_names_every_operation_once_and_its_problems(client: AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    operations = [(path, operation) for path, methods in described["paths"].items() for operation in methods.values()]
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names)
    assert {"create-order", "list-orders", "show-order", "list-files-for-order", "list-products"} <= set(names)
    for path, operation in operations:
        if "{order_id}" in path:
            assert "404" in operation["responses"], path


IDS = ["x", "%00", "1", "9" * 400, NOBODY, "%ED%A0%80", "..%2F..", "null"]
NUMBERS = ["0", "-1", "1", "x", "9" * 400, str(2**31), str(2**63), "1.5", "%00", "٣"]


@pytest.mark.parametrize("key", IDS, ids=range(len(IDS)))
async def test_no_id_however_strange_is_a_mistake_of_ours(
    client: AsyncClient, make_product: MakeProduct, key: str
) -> None:
    await make_product()
    for part in ("", "/suborders", "/files", "/timeline", *(f"/suborders/{number}/archive" for number in NUMBERS)):
        answer = await client.get(f"/orders/{key}{part}")
        assert answer.status_code in {404, 422}, (part, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_what_answers_a_get_answers_a_head_alike_without_a_body(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    known = ("/orders", "/products", "/orders.csv", "/orders.jsonl", "/stats?days=7", "/me", "/openapi.json", "/login")
    refused = (f"/orders/{NOBODY}", f"/orders/{NOBODY}/files", "/nothing", "/orders?limit=0", "/orders/x")
    elsewhere = (
        "/healthz",
        "/readyz",
        "/docs",
        "/stac",
        "/stac/search",
        "/stac/collections/scenes/items/winter",
    )
    for url in (*known, *refused, *(PUBLIC_URL + path for path in (*elsewhere, "/", "/nothing"))):
        shown, head = await client.get(url), await client.head(url)
        assert (head.status_code, head.content) == (shown.status_code, b""), url
        assert head.headers.get("content-type") == shown.headers.get("content-type"), url
        if "etag" in shown.headers:
            assert head.headers["etag"] == shown.headers["etag"], url


async def test_a_head_of_a_stream_ends(client: AsyncClient, services: Services) -> None:
    answer = await client.head("/events")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert len(services.hub) == 0


async def test_a_path_without_a_get_has_no_head(client: AsyncClient) -> None:
    answer = await client.head("/orders:bulk")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await client.put("/orders")).headers["allow"] == "GET, HEAD, POST"


async def test_a_body_larger_than_any_order_is_refused(client: AsyncClient) -> None:
    for path, most in (("/orders", MAX_LIST_BYTES), ("/webhooks/payments", MAX_BODY_BYTES)):
        headers = {"Content-Type": "application/json", "webhook-id": "m", "webhook-timestamp": "1"}
        answer = await client.post(path, content=b" " * (most + 1), headers=headers | {"webhook-signature": "v1,AAAA"})
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
        assert (answer.json()["code"], answer.json()["faults"][0]["field"]) == ("too_large", "body")


def test_the_container_has_what_the_rooms_below_it_take(services: Services) -> None:
    # The types are the test: FastAPI's `Depends` has none.
    identity: IdentityServices = services
    operations: OperationsServices = services
    events: EventsServices = services
    assert identity is services
    assert operations.operations.hub is events.hub
