"""Objects of all products: every way to ask finds what a plain look at each object finds, counted and in pages."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient

from models.catalogue_search import Facet, ObjectFilter, SearchTerm, property_test
from services import catalogue_counts
from tests.api.conftest import MakeProduct
from tests.factories import Sessions, add_order
from tests.issuer import Issuer

OBJECTS = 60

# A day for each; every tenth has no place; a third lies across the border of 10 degrees east.
FILL = """
    WITH made AS (
        INSERT INTO catalogue_objects (product_id, name, geometry, west, south, east, north, begins_at, ends_at, properties)
        SELECT CASE WHEN n % 3 = 0 THEN :glaciers ELSE :coasts END, 'S2_T31U' || chr(65 + n % 5) || '_' || n,
            CASE WHEN n % 10 > 0 THEN jsonb_build_object('type', 'Polygon', 'coordinates', jsonb_build_array(
                jsonb_build_array(jsonb_build_array(n % 12, 50), jsonb_build_array(n % 12 + 1, 50),
                jsonb_build_array(n % 12, 51), jsonb_build_array(n % 12, 50)))) END,
            CASE WHEN n % 10 > 0 THEN n % 12 END, CASE WHEN n % 10 > 0 THEN 50 END,
            CASE WHEN n % 10 > 0 THEN n % 12 + 1 END, CASE WHEN n % 10 > 0 THEN 51 END,
            timestamptz '2023-12-02Z' + n * interval '1 day', timestamptz '2023-12-02Z' + n * interval '1 day',
            jsonb_build_object('title', 'Été no ' || n, 'eo:cloud_cover', n % 50, 'platform', 'sat-' || n % 4,
                'checked', n % 2 = 0)
        FROM generate_series(1, :objects) n RETURNING id, name
    )
    INSERT INTO catalogue_files (object_id, name, href, size_bytes, media_type, kind, tier, modified_ns)
    SELECT id, kind, name, length(name) * number, 'image/tiff', kind, CASE WHEN number % 4 = 0 THEN 'nearline' ELSE 'online' END, 0
    FROM made CROSS JOIN LATERAL (SELECT split_part(name, '_', 3)::bigint AS number) p
    CROSS JOIN LATERAL unnest(CASE WHEN number % 2 = 0 THEN ARRAY['data', 'quicklook'] ELSE ARRAY['data'] END) AS kind
"""  # noqa: E501


@pytest.fixture
async def catalogue(make_product: MakeProduct, sessions: Sessions) -> None:
    """Two products of sixty objects, and one that is closed to nearly everybody."""
    coasts, glaciers = await make_product("coasts", {}), await make_product("glaciers", {})
    await make_product("secret", {"hidden_T31UA": {"a": b"1"}}, groups=("partners",))
    async with sessions.begin() as session:
        values = {"coasts": coasts.id, "glaciers": glaciers.id, "objects": OBJECTS}
        await session.execute(sa.text(FILL), values)


def number(hit: dict[str, Any]) -> int:
    """The number that everything of an object was made of."""
    return int(hit["name"].rpartition("_")[2])


async def found(client: AsyncClient, *query: tuple[str, Any], **more: Any) -> dict[str, Any]:
    """One answer."""
    answer = await client.get("/objects", params=[*query, *more.items()])
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


NUMBERS = range(1, OBJECTS + 1)
WAYS: list[tuple[list[tuple[str, str]], Callable[[int], bool]]] = [
    ([("q", "t31ua")], lambda n: n % 5 == 0),
    ([("q", "31U  ÉTÉ"), ("product", "coasts")], lambda n: n % 3 > 0),
    ([("q", "glacier t31ub")], lambda n: n % 3 == 0 and n % 5 == 1),
    ([("q", "no such")], lambda n: False),
    ([("product", "glaciers")], lambda n: n % 3 == 0),
    ([("kind", "quicklook")], lambda n: n % 2 == 0),
    ([("tier", "nearline"), ("kind", "data")], lambda n: n % 4 == 0),
    ([("datetime", "2023-12-10T00:00:00Z/2023-12-20T00:00:00Z")], lambda n: 8 <= n <= 18),
    ([("bbox", "9.5,49,20,51")], lambda n: n % 10 > 0 and n % 12 in {9, 10, 11}),
    # The corner that the triangles leave free.
    ([("bbox", "0.9,50.9,0.99,51")], lambda n: False),
    ([("property", "eo:cloud_cover<20")], lambda n: n % 50 < 20),
    ([("property", "eo:cloud_cover>=20"), ("property", "eo:cloud_cover<=30")], lambda n: 20 <= n % 50 <= 30),
    ([("property", "platform=sat-2"), ("property", "checked=true")], lambda n: n % 4 == 2),
    ([("property", "platform!=sat-2")], lambda n: n % 4 != 2),
    ([("property", "platform>sat-1"), ("property", "title>A")], lambda n: n % 4 > 1),
    ([("property", "eo:cloud_cover<sat")], lambda n: False),
    ([("property", "nothing!=1")], lambda n: False),
    ([("q", "t31ua"), ("property", "eo:cloud_cover<20"), ("bbox", "0,50,4.5,51")],
        lambda n: n % 5 == 0 and n % 50 < 20 and n % 10 > 0 and n % 12 < 5),
]  # fmt: skip


async def test_every_way_to_ask_finds_and_counts_what_a_plain_look_finds(client: AsyncClient, catalogue: None) -> None:
    for query, wanted in WAYS:
        expected = sorted(filter(wanted, NUMBERS), reverse=True)
        answer = await found(client, *query, facets="year", limit=1000)
        assert [number(hit) for hit in answer["items"]] == expected, query
        assert (answer["total"], answer["total_capped"]) == (len(expected), False), query
        assert answer["total_bytes"] == sum(hit["bytes"] for hit in answer["items"]), query
        assert sum(year["objects"] for year in answer["facets"]["year"]) == len(expected), query


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("-begins_at", lambda hit: [hit["begins_at"]]),
        ("begins_at", lambda hit: [hit["begins_at"]]),
        ("name", lambda hit: [hit["name"]]),
        ("-name", lambda hit: [hit["name"]]),
        ("bytes", lambda hit: [hit["bytes"], hit["id"]]),
        ("-bytes", lambda hit: [hit["bytes"], hit["id"]]),
    ],
)
async def test_pages_in_every_order_hold_each_match_once(
    client: AsyncClient, catalogue: None, sort: str, key: Callable[[Any], Any]
) -> None:
    cursor, hits = dict[str, str](), list[dict[str, Any]]()
    for _ in range(OBJECTS):
        answer = await found(client, sort=sort, limit=7, property="eo:cloud_cover<48", **cursor)
        hits += answer["items"]
        if not (cursor := {"cursor": answer["next_cursor"]} if answer["next_cursor"] else {}):
            break
    assert sorted(map(number, hits)) == [n for n in NUMBERS if n % 50 < 48]
    if sort.endswith("name"):  # in the order of the database's language, which Python does not know
        return
    assert hits == sorted(hits, key=key, reverse=sort.startswith("-"))


async def test_each_facet_leaves_its_own_filter_aside(client: AsyncClient, catalogue: None) -> None:
    every = [("facets", facet) for facet in ("product", "kind", "tier", "year")]
    for asked in ([], [("q", "t31u")], [("bbox", "0,50,12,51")], [("datetime", "2023-12-01T00:00:00Z/..")]):
        among = [n for n in NUMBERS if n % 10 > 0 or not any("bbox" in one for one in asked)]
        answer = await found(client, *asked, *every, ("product", "glaciers"), ("tier", "nearline"), ("limit", 1))
        shown = {
            facet: {value["value"]: value["objects"] for value in values} for facet, values in answer["facets"].items()
        }
        matching = [n for n in among if n % 3 == 0 and n % 4 == 0]
        assert answer["total"] == len(matching)
        assert shown["product"] == {
            "glaciers": len(matching), "coasts": sum(n % 3 > 0 and n % 4 == 0 for n in among),
        }  # fmt: skip
        assert shown["tier"] == {
            "nearline": len(matching), "online": sum(n % 3 == 0 and n % 4 > 0 for n in among),
        }  # fmt: skip
        assert shown["kind"] == {"data": len(matching), "quicklook": len(matching)}
        assert shown["year"] == dict(Counter("2023" if n < 30 else "2024" for n in matching))


async def test_what_is_not_counted_to_its_end_says_so(sessions: Sessions, catalogue: None) -> None:
    async with sessions() as session:
        products = list((await session.execute(sa.text("SELECT id FROM products WHERE sku <> 'secret'"))).scalars())
        for criteria in (
            ObjectFilter(terms=(SearchTerm("t31u"),)),
            ObjectFilter(properties=(property_test("eo:cloud_cover<40"),)),
            ObjectFilter(properties=(property_test("nothing!=5"),), kinds=("data",)),
        ):
            exact = await catalogue_counts.count(session, products, None, criteria, list(Facet))
            capped = await catalogue_counts.count(session, products, products[:1], criteria, list(Facet), limit=10)
            assert not exact.capped
            assert (capped.capped, capped.objects) == (exact.objects > 10, min(exact.objects, 10))


async def test_a_body_asks_for_the_same(client: AsyncClient, catalogue: None) -> None:
    outline = {"type": "Polygon", "coordinates": [[[9, 50.5], [11, 50.5], [11, 52], [9, 52], [9, 50.5]]]}
    body = {"intersects": outline, "product": ["coasts"], "sort": "name", "facets": ["kind"], "min_bytes": 5.0}
    asked = [("intersects", json.dumps(outline)), ("product", "coasts"), ("facets", "kind"), ("min_bytes", 5)]
    by_body = (await client.post("/objects:search", json=body)).json()
    by_query = await found(client, *asked, sort="name")
    assert by_body == by_query
    assert by_body["total"] > 0


async def test_a_whole_id_finds_that_object_and_closed_products_stay_closed(
    client: AsyncClient, issuer: Issuer, catalogue: None, sessions: Sessions
) -> None:
    (hit,) = (await found(client, q="t31ua_60"))["items"]
    assert await found(client, q=hit["id"].upper()) == {"items": [hit], "next_cursor": None} | dict.fromkeys(
        ("total", "total_bytes", "total_capped", "facets")
    )
    assert not (await found(client, q="hidden"))["items"]
    partner = {"Authorization": f"Bearer {issuer.token('other', groups=['partners'])}"}
    (hidden,) = (await client.get("/objects", params={"q": "hidden"}, headers=partner)).json()["items"]
    assert (await client.get(f"/objects/{hidden['id']}", headers=partner)).json()["product"] == "secret"
    assert (await client.get(f"/objects/{hidden['id']}")).status_code == 404


async def test_an_object_is_shown_with_all_that_is_known_of_it(
    client: AsyncClient, catalogue: None, sessions: Sessions
) -> None:
    (hit,) = (await found(client, q="t31ua_60"))["items"]
    order = await add_order(sessions, {"glaciers": [hit["name"]]})
    shown = (await client.get(f"/objects/{hit['id']}")).json()
    assert shown == hit | {
        "geometry": None,
        "properties": {"title": "Été no 60", "eo:cloud_cover": 10, "platform": "sat-0", "checked": True},
        "files_url": f"https://orders.example/api/v1/objects/{hit['id']}/files",
        "order": {"id": str(order.id), "number": order.number, "status": shown["order"]["status"]},
    }
    assert (hit["title"], hit["product"], hit["kinds"], hit["tiers"]) == (
        "Été no 60", "glaciers", ["data", "quicklook"], ["nearline"],
    )  # fmt: skip
    assert (hit["files"], hit["bytes"], hit["orderable"], hit["not_orderable"]) == (2, 2 * 11 * 60, True, None)


async def test_support_sees_everything_and_orders_nothing(client: AsyncClient, issuer: Issuer, catalogue: None) -> None:
    support = {"Authorization": f"Bearer {issuer.token('sam', roles=['support'])}"}
    (hit,) = (await client.get("/objects", params={"q": "hidden"}, headers=support)).json()["items"]
    assert (hit["orderable"], hit["not_orderable"]) == (False, "access_limited")


@pytest.mark.parametrize(
    "query",
    [
        {"property": "eo:cloud_cover"}, {"property": "checked<true"}, {"property": "<5"}, {"kind": "thumbnail"},
        {"tier": "tape"}, {"facets": "colour"}, {"sort": "price"}, {"datetime": "yesterday"}, {"bbox": "1,2,3"},
        {"q": " ".join("abcdefghijk")}, {"cursor": "made-up"}, {"limit": "0"}, {"tests": "a=1"},
        {"bbox": "1,2,3,4", "intersects": '{"type": "Point", "coordinates": [1, 2]}'},
    ],
)  # fmt: skip
async def test_what_cannot_be_meant_is_refused(client: AsyncClient, query: dict[str, str]) -> None:
    answer = await client.get("/objects", params=query)
    assert answer.status_code in {400, 422}, answer.text


async def test_kept_counts_are_what_a_plain_count_finds(sessions: Sessions, catalogue: None) -> None:
    year = "extract(year FROM begins_at AT TIME ZONE 'UTC')::integer"
    plain = f"SELECT product_id, {year}, kinds, tiers, count(*), sum(files), sum(bytes) FROM catalogue_objects GROUP BY 1, 2, 3, 4"  # noqa: E501
    async with sessions() as session:
        for change in (
            "SELECT 1",
            "UPDATE catalogue_files SET tier = 'nearline' WHERE size_bytes % 3 = 0",
            "DELETE FROM catalogue_files WHERE kind = 'quicklook' AND size_bytes % 5 = 0",
            "UPDATE catalogue_objects SET begins_at = '1999-12-31Z' WHERE files = 1",
            "WITH gone AS (DELETE FROM catalogue_files WHERE size_bytes < 200 RETURNING object_id) SELECT 1",
            "DELETE FROM catalogue_objects o WHERE NOT EXISTS (SELECT FROM catalogue_files f WHERE f.object_id = o.id)",
        ):
            await session.execute(sa.text(change))
            kept = await session.execute(sa.text("SELECT * FROM object_counts WHERE objects <> 0"))
            weighed = await session.execute(
                sa.text(
                    "SELECT count(*) FROM catalogue_objects o, LATERAL (SELECT count(*) AS n, sum(size_bytes) AS b FROM"
                    " catalogue_files WHERE object_id = o.id) f WHERE f.n > 0 AND (o.files, o.bytes) <> (f.n, f.b)"
                )
            )
            assert weighed.scalar_one() == 0
            counted = await session.execute(sa.text(plain))
            assert {tuple(map(str, row)) for row in kept} == {tuple(map(str, row)) for row in counted}


async def test_a_product_is_shown_with_its_texts_and_found_by_them(
    client: AsyncClient, catalogue: None, sessions: Sessions
) -> None:
    texts = {"titles": {"en": "Glaciers of the Alps", "fr": "Glaciers des Alpes"}, "descriptions": {"fr": "La glace."}}
    async with sessions.begin() as session:
        await session.execute(
            sa.text("UPDATE products SET titles = :t, descriptions = :d WHERE sku = 'glaciers'").bindparams(
                sa.bindparam("t", type_=sa.JSON), sa.bindparam("d", type_=sa.JSON)
            ),
            {"t": texts["titles"], "d": texts["descriptions"]},
        )
    shown = (await client.get("/products/glaciers")).json()
    assert shown | texts == shown
    assert (shown["objects"], shown["license"], shown["bbox"], shown["begins_at"]) == (20, None, None, None)
    every = ["coasts", "glaciers"]
    for q, skus in (("ALPES glace", ["glaciers"]), ("coast", ["coasts"]), ("nothing", []), ("", every)):
        answer = (await client.get("/products", params={"q": q})).json()
        assert [product["sku"] for product in answer["items"]] == skus, q
    assert (await client.get("/products/secret")).status_code == 404
    assert len((await found(client, q="alpes"))["items"]) == 20
