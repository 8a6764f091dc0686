"""`consignor order links --revoke` asks the API to refuse the links of that order, found by its number as well."""

import httpx2 as httpx
import pytest

from cli.api_client import Api
from cli.commands.order_links import revoke_links
from cli.credentials import Credential

ID = "00000000-0000-7000-8000-000000000001"
ORDER = {"id": ID, "number": "CO-2026-000001"}


@pytest.mark.parametrize("key", [ID, "co-2026-000001"])
def test_the_links_of_an_order_are_revoked(key: str) -> None:
    asked = list[tuple[str, str]]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        if request.method == "POST":
            return httpx.Response(204)
        listing = request.url.path.endswith("/orders")
        return httpx.Response(200, json={"items": [ORDER]} if listing else ORDER)

    with Api("http://api.test", Credential.fixed("token"), transport=httpx.MockTransport(answer)) as api:
        assert revoke_links(api, key) == "CO-2026-000001  links revoked"
    assert asked[-1] == ("POST", f"/api/v1/orders/{ID}/links:revoke")
