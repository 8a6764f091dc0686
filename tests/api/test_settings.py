"""The shop's settings by API: who sees and changes them, what a change does at once, and what is kept of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from temporalio.testing import ActivityEnvironment

from activities.orders import OrderActivities
from activities.planning import PlanningActivities
from api.dependencies import Services
from models.messages import OrderRef
from models.shop_settings import ShopSettings
from tests.api.conftest import MakeProduct
from tests.factories import Sessions
from tests.issuer import as_

ADMIN = as_("ada")
ENVIRONMENT = ShopSettings(max_pause=timedelta(days=9))
ORDER = {"items": [{"product": "scenes"}]}


@pytest.fixture
async def services(services: Services) -> Services:
    """Of a shop one setting of which is made by the environment."""
    return replace(services, shop=ENVIRONMENT)


async def changed(client: AsyncClient, given: dict[str, Any], etag: str | None = None) -> Response:
    headers = ADMIN if etag is None else {**ADMIN, "If-Match": etag}
    return await client.patch("/settings", json=given, headers=headers)


def refusal(answer: Response) -> tuple[int, str, list[str]]:
    problem = answer.json()
    return answer.status_code, problem["code"], [fault["field"] for fault in problem.get("faults", ())]


async def test_admins_see_every_setting_with_its_source_and_others_what_pages_are_made_of(client: AsyncClient) -> None:
    assert (await changed(client, {"welcome": {"fr": "Bonjour"}, "keep_for": "P10D"})).status_code == 200
    shown = (await client.get("/settings", headers=ADMIN)).json()
    assert shown["values"].keys() == shown["sources"].keys() == ShopSettings.model_fields.keys()
    assert (shown["values"]["keep_for"], shown["values"]["max_pause"]) == ("P10D", "P9D")
    sources = [shown["sources"][name] for name in ("max_pause", "keep_for", "draft_timeout")]
    assert sources == ["environment", "settings", "default"]
    public = (await client.get("/settings")).json()
    values = {"languages": ["en", "fr"], "welcome": {"fr": "Bonjour"}, "group_by_product": True}
    assert public["values"] == values | {"cart_groups": "expanded", "history_groups": "collapsed"}
    assert public["version"] == shown["version"] == 1


async def test_what_is_changed_holds_at_once_for_orders_estimates_plans_and_workflows(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    run, activities = ActivityEnvironment().run, OrderActivities(sessions, ENVIRONMENT)
    order = OrderRef(order_id=(await client.post("/orders", json=ORDER)).json()["id"])
    given = {"max_open_orders": 1, "max_files_per_suborder": 1, "keep_for": "P3D"}
    assert (await changed(client, given)).json()["values"]["max_open_orders"] == 1
    assert refusal(await client.post("/orders", json=ORDER))[:2] == (409, "quota_exceeded")
    told = (await client.post("/orders:estimate", json=ORDER)).json()
    parts = await run(PlanningActivities(sessions, ENVIRONMENT).plan_suborders, order)
    assert (told["acceptable"], len(told["suborders"]), parts) == (False, 3, 3)
    terms = (await run(activities.open_order, order)).terms
    assert (terms.keep_for, terms.max_pause) == (timedelta(days=3), timedelta(days=9))
    assert (await changed(client, {"max_open_orders": None})).json()["sources"]["max_open_orders"] == "default"
    assert (await client.post("/orders", json=ORDER)).status_code == 201


async def test_a_change_that_cannot_be_is_refused_with_every_fault_and_changes_nothing(client: AsyncClient) -> None:
    before = (await client.get("/settings", headers=ADMIN)).json()
    given = {"max_pause": "P1D", "languages": ["fr", "fr"], "remind_before": "P9D", "max_open_orders": 3}
    answer = await changed(client, given)
    assert refusal(answer) == (422, "invalid_settings", ["max_pause", "remind_before", "languages"])
    assert "CONSIGNOR_MAX_PAUSE" in answer.json()["faults"][0]["text"]
    for wrong in ({"max_open_orders": -1}, {"keep_for": 7}, {"cart_groups": "open"}, {"nothing": 1}):
        assert refusal(await changed(client, wrong))[0::2] == (422, list(wrong))
    assert (await client.get("/settings", headers=ADMIN)).json() == before
    assert (await client.get("/settings/changes", headers=ADMIN)).json()["items"] == []


async def test_a_change_is_refused_where_somebody_was_quicker(client: AsyncClient) -> None:
    seen = (await client.get("/settings", headers=ADMIN)).headers["etag"]
    first = await changed(client, {"max_open_orders": 3}, seen)
    assert refusal(await changed(client, {"max_open_orders": 4}, seen))[:2] == (412, "precondition_failed")
    second = await changed(client, {"max_open_orders": 4}, first.headers["etag"])
    assert (first.status_code, second.status_code, second.json()["version"]) == (200, 200, 2)


async def test_who_changed_what_and_when_is_kept_and_what_stays_the_same_is_no_change(client: AsyncClient) -> None:
    for given in ({"keep_for": "P3D"}, {"keep_for": "P3D", "group_by_product": False}, {"keep_for": None}):
        assert (await changed(client, given)).status_code == 200
    first = (await client.get("/settings/changes?limit=2", headers=ADMIN)).json()
    rest = (await client.get(f"/settings/changes?cursor={first['next_cursor']}", headers=ADMIN)).json()
    told = [act["changes"] for act in first["items"] + rest["items"]]
    assert told == [{"keep_for": ["P3D", None]}, {"group_by_product": [None, False]}, {"keep_for": [None, "P3D"]}]
    assert {act["actor"].partition(":")[0] for act in first["items"]} == {"operator"}
    assert all(act["at"] for act in first["items"])
