"""Quotas: told before an order is placed, kept when it is, also by two at once; and how often one may ask."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient, Response

from api.dependencies import Services
from api.http.limiting import Ceiling, RequestRate
from models.errors import TooManyDownloads
from models.quotas import Quotas
from tests.api.conftest import SCENES, MakeProduct, MakeReady
from tests.factories import Sessions, a_shop, add_order
from tests.issuer import Issuer

BODY = {"items": [{"product": "scenes"}]}
FILES = sum(len(contents) for contents in SCENES.values())
BYTES = sum(len(content) for contents in SCENES.values() for content in contents.values())


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quotas(request: pytest.FixtureRequest) -> Quotas:
    """The limits that the test asks for."""
    return getattr(request, "param", Quotas())


@pytest.fixture
async def services(services: Services, quotas: Quotas, clock: Clock) -> Services:
    """With limits."""
    return replace(
        services, shop=a_shop(quotas=quotas), rate=RequestRate(clock=clock), downloads=Ceiling(TooManyDownloads)
    )


def limited(**limits: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("quotas", [Quotas(**limits)], indirect=True)


def exceeded(answer: Response) -> list[str]:
    """The limits that an order goes beyond."""
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json"), answer.text
    assert answer.json()["code"] == "quota_exceeded"
    assert all(fault["text"] and fault["field"] == "items" for fault in answer.json()["faults"])
    return [fault["code"] for fault in answer.json()["faults"]]


async def orders(client: AsyncClient) -> int:
    return len((await client.get("/orders")).json()["items"])


@limited(open_orders=2)
async def test_nobody_has_more_open_orders_than_they_may(
    client: AsyncClient, anonymous: AsyncClient, issuer: Issuer, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    first = (await client.post("/orders", json={**BODY, "draft": True})).json()
    assert (await client.post("/orders", json=BODY)).status_code == 201
    refused = await client.post("/orders", json=BODY)
    assert exceeded(refused) == ["open_orders_exceeded"]
    assert "you have 2 open orders of 2" in refused.json()["detail"]
    assert await orders(client) == 2
    theirs = {"Authorization": f"Bearer {issuer.token('other')}"}
    assert (await anonymous.post("/orders", json=BODY, headers=theirs)).status_code == 201
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE orders SET status = 'cancelled' WHERE id = :id"), {"id": first["id"]})
    assert (await client.post("/orders", json=BODY)).status_code == 201


@limited(open_orders=3)
async def test_of_many_orders_at_once_no_more_are_accepted_than_may_be(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    answers = await asyncio.gather(*(client.post("/orders", json=BODY) for _ in range(9)))
    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 6}
    assert await orders(client) == 3


@limited(bytes_per_period=2 * BYTES)
async def test_of_many_orders_at_once_no_more_bytes_are_accepted_than_may_be(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    answers = await asyncio.gather(*(client.post("/orders", json=BODY) for _ in range(6)))
    assert Counter(answer.status_code for answer in answers) == {201: 2, 409: 4}


@limited(files_per_order=FILES - 1, bytes_per_order=BYTES - 1)
async def test_an_order_that_is_too_large_is_refused_with_every_limit_it_goes_beyond(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    assert exceeded(await client.post("/orders", json=BODY)) == ["files_per_order_exceeded", "bytes_per_order_exceeded"]
    assert await orders(client) == 0
    smaller = {"items": [{"product": "scenes", "objects": ["winter"]}]}
    assert (await client.post("/orders", json=smaller)).status_code == 201


@limited(files_per_order=FILES, bytes_per_order=BYTES, files_per_period=FILES, bytes_per_period=BYTES, open_orders=1)
async def test_a_limit_may_be_used_up_to_its_end(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    assert (await client.post("/orders", json=BODY)).status_code == 201


@limited(files_per_period=FILES, period=timedelta(hours=6))
async def test_what_was_ordered_long_ago_or_came_to_nothing_does_not_count(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    assert (await client.post("/orders", json=BODY)).status_code == 201
    refused = await client.post("/orders", json=BODY)
    assert exceeded(refused) == ["files_per_period_exceeded"]
    assert f"{FILES} files in 6 hours and have 0 left" in refused.json()["detail"]
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE orders SET created_at = now() - interval '7 hours'"))
    assert (await client.post("/orders", json=BODY)).status_code == 201
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE orders SET status = 'cancelled'"))
    assert (await client.post("/orders", json=BODY)).status_code == 201


@limited(open_orders=1)
async def test_a_restart_is_an_order_and_an_operators_is_not_held_to_its_customers_quotas(
    client: AsyncClient, anonymous: AsyncClient, issuer: Issuer, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    assert exceeded(await client.post(f"/orders/{order.id}/restart")) == ["open_orders_exceeded"]
    headers = {"Authorization": f"Bearer {issuer.token('ada')}"}
    assert (await anonymous.post(f"/orders/{order.id}/restart", headers=headers)).status_code == 201


@limited(open_orders=5, bytes_per_order=BYTES, files_per_period=3 * FILES)
async def test_limits_are_told_before_an_order_and_with_it(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    estimate = await client.post("/orders:estimate", json=BODY)
    assert (await client.post("/orders", json=BODY)).headers["ratelimit"] == estimate.headers["ratelimit"]
    told = await client.get("/quotas")
    assert [(quota["name"], quota["limit"], quota["used"], quota["remaining"]) for quota in told.json()["items"]] == [
        ("open_orders", 5, 1, 4),
        ("bytes_per_order", BYTES, 0, BYTES),
        ("files_per_period", 3 * FILES, FILES, 2 * FILES),
    ]
    assert [quota["window_seconds"] for quota in told.json()["items"]] == [None, None, 86400]
    policy = f'"open-orders";q=5, "bytes-per-order";q={BYTES}, "files-per-period";q={3 * FILES};w=86400'
    assert told.headers["ratelimit-policy"] == policy
    left = f'"open-orders";r=4, "bytes-per-order";r={BYTES}, "files-per-period";r={2 * FILES}'
    assert told.headers["ratelimit"] == left


@limited(open_orders=1, files_per_order=1)
async def test_an_estimate_tells_every_limit_an_order_would_go_beyond(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    await add_order(sessions, {"scenes": "all"})
    told = (await client.post("/orders:estimate", json={"items": [*BODY["items"], {"product": "atlantis"}]})).json()
    codes = [fault["code"] for fault in told["faults"]]
    assert codes == ["unknown_id", "open_orders_exceeded", "files_per_order_exceeded"]
    assert (told["acceptable"], told["quotas"][0]["used"]) == (False, 1)


async def test_without_limits_nothing_is_told_and_nothing_refused(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product()
    created = await client.post("/orders", json=BODY)
    assert (created.status_code, "ratelimit" in created.headers) == (201, False)
    assert (await client.get("/quotas")).json() == {"items": []}


async def test_whoever_asks_too_often_hears_when_to_ask_again(
    client: AsyncClient, anonymous: AsyncClient, issuer: Issuer, services: Services, clock: Clock
) -> None:
    services.rate.per_second, services.rate.burst = 2, 4
    told = [await client.get("/me") for _ in range(4)]
    assert [answer.status_code for answer in told] == [200] * 4
    assert [answer.headers["ratelimit"] for answer in told] == [
        f'"requests";r={left};t={full}' for left, full in ((3, 1), (2, 1), (1, 2), (0, 2))
    ]
    assert told[0].headers["ratelimit-policy"] == '"requests";q=4;w=2'
    refused = await client.get("/me")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_requests"
    assert refused.headers["ratelimit"] == '"requests";r=0;t=2'
    theirs = {"Authorization": f"Bearer {issuer.token('other')}"}
    assert (await anonymous.get("/me", headers=theirs)).status_code == 200
    clock.now += 0.5
    assert [(await client.get("/me")).status_code for _ in range(2)] == [200, 429]
    clock.now += 3600
    assert [(await client.get("/me")).status_code for _ in range(5)] == [200] * 4 + [429]


async def test_of_whoever_has_not_asked_for_long_nothing_is_kept(
    client: AsyncClient, anonymous: AsyncClient, issuer: Issuer, services: Services, clock: Clock
) -> None:
    services.rate.per_second, services.rate.burst = 1, 10
    for n in range(5):
        await anonymous.get("/me", headers={"Authorization": f"Bearer {issuer.token(f'person-{n}')}"})
    clock.now += 11
    await client.get("/me")
    assert len(services.rate._left) == 1


async def test_a_customer_has_no_more_downloads_under_way_than_they_may(
    client: AsyncClient, anonymous: AsyncClient, issuer: Issuer, services: Services, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order()
    me = (await client.get("/me")).json()["id"]
    services.downloads.limit = 1
    path = f"/orders/{order.id}/suborders/1/archive"
    services.downloads.begin(f"customer:{me}")
    refused = await client.get(path)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["code"] == "too_many_downloads"
    assert (await client.head(path)).status_code == 200
    operators = {"Authorization": f"Bearer {issuer.token('ada')}"}
    assert (await anonymous.get(path, headers=operators)).status_code == 200
    services.downloads.end(f"customer:{me}")
    for _ in range(3):
        assert (await client.get(path)).status_code == 200
    assert not services.downloads.active
    services.downloads.begin("anybody")
    with pytest.raises(TooManyDownloads):
        services.downloads.begin("anybody")


async def test_downloads_by_links_count_for_the_owner_of_the_order(
    client: AsyncClient, anonymous: AsyncClient, services: Services, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order()
    me = (await client.get("/me")).json()["id"]
    links = (await client.get(f"/orders/{order.id}/links")).json()
    services.downloads.limit = 1
    services.downloads.begin(f"customer:{me}")
    for url in (links["archives"][0]["url"], links["files"][0]["url"]):
        refused = await anonymous.get(url)
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_downloads")
    services.downloads.end(f"customer:{me}")
    assert (await anonymous.get(links["archives"][0]["url"])).status_code == 200
    assert not services.downloads.active


async def test_a_process_has_room_for_a_number_of_downloads_whosever_they_are(
    client: AsyncClient, services: Services, make_ready_order: MakeReady
) -> None:
    path = f"/orders/{(await make_ready_order()).id}/suborders/1/archive"
    services.downloads.total = 2
    for somebody in ("one", "two"):
        services.downloads.begin(somebody)
    refused = await client.get(path)
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "server_busy", "5")
    services.downloads.end("one")
    assert (await client.get(path)).status_code == 200


async def test_streams_of_events_have_a_number_for_each_customer_and_for_the_process(
    client: AsyncClient, services: Services
) -> None:
    me = (await client.get("/me")).json()["id"]
    streams = services.streams
    streams.limit, streams.total = 1, 2
    streams.begin(me)
    refused = await client.get("/events")
    assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
    assert refused.headers["retry-after"] == "5"
    streams.end(me)
    for somebody in ("one", "two"):
        streams.begin(somebody)
    assert (await client.get("/events")).json()["code"] == "server_busy"
    streams.end("one")
    assert (await client.head("/events")).status_code == 200
    assert streams.active == Counter({"two": 1})
    assert len(services.hub) == 0
