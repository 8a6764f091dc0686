"""Bulks as they are asked for: checked, counted, frozen, shown to whose they are. Temporal is away: all of it waits."""

import csv
import io
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from sqlmodel import col

from activities.planning import PlanningActivities
from api.identity.secrets import PREFIX, hashed
from models.bulk import BulkCommand, skipped
from models.errors import Failure, FailureCode
from models.messages import OrderRef
from models.order import OrderStatus
from models.queries.destinations import settle_delivery
from models.queries.users import upsert_user
from models.tables import AccessToken, Order, OrderFile, User
from tests.activities.builders import run
from tests.api.test_refusals import faults
from tests.factories import LOCAL_CALLER, Sessions, add_order, add_product
from tests.issuer import Issuer, as_
from tests.listings import BEGIN, Row, add_rows
from tests.services.catalogue_sources import rows

NOBODY = "00000000-0000-7000-8000-000000000000"
ME, OTHER = LOCAL_CALLER.customer, "somebody"
ITEMS = "SELECT result, code, count(*)::int FROM bulk_items GROUP BY 1, 2 ORDER BY 1, 2"


def order_row(n: int, **more: Any) -> Row:
    """A plain order; one of each status, over and over."""
    statuses = list(OrderStatus)
    return {
        "number": f"CO-2026-{n:06d}",
        "customer": ME,
        "label": f"label {n}",
        "skus": ["scenes"],
        "product_names": ["Scenes"],
        "status": statuses[n % len(statuses)].value,
        "failure_code": "source_unavailable" if statuses[n % len(statuses)] is OrderStatus.FAILED else None,
        "status_at": BEGIN,
        "version": 1,
        "total_price": 0,
        "currency": "EUR",
        "created_at": BEGIN + timedelta(minutes=n),
        "started_at": BEGIN,
        "objects_total": 1,
        "files_total": 1,
        "bytes_total": 10 * n,
        **more,
    }


@pytest.fixture
async def orders(sessions: Sessions) -> list[Row]:
    """Two of mine of each status, and one of somebody else's."""
    mine = [order_row(n) for n in range(24)]
    theirs = [order_row(n, customer=OTHER) for n in range(24, 36)]
    return await add_rows(sessions, mine + theirs, random.Random(1))


async def bulk(client: AsyncClient, action: str = "cancel", *, who: str = "local", **body: Any) -> Response:
    headers = as_(who) | ({"Idempotency-Key": key} if (key := body.pop("key", None)) else {})
    params: dict[str, Any] = {name: body.pop(name) for name in ("limit", "cursor") if name in body}
    return await client.post("/orders:bulk", json={"action": action, **body}, headers=headers, params=params)


async def accepted(client: AsyncClient, action: str = "cancel", **body: Any) -> Any:
    answer = await bulk(client, action, **body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["links"]["self"]
    return answer.json()


async def tried(client: AsyncClient, action: str = "cancel", **body: Any) -> Any:
    answer = await bulk(client, action, dry_run=True, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: Response, status: int, code: str) -> Any:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return answer.json()


async def nothing_is_written(sessions: Sessions) -> bool:
    return await rows(sessions, "SELECT (SELECT count(*) FROM bulks) + (SELECT count(*) FROM bulk_items)") == [0]


@pytest.mark.parametrize("action", [c.value for c in BulkCommand if c is not BulkCommand.LABEL])
async def test_a_dry_run_says_of_each_order_what_would_be_done_and_writes_nothing(
    client: AsyncClient, sessions: Sessions, orders: list[Row], action: str
) -> None:
    mine = {str(row["id"]): row for row in orders if row["customer"] == ME and row["status"] != "deleted"}
    found = await tried(client, action, filter={})
    assert {item["order_id"] for item in found["items"]} == set(mine)
    for item in found["items"]:
        row = mine[item["order_id"]]
        said = skipped(BulkCommand(action), OrderStatus(row["status"]))
        assert (item["number"], item["status"]) == (row["number"], row["status"])
        assert (item["outcome"], item["code"]) == (("skipped", said.code) if said else ("done", None))
    outcomes = Counter(item["outcome"] for item in found["items"])
    assert (found["total"], found["done"], found["skipped"]) == (len(mine), outcomes["done"], outcomes["skipped"])
    assert found["reasons"] == Counter(item["code"] for item in found["items"] if item["code"])
    assert await nothing_is_written(sessions)


async def test_a_bulk_takes_the_orders_that_failed_by_a_code(client: AsyncClient, orders: list[Row]) -> None:
    found = await tried(client, "retry", filter={"failure": ["source_unavailable", "disk_full"]})
    failed = {str(row["id"]) for row in orders if row["customer"] == ME and row["status"] == "failed"}
    assert {item["order_id"] for item in found["items"]} == failed
    assert (found["total"], found["done"]) == (2, 2)
    assert (await tried(client, "retry", filter={"failure": ["disk_full"]}))["total"] == 0


async def test_a_bulk_takes_the_orders_with_warnings_of_which_a_file_or_a_delivery_failed_by_a_code(
    client: AsyncClient, sessions: Sessions, tmp_path: Path
) -> None:
    await add_product(sessions, tmp_path, "scenes", {"o": {"a.tif": b"1"}})
    spoilt, undelivered, whole = [(await add_order(sessions, {"scenes": "all"})).id for _ in range(3)]
    for order_id in (spoilt, undelivered, whole):
        await run(PlanningActivities(sessions).plan_suborders, OrderRef(order_id=order_id))
    failed = Failure(code=FailureCode.DESTINATION_FULL, text="the bucket is full")
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).values(status=OrderStatus.FULFILLED_WITH_WARNINGS))
        await session.execute(sa.update(Order).where(col(Order.id) == spoilt).values(files_failed=1))
        spoil = sa.update(OrderFile).where(col(OrderFile.order_id) == spoilt)
        await session.execute(spoil.values(state="failed", failure_code="source_missing", failure_text="gone"))
        await session.execute(settle_delivery(undelivered, 1, failure=failed))
    for code, order_id in (("source_missing", spoilt), ("destination_full", undelivered)):
        found = await tried(client, "retry", filter={"failure": [code]})
        assert [item["order_id"] for item in found["items"]] == [str(order_id)]
        listed = (await client.get("/orders", params={"failure": code})).json()
        assert [item["id"] for item in listed["items"]] == [str(order_id)]
    assert (await tried(client, "retry", filter={"failure": ["disk_full"]}))["total"] == 0


async def test_a_dry_run_comes_in_pages(client: AsyncClient, orders: list[Row]) -> None:
    seen, cursor = [], None
    while True:
        page = await tried(client, filter={}, limit=5, **({"cursor": cursor} if cursor else {}))
        assert page["total"] == 22
        seen += [item["order_id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == len(set(seen)) == 22
    another = (await tried(client, filter={}, limit=5))["next_cursor"]
    foreign = await bulk(client, "pause", dry_run=True, filter={}, cursor=another)
    assert faults(foreign) == [("cursor", "invalid_cursor")]


async def test_a_bulk_takes_the_orders_that_match_and_keeps_them(
    client: AsyncClient, sessions: Sessions, orders: list[Row]
) -> None:
    wanted = {"status": ["draft", "paused"], "min_bytes": 20, "q": "label"}
    made = await accepted(client, filter=wanted, reason="spring cleaning", expected=3)
    assert (made["action"], made["state"], made["reason"]) == ("cancel", "waiting", "spring cleaning")
    assert (made["total"], made["pending"], made["percent"], made["filter"]) == (3, 3, 0.0, wanted)
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).values(status="fulfilled"))
    page = (await client.get(f"/bulks/{made['id']}/orders")).json()
    mine = [row for row in orders if row["customer"] == ME and row["bytes_total"] >= 20]
    expected = {str(row["id"]) for row in mine if row["status"] in {"draft", "paused"}}
    assert {item["order_id"] for item in page["items"]} == expected
    assert {item["outcome"] for item in page["items"]} == {"pending"}


async def test_ids_that_name_nothing_one_may_see_are_skipped_from_the_beginning(
    client: AsyncClient, sessions: Sessions, orders: list[Row]
) -> None:
    mine, theirs = str(orders[0]["id"]), str(orders[30]["id"])
    deleted = next(str(row["id"]) for row in orders if row["customer"] == ME and row["status"] == "deleted")
    made = await accepted(client, ids=[mine, theirs, NOBODY, deleted, mine], expected=4)
    assert (made["total"], made["pending"], made["skipped"], made["filter"]) == (4, 1, 3, None)
    page = (await client.get(f"/bulks/{made['id']}/orders")).json()["items"]
    assert {i["order_id"]: (i["outcome"], i["code"], i["number"] is None) for i in page} == {
        mine: ("pending", None, False),
        **dict.fromkeys((theirs, NOBODY, deleted), ("skipped", "not_found", True)),
    }
    assert await rows(sessions, ITEMS) == [("skipped", "not_found", 3), (None, None, 1)]
    (found,) = (await tried(client, ids=[theirs]))["items"]
    assert (found["outcome"], found["code"], found["number"], found["status"]) == ("skipped", "not_found", None, None)


async def test_what_is_not_as_expected_is_refused_and_nothing_is_written(
    client: AsyncClient, sessions: Sessions, orders: list[Row]
) -> None:
    for dry_run in (False, True):
        problem = refused(await bulk(client, filter={}, expected=21, dry_run=dry_run), 409, "selection_changed")
        assert (problem["expected"], problem["found"]) == (21, 22)
    refused(await bulk(client, "export", filter={}, expected=1), 409, "selection_changed")
    assert await nothing_is_written(sessions)


async def test_a_filter_that_leaves_everything_open_needs_a_number(client: AsyncClient, orders: list[Row]) -> None:
    assert faults(await bulk(client, filter={})) == [("expected", "expected_missing")]
    assert (await accepted(client, filter={}, expected=22))["total"] == 22


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "explode", "ids": [NOBODY]}, "action"),
        ({"action": "cancel"}, "cancel"),
        ({"action": "cancel", "ids": [NOBODY], "filter": {}}, "cancel"),
        ({"action": "cancel", "ids": []}, "cancel/ids"),
        ({"action": "cancel", "ids": ["x"]}, "cancel/ids/0"),
        ({"action": "cancel", "ids": [NOBODY], "label": "x"}, "cancel/label"),
        ({"action": "cancel", "ids": [NOBODY], "reason": "a\nb"}, "cancel/reason"),
        ({"action": "cancel", "ids": [NOBODY], "dry_run": "yes"}, "cancel/dry_run"),
        ({"action": "cancel", "ids": [NOBODY], "expected": "1"}, "cancel/expected"),
        ({"action": "cancel", "ids": [NOBODY], "expected": 2**70}, "expected"),
        ({"action": "cancel", "filter": {"color": "red"}}, "cancel/filter/color"),
        ({"action": "cancel", "filter": {"status": ["unknown"]}}, "cancel/filter/status/0"),
        ({"action": "cancel", "filter": {"failure": ["unknown"]}}, "cancel/filter/failure/0"),
        ({"action": "cancel", "filter": {"sort": "-bytes"}}, "cancel/filter/sort"),
        ({"action": "cancel", "filter": {"min_bytes": "5"}}, "cancel/filter/min_bytes"),
        ({"action": "cancel", "filter": {"waiting_for_user": "true"}}, "cancel/filter/waiting_for_user"),
        ({"action": "cancel", "filter": {"q": "a\x00b"}}, "filter/q"),
        ({"action": "cancel", "filter": {"created_after": 5}}, "cancel/filter/created_after"),
        ({"action": "cancel", "filter": {"created_after": "2026-01-01T00:00:00"}}, "cancel/filter/created_after"),
        ({"action": "label", "ids": [NOBODY]}, "label/label"),
        ({"action": "label", "ids": [NOBODY], "label": "x", "reason": "y"}, "label/reason"),
        ({"action": "export", "ids": [NOBODY], "reason": "y"}, "export/reason"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused_by_field(client: AsyncClient, body: Any, field: str) -> None:
    answer = await client.post("/orders:bulk", json=body)
    assert [name for name, _ in faults(answer)] == [field]


async def test_labels_must_differ(client: AsyncClient, sessions: Sessions, orders: list[Row]) -> None:
    wanted: dict[str, Any] = {"status": ["draft", "paused"]}
    assert faults(await bulk(client, "label", filter=wanted, label="same")) == [("label", "label_not_distinct")]
    assert faults(await bulk(client, "label", filter=wanted, label="{serial}")) == [
        ("label", "label_placeholder_unknown")
    ]
    assert await nothing_is_written(sessions)
    found = await tried(client, "label", filter=wanted, label="New {number}")
    assert [item["label"] for item in found["items"]] == [f"New {item['number']}" for item in found["items"]]


async def test_the_same_key_is_the_same_bulk(client: AsyncClient, sessions: Sessions, orders: list[Row]) -> None:
    first = await accepted(client, filter={"status": ["draft"]}, key="once")
    again = await accepted(client, filter={"status": ["draft"]}, key="once")
    assert again == first
    refused(await bulk(client, filter={"status": ["paused"]}, key="once"), 422, "idempotency_key_reused")
    assert await rows(sessions, "SELECT count(*) FROM bulk_items") == [2]
    assert (await accepted(client, filter={"status": ["draft"]}, key="once", who="ada"))["id"] != first["id"]
    assert (await accepted(client, filter={"status": ["draft"]}))["id"] != first["id"]


async def test_bulks_are_listed_newest_first_to_whom_they_belong(client: AsyncClient, orders: list[Row]) -> None:
    made = [(await accepted(client, filter={"status": ["draft"]}))["id"] for _ in range(3)]
    theirs = await accepted(client, filter={"status": ["draft"]}, who="ada")
    assert theirs["total"] == 3

    async def listed(who: str, **params: str) -> Any:
        return (await client.get("/bulks", headers=as_(who), params=params)).json()

    page = await listed("local", limit="2")
    assert [b["id"] for b in page["items"]] == made[:0:-1]
    rest = await listed("local", limit="2", cursor=page["next_cursor"])
    assert ([b["id"] for b in rest["items"]], rest["next_cursor"]) == (made[:1], None)
    assert [b["id"] for b in (await listed("sam"))["items"]] == [theirs["id"], *made[::-1]]
    assert (await listed("other"))["items"] == []
    for path in ("", "/orders"):
        assert (await client.get(f"/bulks/{made[0]}{path}", headers=as_("other"))).status_code == 404


async def test_a_bulk_that_has_not_begun_can_be_cancelled_as_often_as_one_likes(
    client: AsyncClient, sessions: Sessions, orders: list[Row]
) -> None:
    made = await accepted(client, filter={"status": ["draft"]})
    answers = [await client.post(f"/bulks/{made['id']}/cancel") for _ in range(2)]
    assert [answer.json()["state"] for answer in answers] == ["cancelling"] * 2
    assert answers[0].json() == answers[1].json()
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE bulks SET cancelled_at = NULL, skipped = total, finished_at = now()"))
    refused(await client.post(f"/bulks/{made['id']}/cancel"), 409, "bulk_is_over")


async def test_an_export_has_the_orders_at_once_also_for_those_who_may_not_command(
    client: AsyncClient, orders: list[Row]
) -> None:
    async def exported(who: str = "local", **body: Any) -> set[str]:
        answer = await bulk(client, "export", who=who, **body)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        return {row["order_id"] for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"), newline=""))}

    drafts = {str(row["id"]) for row in orders if row["status"] == "draft"}
    mine = {str(row["id"]) for row in orders if row["customer"] == ME}
    assert await exported(filter={"status": ["draft"]}, expected=2) == drafts & mine
    assert await exported("sam", filter={"status": ["draft"]}, bom=True) == drafts
    assert await exported(ids=[*drafts, NOBODY]) == drafts & mine
    would = await tried(client, "export", ids=[*drafts, NOBODY])
    assert (would["done"], would["reasons"]) == (2, {"not_found": 2})
    refused(await bulk(client, who="sam", filter={"status": ["draft"]}), 403, "forbidden")


async def test_what_a_token_is_not_for_is_skipped_and_said(
    anonymous: AsyncClient, app: FastAPI, sessions: Sessions, issuer: Issuer, orders: list[Row]
) -> None:
    """An administrator's token that may read everything and order for itself."""
    admin = User(id="ada", issuer="i", subject="s", roles=["admin"], groups=[], asserted_at=BEGIN)
    secret = PREFIX + "x" * 40
    token = AccessToken(
        customer="ada",
        name="nightly",
        secret_hash=hashed(secret),
        scopes=["read", "order"],
        created_at=BEGIN,
        expires_at=BEGIN + timedelta(days=100_000),
    )
    async with sessions.begin() as session:
        await session.execute(upsert_user(admin))
        session.add(token)
        await session.execute(sa.update(Order).where(col(Order.customer) == OTHER).values(customer="ada"))
    headers = {"Authorization": f"Bearer {secret}"}
    body = {"action": "pause", "filter": {"status": ["provisioning"]}, "dry_run": True}
    found = (await anonymous.post("/orders:bulk", json=body, headers=headers)).json()
    assert (found["total"], found["done"], found["reasons"]) == (3, 1, {"forbidden": 2})
    made = (await anonymous.post("/orders:bulk", json=body | {"dry_run": False}, headers=headers)).json()
    assert made["total"] == 3
    assert await rows(sessions, "SELECT scopes FROM bulks") == [["order", "read"]]


async def test_an_operator_of_everybody_takes_everybodys_orders(client: AsyncClient, orders: list[Row]) -> None:
    found = await tried(client, filter={"status": ["draft"]}, who="ada")
    assert (found["total"], found["done"]) == (3, 3)
    assert (await tried(client, filter={"status": ["draft"], "customer": [OTHER]}, who="ada"))["total"] == 1
