"""The catalogue as a STAC API: its documents, who sees what, what is found, and what of it has been ordered."""

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from pystac import STACObjectType
from pystac.validation.stac_validator import JsonSchemaSTACValidator
from sqlmodel import col

from api.dependencies import Services
from models.access import Caller
from models.areas import Box
from models.order import OrderStatus
from models.queries import catalogue_search
from models.suborder import SubOrderState
from models.tables import CatalogueObject, Order, SubOrder
from tests.api.conftest import PUBLIC_URL, SCENES, MakeProduct
from tests.factories import Sessions, add_order, make_ready, place_object
from tests.issuer import Issuer

STAC = f"{PUBLIC_URL}/stac"
BEGIN = datetime(2013, 6, 1, tzinfo=UTC)


def conforms(kind: STACObjectType, document: Any) -> None:
    """Have a document be as the schemas of STAC 1.1 say, which pystac brings along."""
    JsonSchemaSTACValidator().validate_core(document, kind, document["stac_version"])


async def got(client: AsyncClient, path: str = "", **query: Any) -> Any:
    answer = await client.get(f"{STAC}{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def searched(client: AsyncClient, **body: Any) -> Any:
    answer = await client.post(f"{STAC}/search", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page: Any) -> list[str]:
    return [feature["id"] for feature in page["features"]]


def linked(document: Any, relation: str) -> list[str]:
    return [found["href"] for found in document["links"] if found["rel"] == relation]


async def test_a_search_says_how_many_match_where_that_is_cheap_to_know(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    for name in SCENES:
        await place_object(sessions, name, Box(7, 47, 8, 48), BEGIN)
    for page in (await got(client, "/search", limit=2), await got(client, "/collections/scenes/items", limit=2)):
        assert (page["numberReturned"], page["numberMatched"]) == (2, len(SCENES))
        following = (await client.get(linked(page, "next")[0])).json()
        assert following["numberMatched"] == len(SCENES)
    assert (await searched(client, ids=["winter"], limit=1))["numberMatched"] == 1
    assert (await searched(client, bbox=[0, 40, 10, 50]))["numberMatched"] == len(SCENES)
    assert "numberMatched" not in await searched(client, bbox=[0, 40, 10, 50], limit=1)
    assert (await searched(client, collections=["nothing"]))["numberMatched"] == 0


async def test_the_landing_page_leads_everywhere(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    landing = await got(client)
    conforms(STACObjectType.CATALOG, landing)
    assert landing["conformsTo"] == (await got(client, "/conformance"))["conformsTo"]
    assert "https://api.stacspec.org/v1.0.0/item-search" in landing["conformsTo"]
    assert linked(landing, "child") == [f"{STAC}/collections/scenes"]
    relations = {"self", "root", "data", "search", "conformance", "service-desc", "service-doc", "child"}
    assert {link["rel"] for link in landing["links"]} == relations
    for link in landing["links"]:
        answer = await client.get(link["href"])
        media_type = answer.headers["content-type"].removesuffix("; charset=utf-8")
        assert (answer.status_code, media_type) == (200, link["type"]), link["href"]


async def test_a_product_is_a_collection(client: AsyncClient, sessions: Sessions, make_product: MakeProduct) -> None:
    product = await make_product(price="12.5")
    (found,) = (await got(client, "/collections"))["collections"]
    assert found == await got(client, "/collections/scenes")
    conforms(STACObjectType.COLLECTION, found)
    assert (found["id"], found["title"], found["description"], found["license"]) == (
        "scenes",
        "Scenes",
        "Scenes",
        "other",
    )
    assert (found["consignor:unit_price"], found["consignor:currency"]) == ("12.50", "EUR")
    extent = {"bbox": [1, 2, 3, 4], "interval": ["2013-06-01T00:00:00Z", None]}
    async with sessions.begin() as session:
        product.description, product.license, product.extent = "What it is.", "CC0-1.0", extent
        session.add(product)
    found = await got(client, "/collections/scenes")
    assert (found["description"], found["license"]) == ("What it is.", "CC0-1.0")
    assert found["extent"] == {
        "spatial": {"bbox": [[1, 2, 3, 4]]},
        "temporal": {"interval": [["2013-06-01T00:00:00Z", None]]},
    }


async def test_collections_come_in_pages_where_a_limit_is_given(client: AsyncClient, make_product: MakeProduct) -> None:
    for sku in ("c", "a", "b"):
        await make_product(sku, {"o": {"f": b"x"}})
    every = await got(client, "/collections")
    assert [found["id"] for found in every["collections"]] == ["a", "b", "c"]
    assert (linked(every, "self"), linked(every, "next")) == ([f"{STAC}/collections"], [])
    page = await got(client, "/collections", limit=2)
    assert [found["id"] for found in page["collections"]] == ["a", "b"]
    last = (await client.get(linked(page, "next")[0])).json()
    assert ([found["id"] for found in last["collections"]], linked(last, "next")) == (["c"], [])
    assert linked(last, "self") == linked(page, "next")


async def test_an_object_is_an_item(client: AsyncClient, sessions: Sessions, make_product: MakeProduct) -> None:
    await make_product()
    await place_object(sessions, "winter", Box(170, -5, -175, 5), BEGIN + timedelta(microseconds=1))
    async with sessions.begin() as session:
        await session.execute(sa.update(CatalogueObject).values(properties={"eo:cloud_cover": 12.5}))
    found = await got(client, "/collections/scenes/items/winter")
    conforms(STACObjectType.ITEM, found)
    assert (found["id"], found["collection"], found["bbox"]) == ("winter", "scenes", [170, -5, -175, 5])
    properties = found["properties"]
    assert properties["datetime"] == "2013-06-01T00:00:00.000001Z"
    assert (properties["eo:cloud_cover"], properties["order:status"]) == (12.5, "orderable")
    assert (properties["consignor:files"], properties["consignor:bytes"]) == (2, 400)
    (order,) = (link for link in found["links"] if link["rel"] == "order")
    assert (order["method"], order["body"]) == ("POST", {"files": [properties["consignor:object"]]})
    for relation in ("self", "root", "parent", "collection"):
        assert (await client.get(linked(found, relation)[0])).status_code == 200
    assert (await client.post(order["href"], json=order["body"])).status_code == 201


async def test_a_range_of_time_has_its_ends_and_the_nominal_instant_if_there_is_one(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    await place_object(sessions, "winter", None, BEGIN, BEGIN + timedelta(days=2))
    found = await got(client, "/collections/scenes/items/winter")
    conforms(STACObjectType.ITEM, found)
    assert (found["geometry"], "bbox" in found) == (None, False)
    ends = {"start_datetime": "2013-06-01T00:00:00Z", "end_datetime": "2013-06-03T00:00:00Z"}
    assert found["properties"].items() >= {"datetime": None, **ends}.items()
    async with sessions.begin() as session:
        await session.execute(sa.update(CatalogueObject).values(properties={"datetime": "2013-06-02T00:00:00Z"}))
    found = await got(client, "/collections/scenes/items/winter")
    assert found["properties"].items() >= {"datetime": "2013-06-02T00:00:00Z", **ends}.items()


async def test_nobody_finds_what_is_closed_to_them(
    anonymous: AsyncClient, issuer: Issuer, make_product: MakeProduct
) -> None:
    await make_product("maps", {"atlas": {"a": b"a"}})
    await make_product(groups=["partners"])

    async def seen(subject: str, *groups: str) -> list[Any]:
        anonymous.headers["Authorization"] = f"Bearer {issuer.token(subject, groups=list(groups))}"
        collections = [found["id"] for found in (await got(anonymous, "/collections"))["collections"]]
        children = [href.rpartition("/")[2] for href in linked(await got(anonymous), "child")]
        codes = [
            (await anonymous.get(f"{STAC}/collections/scenes{path}")).status_code
            for path in ("", "/items", "/items/winter")
        ]
        by_id = ids(await searched(anonymous, ids=["winter", "atlas"]))
        named = ids(await searched(anonymous, collections=["scenes"]))
        return [collections, children, codes, sorted(by_id), len(named)]

    everything = [["maps", "scenes"], ["maps", "scenes"], [200] * 3, ["atlas", "winter"], 3]
    assert await seen("local", "partners") == everything
    assert await seen("sam") == everything
    assert await seen("local", "others") == [["maps"], ["maps"], [404] * 3, ["atlas"], 0]


@pytest.mark.parametrize("path", ["", "/collections", "/search", "/collections/nosuch/items"])
async def test_who_is_nobody_sees_nothing(anonymous: AsyncClient, path: str) -> None:
    assert (await anonymous.get(f"{STAC}{path}")).status_code == 401


PLACES: Mapping[str, tuple[Box | None, datetime, datetime]] = {
    "winter": (Box(-60, 0, -50, 10), BEGIN, BEGIN),
    "spring": (Box(170, -10, -170, 10), BEGIN + timedelta(days=1), BEGIN + timedelta(days=9)),
    "summer": (None, BEGIN + timedelta(days=5), BEGIN + timedelta(days=5)),
}


# The boxes overlap, the geometries do not.
AROUND_WINTER = [[-70, -5], [-45, -5], [-45, -1], [-65, -1], [-65, 20], [-70, 20], [-70, -5]]


def as_query(asked: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a search as GET writes them."""

    def text(value: Any) -> str:
        if isinstance(value, dict):
            return json.dumps(value)
        return value if isinstance(value, str) else ",".join(map(str, value))

    return {key: text(value) for key, value in asked.items()}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["summer", "spring", "winter"]),
        ({"ids": ["winter", "nosuch"]}, ["winter"]),
        ({"collections": ["scenes", "nosuch"]}, ["summer", "spring", "winter"]),
        ({"collections": ["nosuch"]}, []),
        ({"collections": ["scenes"], "ids": ["summer"], "bbox": [-180, -90, 180, 90]}, []),
        ({"bbox": [-180, -90, 180, 90]}, ["spring", "winter"]),
        ({"bbox": [-55, 5, -52, 6]}, ["winter"]),
        ({"bbox": [-50, 10, -40, 20]}, ["winter"]),
        ({"bbox": [-49, 11, -40, 20]}, []),
        ({"bbox": [-55, 5, 0, -52, 6, 9000]}, ["winter"]),
        ({"bbox": [175, 0, 178, 1]}, ["spring"]),
        ({"bbox": [-178, 0, -175, 1]}, ["spring"]),
        ({"bbox": [178, 0, -178, 1]}, ["spring"]),
        ({"bbox": [160, 0, -55, 1]}, ["spring", "winter"]),
        ({"bbox": [-169, 0, 169, 1]}, ["winter"]),
        ({"bbox": [175, 0, 185, 1]}, ["spring"]),
        ({"intersects": {"type": "Point", "coordinates": [-55, 5]}}, ["winter"]),
        ({"intersects": {"type": "Point", "coordinates": [-55, 5]}, "ids": ["spring"]}, []),
        ({"intersects": {"type": "LineString", "coordinates": [[160, 0], [310, 5]]}}, ["spring", "winter"]),
        ({"intersects": {"type": "Polygon", "coordinates": [AROUND_WINTER]}}, []),
        (
            {
                "intersects": {"type": "MultiPoint", "coordinates": [[-180, 0], [0, 0]]},
                "datetime": "../2013-06-01T00:00:00Z",
            },
            [],
        ),
        ({"datetime": "2013-06-01T00:00:00Z"}, ["winter"]),
        ({"datetime": "2013-06-06T00:00:00Z"}, ["summer", "spring"]),
        ({"datetime": "2013-06-07T00:00:00Z/2013-06-20T00:00:00Z"}, ["spring"]),
        ({"datetime": "2013-06-11T00:00:00Z/.."}, []),
        ({"datetime": "../2013-06-02T00:00:00Z"}, ["spring", "winter"]),
        ({"datetime": "../2013-05-31T23:59:59.999999Z"}, []),
        ({"datetime": "2013-06-02T00:00:00Z/..", "bbox": [-180, -90, 180, 90]}, ["spring"]),
    ],
)
@pytest.mark.parametrize("walk", [0, catalogue_search.WALK])
async def test_what_is_asked_for_is_found_newest_first(
    app: FastAPI, services: Services, client: AsyncClient, sessions: Sessions, make_product: MakeProduct, asked: Any,
    found: list[str], walk: int,
) -> None:  # fmt: skip
    # With a walk over nothing everything comes from the indexes of place and time.
    app.state.services = replace(services, catalogue_walk=walk)
    await make_product()
    for name, (box, begins, ends) in PLACES.items():
        await place_object(sessions, name, box, begins, ends)
    assert ids(await searched(client, **asked)) == found
    query = as_query(asked)
    assert ids(await got(client, "/search", **query)) == found
    if "collections" not in asked:
        assert ids(await got(client, "/collections/scenes/items", **query)) == found


async def all_of(client: AsyncClient, page: Any, *, asked: Any = None) -> list[str]:
    """All that is found from this page on, by its links as they say."""
    found = ids(page)
    while nexts := [link for link in page["links"] if link["rel"] == "next"]:
        (following,) = nexts
        answer: Response
        if following.get("method") == "POST":
            answer = await client.post(following["href"], json={**asked, **following["body"]})
        else:
            answer = await client.get(following["href"])
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["features"]
        found += ids(page)
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000, 10**9])
async def test_pages_hold_everything_once_whatever_their_size(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct, limit: int
) -> None:
    chance = random.Random(7)
    names = [f"o{n}" for n in range(23)]
    await make_product(files={name: {"f": b"x"} for name in names})
    await make_product("maps", {f"m{n}": {"f": b"x"} for n in range(4)})
    times = {}
    for name in names:
        times[name] = BEGIN + timedelta(hours=chance.randint(0, 3), microseconds=chance.randint(0, 1))
        await place_object(sessions, name, Box(0, 0, 1, 1) if chance.random() < 0.7 else None, times[name])
    box = {"bbox": [-1, -1, 2, 2]}
    inside = await all_of(client, await searched(client, limit=limit, **box), asked=box)
    assert inside == await all_of(client, await got(client, "/search", limit=limit, bbox="-1,-1,2,2"))
    assert len(inside) == len(set(inside)) < len(names)
    found = await all_of(client, await got(client, "/collections/scenes/items", limit=limit))
    assert sorted(found) == sorted(names)
    assert [times[name] for name in found] == sorted(times.values(), reverse=True)
    everywhere = await all_of(client, await searched(client, limit=limit), asked={})
    assert [name for name in everywhere if name in times] == found
    assert len(set(everywhere)) == 27


FILL = """
    INSERT INTO catalogue_objects (product_id, name, geometry, west, south, east, north, begins_at, ends_at)
    SELECT :product, 'n' || n, CAST(CASE WHEN n % 3 = 0 THEN :across ELSE :aside END AS jsonb), 0, 0, 10, 10, at, at
    FROM (SELECT n, timestamptz '2013-01-01Z' + n / 4 * interval '1 day' FROM generate_series(1, 130) n) AS made (n, at)
"""


@pytest.mark.parametrize("walk", [20, catalogue_search.WALK])
async def test_pages_hold_everything_once_where_geometries_drop_most_of_what_boxes_find(
    app: FastAPI, services: Services, client: AsyncClient, sessions: Sessions, make_product: MakeProduct, walk: int
) -> None:
    app.state.services = replace(services, catalogue_walk=walk)
    product = await make_product(files={"o": {"f": b"x"}})
    across, aside = ([[0, 0], [10, 10]], [[0, 0], [10, 0], [10, 10]])
    lines = {
        name: json.dumps({"type": "LineString", "coordinates": line})
        for name, line in (("across", across), ("aside", aside))
    }
    async with sessions.begin() as session:
        await session.execute(sa.text(FILL), {"product": product.id, **lines})
    asked = {"intersects": {"type": "Polygon", "coordinates": [[[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]]}}
    expected = {f"n{n}" for n in range(3, 131, 3)}
    by_body = await all_of(client, await searched(client, limit=15, **asked), asked=asked)
    assert (len(by_body), set(by_body)) == (len(expected), expected)
    assert by_body == await all_of(client, await got(client, "/search", limit=15, **as_query(asked)))
    assert by_body == await all_of(client, await got(client, "/collections/scenes/items", limit=15, **as_query(asked)))
    exact = await searched(client, limit=len(expected), **asked)
    assert (len(ids(exact)), linked(exact, "next")) == (len(expected), [])
    assert exact["numberMatched"] == len(expected)


async def test_a_token_belongs_to_its_search_and_its_caller(
    client: AsyncClient, anonymous: AsyncClient, issuer: Issuer, make_product: MakeProduct
) -> None:
    await make_product()
    page = await searched(client, limit=1)
    (following,) = (link for link in page["links"] if link["rel"] == "next")
    token = following["body"]["token"]
    assert len(ids(await searched(client, token=token))) == 2
    others = [client.post(f"{STAC}/search", json={"token": token, "ids": ["winter"]})]
    others += [client.post(f"{STAC}/search", json={"token": token[:-1] + ("A" if token[-1] != "A" else "B")})]
    others += [client.get(f"{STAC}/collections/scenes/items", params={"token": token})]
    headers = {"Authorization": f"Bearer {issuer.token('other')}"}
    others += [anonymous.post(f"{STAC}/search", json={"token": token}, headers=headers)]
    for other in others:
        answer = await other
        assert (answer.status_code, answer.json()["faults"][0]["field"]) == (400, "token")


async def item(client: AsyncClient, name: str = "winter") -> Any:
    return await got(client, f"/collections/scenes/items/{name}")


async def set_status(sessions: Sessions, order: Order, status: OrderStatus, state: SubOrderState | None = None) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).where(col(Order.id) == order.id).values(status=status))
        if state is not None:
            await session.execute(sa.update(SubOrder).where(col(SubOrder.order_id) == order.id).values(state=state))


async def test_an_item_tells_what_has_become_of_the_callers_order(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": ["winter"]})
    for status, shown in (
        (OrderStatus.PENDING_PAYMENT, "pending"),
        (OrderStatus.VALIDATING, "ordered"),
        (OrderStatus.PROVISIONING, "shipping"),
    ):
        await set_status(sessions, order, status)
        found = await item(client)
        assert (found["properties"]["order:status"], found["properties"]["order:id"]) == (shown, order.number)
        assert found["assets"] == {}
        assert linked(found, "order") == [f"{PUBLIC_URL}/api/v1/orders/{order.id}"]
    assert (await item(client, "spring"))["properties"]["order:status"] == "orderable"

    await make_ready(sessions, order)
    await set_status(sessions, order, OrderStatus.FULFILLED)
    found = await item(client)
    conforms(STACObjectType.ITEM, found)
    assert found["properties"]["order:status"] == "succeeded"
    assert set(found["assets"]) == set(SCENES["winter"])
    for name, asset in found["assets"].items():
        answer = await client.get(asset["href"])
        assert (answer.status_code, answer.content) == (200, SCENES["winter"][name])
        assert asset["file:size"] == len(SCENES["winter"][name])

    await set_status(sessions, order, OrderStatus.EXPIRED, SubOrderState.EXPIRED)
    found = await item(client)
    assert (found["properties"]["order:status"], found["assets"]) == ("orderable", {})
    assert "order:id" not in found["properties"]


async def test_an_order_that_came_to_nothing_is_told_only_where_there_is_no_other(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    first = await add_order(sessions, {"scenes": "all"})
    await set_status(sessions, first, OrderStatus.PROVISIONING)
    second = await add_order(sessions, {"scenes": ["winter"]}, label="again")
    await set_status(sessions, second, OrderStatus.CANCELLED)
    assert (await item(client))["properties"]["order:id"] == first.number
    await set_status(sessions, first, OrderStatus.DELETED)
    found = await item(client)
    assert (found["properties"]["order:status"], found["properties"]["order:id"]) == ("canceled", second.number)
    (order,) = (link for link in found["links"] if link["rel"] == "order")
    assert order["method"] == "POST"


async def test_nobody_is_told_of_anothers_order_nor_of_one_of_a_single_file(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    await add_order(sessions, {"scenes": "all"}, caller=Caller("somebody"))
    assert (await item(client))["properties"]["order:status"] == "orderable"
    found = await item(client)
    files = (await client.get(f"/objects/{found['properties']['consignor:object']}/files")).json()["items"]
    assert (await client.post("/orders", json={"files": [files[0]["id"]]})).status_code == 201
    assert (await item(client))["properties"]["order:status"] == "orderable"


async def test_an_object_may_have_any_name(client: AsyncClient, sessions: Sessions, make_product: MakeProduct) -> None:
    names = ["a/b", "a/b/items/c", "ä ö", "100%", "a?b#c", "日本", "a&b=c", "a\nb", "🐎"]
    await make_product(files={f"o{n}": {"f": b"x"} for n in range(len(names))})
    async with sessions.begin() as session:
        for n, name in enumerate(names):
            await session.execute(
                sa.update(CatalogueObject).where(col(CatalogueObject.name) == f"o{n}").values(name=name)
            )
    found = await got(client, "/collections/scenes/items", limit=100)
    assert sorted(ids(found)) == sorted(names)
    for feature in found["features"]:
        again = await client.get(linked(feature, "self")[0])
        assert again.json()["id"] == feature["id"]
