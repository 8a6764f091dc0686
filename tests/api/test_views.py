"""Saved views: lists that people come back to, their own or shared among operators."""

import asyncio
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient

from api.orders.filters import OrderFilterParams
from services.numbers import VIEWS
from tests.factories import LOCAL_CALLER, Sessions
from tests.issuer import as_

VIEW = {
    "name": "Failed this year",
    "filter": {
        "status": ["failed", "paused"],
        "status_not": ["paused"],
        "tag": ["ice"],
        "min_bytes": 10,
        "failure": ["source_unavailable"],
    },
    "sort": "-bytes",
    "columns": ["number", "label", "status"],
}


MANY = """
    INSERT INTO saved_views (owner, name, filter, sort, columns, shared, created_at)
    SELECT :owner, n::text, '{}', '-created_at', '{}', false, now() FROM generate_series(1, :number) n
"""


async def save_many(sessions: Sessions, number: int) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.text(MANY), {"owner": LOCAL_CALLER.customer, "number": number})


async def names(client: AsyncClient, subject: str = "local") -> list[str]:
    return [view["name"] for view in (await client.get("/views", headers=as_(subject))).json()["items"]]


async def test_a_view_is_saved_changed_and_deleted(client: AsyncClient) -> None:
    saved = await client.post("/views", json=VIEW)
    assert saved.status_code == 201, saved.text
    view = saved.json()
    assert {key: view[key] for key in VIEW} == VIEW
    assert (view["shared"], view["mine"]) == (False, True)
    url = saved.headers["location"]
    assert (await client.get(url)).json() == view
    changed = (await client.patch(url, json={"name": "Failed", "filter": {"q": "ice"}})).json()
    assert changed == {**view, "name": "Failed", "filter": {"q": "ice"}}
    assert await names(client) == ["Failed"]
    assert (await client.delete(url)).status_code == 204
    assert (await client.get(url)).status_code == 404
    assert await names(client) == []


async def test_a_filter_may_say_status_not_as_urls_do(client: AsyncClient) -> None:
    given = {"status!": ["paused"], "status_not": ["failed"]}
    view = (await client.post("/views", json={"name": "Old", "filter": given})).json()
    assert view["filter"] == {"status_not": ["failed", "paused"]}


async def test_a_saved_filter_is_one_that_lists_take(client: AsyncClient) -> None:
    view = (await client.post("/views", json=VIEW)).json()
    answer = await client.get("/orders", params={**view["filter"], "sort": view["sort"]})
    assert answer.status_code == 200, answer.text
    assert OrderFilterParams.model_validate(view["filter"]).to_filter().tags == ("ice",)


async def test_views_are_ones_own_and_shared_by_operators_among_operators(anonymous: AsyncClient) -> None:
    for subject, name, shared in (("local", "mine", False), ("sam", "ours", True), ("sam", "sam's", False)):
        body = {"name": name, "shared": shared}
        assert (await anonymous.post("/views", json=body, headers=as_(subject))).status_code == 201
    assert await names(anonymous, "local") == ["mine"]
    assert await names(anonymous, "other") == []
    assert await names(anonymous, "sam") == ["ours", "sam's"]
    assert await names(anonymous, "ada") == ["ours"]
    (ours,) = (await anonymous.get("/views", headers=as_("ada"))).json()["items"]
    assert ours["mine"] is False
    for method in ("PATCH", "DELETE"):
        body = {"json": {"name": "x"}} if method == "PATCH" else {}
        answer = await anonymous.request(method, f"/views/{ours['id']}", headers=as_("ada"), **body)  # type: ignore[arg-type]
        assert answer.status_code == 403
        answer = await anonymous.request(method, f"/views/{ours['id']}", headers=as_("local"), **body)  # type: ignore[arg-type]
        assert answer.status_code == 404
    refused = await anonymous.post("/views", json={"name": "x", "shared": True}, headers=as_("local"))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_a_name_is_unique_among_ones_own_also_of_many_at_once(client: AsyncClient) -> None:
    answers = await asyncio.gather(*(client.post("/views", json={"name": "Same"}) for _ in range(5)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 4}
    other = (await client.post("/views", json={"name": "Other"})).json()
    taken = await client.patch(f"/views/{other['id']}", json={"name": "Same"})
    assert (taken.status_code, taken.json()["code"]) == (409, "view_taken")
    theirs = await client.post("/views", json={"name": "Same"}, headers=as_("other"))
    assert theirs.status_code == 201


async def test_somebody_has_so_many_views_and_no_more(client: AsyncClient, sessions: Sessions) -> None:
    await save_many(sessions, VIEWS.most - 1)
    answers = await asyncio.gather(*(client.post("/views", json={"name": f"x{n}"}) for n in range(3)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 2}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"), ({"name": ""}, "name"), ({"name": "\u3000"}, "name"), ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"), ({"name": "a", "filter": {"statsu": ["failed"]}}, "filter/statsu"),
        ({"name": "a", "filter": {"status": ["done"]}}, "filter/status/0"),
        ({"name": "a", "filter": {"sort": "bytes"}}, "filter/sort"), ({"name": "a", "filter": None}, "filter"),
        ({"name": "a", "sort": "price"}, "sort"), ({"name": "a", "columns": ["A b"]}, "columns/0"),
        ({"name": "a", "columns": "number"}, "columns"), ({"name": "a", "shared": "yes"}, "shared"),
        ({"name": "a", "owner": "me"}, "owner"),
    ],
)  # fmt: skip
async def test_a_view_that_cannot_be_is_refused_by_its_field(client: AsyncClient, body: Any, field: str) -> None:
    answer = await client.post("/views", json=body)
    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.json()["faults"]] == [field]
