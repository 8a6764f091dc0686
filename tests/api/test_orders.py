"""Reading orders: lists, details, files, timelines; and of one's own orders only."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient
from sqlmodel import col

from api.dependencies import Caller
from models.order import OrderStatus
from models.tables import Order
from tests.api.conftest import PUBLIC_URL, MakeProduct, MakeReady
from tests.factories import LOCAL_CALLER, Sessions, add_order
from tests.issuer import as_

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NOBODY = "00000000-0000-7000-8000-000000000000"
PARTS = ("", "/suborders", "/files", "/timeline", "/suborders/1/archive")


async def pages(client: AsyncClient, path: str, limit: int) -> list[list[dict[str, Any]]]:
    """All pages of a list."""
    found, cursor = [], None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(path, params=query)).json()
        found.append(page["items"])
        if (cursor := page["next_cursor"]) is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
async def test_orders_are_paged_newest_first_without_gap_or_twin(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct, limit: int
) -> None:
    await make_product()
    # Two at the same instant: the cursor has to tell them apart too.
    for n, minutes in enumerate((1, 0, 2, 1)):
        await add_order(sessions, {"scenes": "all"}, label=f"{n}", now=NOW + timedelta(minutes=minutes))
    found = await pages(client, "/orders", limit)
    labels = [order["label"] for page in found for order in page]
    assert labels[0] == "2"
    assert set(labels[1:3]) == {"0", "3"}
    assert labels[3:] == ["1"]
    assert [len(page) for page in found] == [min(limit, 4 - start) for start in range(0, 4, limit)]
    assert found[0][0]["products"] == ["scenes"]


async def test_a_list_shows_of_an_order_what_its_page_shows(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product(price="2")
    order = await add_order(sessions, {"scenes": ["winter"]}, now=NOW)
    detail = (await client.get(f"/orders/{order.id}")).json()
    assert detail.pop("items")[0]["line_total"] == "2.00"
    assert detail.pop("faults") == []
    assert (detail.pop("warnings"), detail.pop("warnings_total")) == ([], 0)
    assert detail.pop("refund_due") is None
    assert detail.pop("degraded") is False
    assert detail.pop("destination") is None
    assert [detail.pop(name) for name in ("subtotal", "discounts", "taxes", "tax_included", "country", "coupon")] == [
        "2.00", [], [], False, None, None,
    ]  # fmt: skip
    assert (detail.pop("on_missing"), detail.pop("max_failed_percent")) == ("deliver_the_rest", None)
    assert (await client.get("/orders")).json()["items"] == [detail]
    assert detail["allowed_actions"] == ["cancel"]
    assert (detail["outcome"], detail["waiting_for_user"], detail["failure"]) == ("pending", False, None)
    assert (detail["waiting_on"]["code"], detail["waiting_on"]["who"]) == ("payment", "operator")
    assert detail["created_at"] == "2026-03-04T05:06:07Z"
    assert detail["links"]["files"] == f"{PUBLIC_URL}/api/v1/orders/{order.id}/files"


@pytest.mark.parametrize(
    ("who", "allowed"), [("local", ["cancel"]), ("ada", ["confirm_payment", "cancel"]), ("sam", [])]
)
async def test_what_is_allowed_is_what_the_caller_may_do(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct, who: str, allowed: list[str]
) -> None:
    await make_product(price="1")
    order = await add_order(sessions, {"scenes": "all"}, label=who)
    shown = (await client.get(f"/orders/{order.id}", headers=as_(who))).json()
    listed = (await client.get("/orders", headers=as_(who))).json()["items"][0]
    assert shown["allowed_actions"] == listed["allowed_actions"] == allowed


async def test_the_timeline_begins_with_who_ordered(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"}, now=NOW)
    (row,) = (await client.get(f"/orders/{order.id}/timeline")).json()["items"]
    assert (row["sequence"], row["at"], row["actor"]) == (1, "2026-03-04T05:06:07Z", LOCAL_CALLER.actor)
    assert (row["what"], row["status_before"], row["status_after"]) == ("submitted", None, "pending_payment")


@pytest.mark.parametrize("part", PARTS)
async def test_somebody_elses_order_is_as_if_it_were_not(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct, part: str
) -> None:
    await make_product()
    theirs = await add_order(sessions, {"scenes": "all"}, caller=Caller("somebody"))
    hidden = await client.get(f"/orders/{theirs.id}{part}")
    nothing = await client.get(f"/orders/{NOBODY}{part}")
    assert hidden.status_code == nothing.status_code == 404
    assert hidden.json() == {**nothing.json(), "detail": nothing.json()["detail"].replace(NOBODY, str(theirs.id))}
    assert (await client.get("/orders")).json()["items"] == []


@pytest.mark.parametrize("part", PARTS)
async def test_a_deleted_order_is_hidden_from_its_owner(
    client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady, part: str
) -> None:
    order = await make_ready_order()
    assert (await client.get(f"/orders/{order.id}{part}")).status_code == 200
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).where(col(Order.id) == order.id).values(status=OrderStatus.DELETED))
    assert (await client.get(f"/orders/{order.id}{part}")).status_code == 404
    assert (await client.get("/orders")).json()["items"] == []


async def test_suborders_and_files_are_empty_until_the_order_is_planned(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    assert (await client.get(f"/orders/{order.id}/suborders")).json() == {"items": [], "next_cursor": None}
    assert (await client.get(f"/orders/{order.id}/files")).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
async def test_files_are_paged_in_their_order(client: AsyncClient, make_ready_order: MakeReady, limit: int) -> None:
    order = await make_ready_order()
    files = [file for page in await pages(client, f"/orders/{order.id}/files", limit) for file in page]
    assert [file["seq"] for file in files] == [1, 2, 3, 4, 5]
    assert [file["path"] for file in files][:2] == ["spring/b1.tif", "spring/notes ü.txt"]
    assert {file["state"] for file in files} == {"available"}
    assert all(len(file["sha256"]) == 64 and file["failure"] is None for file in files)


async def test_a_ready_suborder_tells_where_its_archive_is(client: AsyncClient, make_ready_order: MakeReady) -> None:
    order = await make_ready_order()
    (suborder,) = (await client.get(f"/orders/{order.id}/suborders")).json()["items"]
    assert (suborder["state"], suborder["files"], suborder["files_available"]) == ("ready", 5, 5)
    assert (await client.get(suborder["archive_url"])).headers["content-length"] == str(suborder["archive_bytes"])


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


NEVER_OURS = [
    "x", "", "!", "ö", "\x00", _cursor("text"), _cursor({}), _cursor([]), _cursor([None]), _cursor([[1]]),
    _cursor([1.5]), _cursor(["a", "b"]), _cursor(["2026-03-04T05:06:07", NOBODY]), _cursor([True]), _cursor([-1]),
    _cursor([2**63]), _cursor(["2026-03-04T05:06:07+00:00", "x"]), _cursor(["9999-12-31T23:59:59-23:59"]), "A" * 501,
    base64.urlsafe_b64encode(b'["\\ud800", 1]').decode(), _cursor([1, 2]), "W10", "W10=",
]  # fmt: skip


@pytest.mark.parametrize("cursor", NEVER_OURS, ids=range(len(NEVER_OURS)))
async def test_a_cursor_that_is_none_of_ours_is_refused(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct, cursor: str
) -> None:
    await make_product()
    order = await add_order(sessions, {"scenes": "all"})
    for path in ("/orders", f"/orders/{order.id}/files"):
        answer = await client.get(path, params={"cursor": cursor})
        assert answer.status_code == 422, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "cursor" in answer.json()["faults"][0]["field"]


async def test_a_cursor_of_another_list_is_refused_or_leads_nowhere_wrong(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    first = await add_order(sessions, {"scenes": "all"}, now=NOW)
    await add_order(sessions, {"scenes": "all"}, now=NOW)
    cursor = (await client.get("/orders", params={"limit": 1})).json()["next_cursor"]
    assert (await client.get(f"/orders/{first.id}/files", params={"cursor": cursor})).status_code == 422


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00+14:00",
                                     "9999-12-31T23:59:59-14:00"])  # fmt: skip
async def test_a_cursor_at_the_ends_of_time_is_no_mistake_of_ours(client: AsyncClient, instant: str) -> None:
    answer = await client.get("/orders", params={"cursor": _cursor([instant, NOBODY])})
    assert answer.status_code in {200, 422}, answer.text


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1e3", "9" * 400])
async def test_a_limit_out_of_bounds_is_refused(client: AsyncClient, limit: str) -> None:
    answer = await client.get("/orders", params={"limit": limit})
    assert (answer.status_code, answer.json()["faults"][0]["field"]) == (422, "query/limit")
