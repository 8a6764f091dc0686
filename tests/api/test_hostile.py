"""A small campaign of hostile clients, all at once, and somebody who works meanwhile; `make hostile` is a large one."""

from collections import Counter
from contextlib import AsyncExitStack

from httpx2 import AsyncClient

from api.dependencies import Services
from api.http.protocol import ConnectionBounds
from bench.hostile import Bystander
from bench.hostile_clients import SCENES, Site, long_list, strangers_body, under_attack
from tests.api.conftest import MakeReady
from tests.api.serving import served
from tests.issuer import Issuer

FEW = 2
"""Connections of each scene."""


async def test_who_stands_by_is_served_while_others_do_their_worst(
    services: Services, database_url: str, issuer: Issuer, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order()
    archive = f"/api/v1/orders/{order.id}/suborders/1/archive"
    for ceiling in (services.downloads, services.streams, services.exports):
        ceiling.limit = FEW // 2
    seen: dict[str, Counter[str]] = {}
    bounds = ConnectionBounds(head_timeout=1, body_grace=1, stalled_after=1)
    headers = {"Authorization": f"Bearer {issuer.token('ada')}"}
    async with served(services, database_url, bounds=bounds) as url, AsyncExitStack() as attacks:
        client = await attacks.enter_async_context(AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=30))
        bystander = Bystander(client, "scenes", ("PATCH", "", {"tags": ["seen"]}))  # Temporal is away
        site = Site(url, issuer.token("local"), archive)
        for name, (attack, _) in SCENES.items():
            if attack in {strangers_body, long_list}:
                continue  # Their clients cost this process more than the server does.
            seen[name] = await attacks.enter_async_context(under_attack(site, attack, FEW))
        while not all(seen.values()):
            await bystander.work(url + archive)
        await bystander.work(url + archive)
    assert bystander.failed == []
    assert seen["streams of events"] == {"200": FEW // 2, "503": FEW // 2}
    assert set(seen["heads without an end"]) <= {"431", "cut"}
    assert "408" in seen["heads sent in half"]
    assert set(seen["WebSocket upgrades"]) == {"200"}
