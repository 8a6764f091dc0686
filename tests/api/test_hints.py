"""Where the API says that remedies are found."""

from httpx2 import AsyncClient

from api.app import create_app
from api.hints import ROUTES
from models.errors import Hint
from tests.api.conftest import MakeProduct


def test_every_hint_has_a_route_and_every_route_is_one_of_ours() -> None:
    assert set(ROUTES) == set(Hint)
    described = create_app(lambda: None).openapi()["paths"]  # type: ignore[arg-type,return-value]
    assert all(method.lower() in described[path] for method, path in (route.split() for route in ROUTES.values()))


async def test_routes_stand_in_the_detail_once_and_in_no_fault(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    items = [{"product": "atlantis"}, {"product": "lemuria"}, {"product": "scenes", "objects": ["nowhere"]}]
    answer = (await client.post("/orders", json={"items": items})).json()
    assert answer["detail"].count("GET ") == 2
    assert answer["detail"].endswith("; see GET /api/v1/products or GET /api/v1/products/{sku}/objects")
    assert all(set(fault) == {"field", "code", "text"} and "GET" not in fault["text"] for fault in answer["faults"])
