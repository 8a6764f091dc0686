"""What the STAC API is asked for: bad values are refused by the name of their field, whatever they are."""

from typing import Any
from urllib.parse import urlencode

import pytest
from httpx2 import AsyncClient

from models.areas import MAX_POSITIONS
from tests.api.conftest import PUBLIC_URL, MakeProduct

STAC = f"{PUBLIC_URL}/stac"
SEARCH = f"{STAC}/search"

QUERIES = [
    ("bbox=", "bbox"), ("bbox=1,2,3", "bbox"), ("bbox=1,2,3,4,5", "bbox"), ("bbox=1,2,3,x", "bbox"),
    ("bbox=nan,0,1,1", "bbox"), ("bbox=0,0,inf,1", "bbox"), ("bbox=0,0,1e999,1", "bbox"), ("bbox=0,2,1,1", "bbox"),
    ("bbox=0,0,361,1", "bbox"), ("bbox=0,-91,1,1", "bbox"), ("bbox=[0,0,1,1]", "bbox"), ("bbox=0;0;1;1", "bbox"),
    ("bbox=1_0,0,20,1", "bbox"), ("bbox=%D9%A1,0,1,1", "bbox"), ("bbox=0,0,1,1,", "bbox"),
    ("bbox=" + "0," * 400, "bbox"),    ("bbox=0,0,9,1,1,8", "bbox"), ("bbox=%00", "bbox"),
    ("datetime=", "datetime"), ("datetime=../..", "datetime"), ("datetime=2013", "datetime"),
    ("datetime=2013-06-01", "datetime"), ("datetime=2013-06-01T00:00:00", "datetime"),
    ("datetime=2013-06-02T00:00:00Z/2013-06-01T00:00:00Z", "datetime"), ("datetime=NaN", "datetime"),
    ("datetime=2013-02-30T00:00:00Z", "datetime"), ("datetime=%00", "datetime"), ("datetime=" + "9" * 200, "datetime"),
    ("limit=0", "limit"), ("limit=-1", "limit"), ("limit=ten", "limit"), ("limit=1.5", "limit"), ("limit=NaN", "limit"),
    ("limit=" + "9" * 5000, "limit"),
    ("ids=", "ids"), ("ids=a,,b", "ids"), ("ids=,", "ids"), ("ids=%00", "ids"), ("ids=" + "a," * 1001 + "a", "ids"),
    ("collections=", "collections"), ("collections=a,", "collections"), ("collections=a%00", "collections"),
    ("intersects=%7B%7D", "intersects"), ("intersects=", "intersects"), ("intersects=nan", "intersects"),
    ("intersects=%7B%22type%22:%22Point%22,%22coordinates%22:[NaN,0]%7D", "intersects"),
    ("intersects=" + "[" * 2000, "intersects"), ("intersects=[0,0]", "intersects"),
    ("intersects=POINT(0%200)", "intersects"), ("intersects=%ED%A0%80", "intersects"),
    ("bbox=0,0,1,1&intersects=%7B%22type%22:%22Point%22,%22coordinates%22:[0,0]%7D", "intersects"),
    ("bbox=0,0,1,1&bbox=0,0,1,1", "bbox"), ("limit=1&limit=2", "limit"),
    ("sortby=datetime", "sortby"), ("query=%7B%7D", "query"),
    ("filter=a", "filter"), ("fields=id", "fields"), ("BBOX=0,0,1,1", "BBOX"), ("page=2", "page"),
    ("token=x", "token"), ("token=", "token"), ("token=%00", "token"), ("token=" + "A" * 501, "token"),
]  # fmt: skip

BODIES: list[tuple[Any, str]] = [
    ({"bbox": []}, "bbox"), ({"bbox": [1, 2, 3]}, "bbox"), ({"bbox": [1, 2, 3, 4, 5]}, "bbox"),
    ({"bbox": ["1", 2, 3, 4]}, "bbox/0"), ({"bbox": [True, 2, 3, 4]}, "bbox/0"), ({"bbox": "1,2,3,4"}, "bbox"),
    ({"bbox": [0, 2, 1, 1]}, "bbox"), ({"bbox": [0, 0, 361, 1]}, "bbox"), ({"bbox": [0] * 4000}, "bbox"),
    ({"bbox": [10**400, 0, 1, 1]}, "bbox/0"), ({"bbox": {"west": 1}}, "bbox"), ({"bbox": [[0, 0, 1, 1]]}, "bbox/0"),
    ({"datetime": 5}, "datetime"), ({"datetime": "../.."}, "datetime"), ({"datetime": ["a"]}, "datetime"),
    ({"datetime": "2013-06-02T00:00:00Z/2013-06-01T00:00:00Z"}, "datetime"),
    ({"limit": 0}, "limit"), ({"limit": "5"}, "limit"), ({"limit": True}, "limit"), ({"limit": 1.5}, "limit"),
    ({"ids": "a"}, "ids"), ({"ids": []}, "ids"), ({"ids": [1]}, "ids/0"), ({"ids": ["\0"]}, "ids/0"),
    ({"ids": ["a"] * 1001}, "ids"), ({"ids": [""]}, "ids/0"),
    ({"collections": "a"}, "collections"), ({"collections": []}, "collections"),
    ({"collections": [None]}, "collections/0"),
    ({"token": 5}, "token"), ({"token": "x"}, "token"), ({"intersects": {"type": "Point"}}, "intersects"),
    ({"intersects": []}, "intersects"), ({"intersects": "{}"}, "intersects"), ({"intersects": {}}, "intersects"),
    ({"intersects": {"type": "Point", "coordinates": [0, 91]}}, "intersects"),
    ({"intersects": {"type": "MultiPoint", "coordinates": [[0, 0]] * 10_001}}, "intersects"),
    ({"intersects": {"type": "Point", "coordinates": [0, 0]}, "bbox": [0, 0, 1, 1]}, "intersects"),
    ({"sortby": []}, "sortby"), ({"query": {}}, "query"), ([], "body"), ("search", "body"), (None, "body"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "field"), QUERIES, ids=range(len(QUERIES)))
async def test_a_bad_parameter_is_refused_by_name(
    client: AsyncClient, make_product: MakeProduct, query: str, field: str
) -> None:
    await make_product(files={"winter": {"f": b"x"}})
    for path in ("/search", "/collections/scenes/items"):
        answer = await client.get(f"{STAC}{path}?{query}")
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        (fault, *_) = answer.json()["faults"]
        assert fault["field"].removeprefix("query/") == field


@pytest.mark.parametrize(("body", "field"), BODIES, ids=range(len(BODIES)))
async def test_a_bad_body_is_refused_by_the_name_of_its_field(client: AsyncClient, body: Any, field: str) -> None:
    answer = await client.post(SEARCH, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    (fault, *_) = answer.json()["faults"]
    assert fault["field"] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"bbox": [NaN, 0, 1, 1]}', "bbox/0"),
        (b'{"bbox": [0, 0, Infinity, 1]}', "bbox/2"),
        (b'{"bbox": [0, 0, 1e999, 1]}', "bbox/2"),
        (b'{"limit": NaN}', "limit"),
        (b'{"ids": ["\\ud800"]}', "ids/0"),
        (b'{"limit": ', "body"),
        (b"", "body"),
    ],
)
async def test_what_is_no_number_is_refused_in_a_body_too(client: AsyncClient, body: bytes, field: str) -> None:
    answer = await client.post(SEARCH, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["faults"][0]["field"]) == (400, field)


@pytest.mark.parametrize(
    "path",
    [
        "/collections/nosuch",
        "/collections/nosuch/items",
        "/collections/scenes/items/nosuch",
        "/collections/scenes/items/%00",
        "/collections/%00",
        "/collections/%ED%A0%80",
        "/collections/scenes/items/%ED%A0%80",
        "/collections/scenes/items/a%2Fb",
        "/collections/scenes/items/" + "a" * 5000,
    ],
)
async def test_what_is_not_there_is_not_found(client: AsyncClient, make_product: MakeProduct, path: str) -> None:
    await make_product()
    answer = await client.get(f"{STAC}{path}")
    assert answer.status_code in {404, 400}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "datetime",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "../0001-01-01T00:00:00+14:00",
        "2026-11-21T22:50:33-23:58",
    ],
)
async def test_the_ends_of_time_and_of_offsets_are_instants(
    client: AsyncClient, make_product: MakeProduct, datetime: str
) -> None:
    await make_product()
    for path in ("/search", "/collections/scenes/items"):
        for query in (urlencode({"datetime": datetime}), f"datetime={datetime}"):
            assert (await client.get(f"{STAC}{path}?{query}")).status_code == 200, query


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("?page=2", "page"),
        ("/conformance?f=html", "f"),
        ("/collections?token=x", "token"),
        ("/collections?limit=0", "limit"),
        ("/collections?offset=1", "offset"),
        ("/collections/scenes?f=json", "f"),
        ("/collections/scenes/items/winter?crs=x", "crs"),
    ],
)
async def test_documents_take_no_parameters_that_they_do_not_know(
    client: AsyncClient, make_product: MakeProduct, path: str, field: str
) -> None:
    await make_product()
    answer = await client.get(f"{STAC}{path}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["faults"][0]["field"].removeprefix("query/") == field


async def test_only_the_stac_api_answers_400_to_what_is_not_as_described(client: AsyncClient) -> None:
    assert (await client.get("/orders?limit=0")).status_code == 422
    assert (await client.post("/orders", json={"items": 5})).status_code == 422


async def test_an_area_may_have_as_many_positions_as_it_says(client: AsyncClient) -> None:
    line = [[n / 100 + 0.0012345678901234, -45.0012345678901234] for n in range(MAX_POSITIONS)]
    answer = await client.post(SEARCH, json={"intersects": {"type": "LineString", "coordinates": line}})
    assert answer.status_code == 200, answer.text
    answer = await client.post(SEARCH, json={"intersects": {"type": "LineString", "coordinates": [*line, line[0]]}})
    assert (answer.status_code, answer.json()["faults"][0]["field"]) == (400, "intersects")


async def found(client: AsyncClient, path: str = "/search", **query: str) -> list[str]:
    answer = await client.get(f"{STAC}{path}", params=query)
    assert answer.status_code == 200, answer.text
    return sorted(f"{feature['collection']}: {feature['id']}" for feature in answer.json()["features"])


async def test_names_with_commas_in_them_are_found_between_commas(
    client: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product("maps", {name: {"f": b"x"} for name in ("a", "b", "a,b", "north,east,2")})
    await make_product("maps,old", {"a": {"f": b"x"}})
    assert await found(client, ids="north,east,2,b") == ["maps: b", "maps: north,east,2"]
    assert await found(client, ids="a,b") == ["maps,old: a", "maps: a", "maps: b"]
    assert await found(client, ids="east,2") == []
    assert await found(client, ids="a", collections="maps") == ["maps: a"]
    assert await found(client, ids="a", collections="nosuch,maps,old") == ["maps,old: a", "maps: a"]
    path = "/collections/maps%2Cold/items"
    assert await found(client, path) == ["maps,old: a"]
    assert await found(client, path, collections="maps") == []


async def test_a_thousand_names_may_be_asked_for(client: AsyncClient, make_product: MakeProduct) -> None:
    await make_product(files={"winter": {"f": b"x"}})
    names = [f"a-scene-that-there-is-not-{number}" for number in range(999)]
    assert await found(client, ids=",".join([*names, "winter"])) == ["scenes: winter"]
