"""What lists are asked for: bad values are refused by name, cursors are nobody's to make, nothing is sent twice."""

import random
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient
from pydantic import ValidationError

from api.dependencies import Caller, Services
from api.http.cursors import Cursors
from api.orders.filters import OrderMatchParams
from models.errors import InvalidCursor
from models.order import OrderStatus
from tests.factories import LOCAL_CALLER, Sessions
from tests.listings import add_rows, order_row

BAD = [
    ("q=%00", "q"), ("q=" + "x" * 201, "q"), ("q=" + "+".join("abcdefghijk"), "q"), ("status=done", "status"),
    ("status=", "status"), ("status=FAILED", "status"), ("status_not=nothing", "status_not"),
    ("status!=nothing", "status_not"), ("product=", "product"),
    ("product=a%00", "product"), ("customer=%00", "customer"), ("label=%00", "label"), ("label=", "label"),
    ("created_after=yesterday", "created_after"), ("created_after=2026-01-01T00:00:00", "created_after"),
    ("created_before=99999-01-01T00:00:00Z", "created_before"), ("expires_after=NaN", "expires_after"),
    ("expires_before=", "expires_before"), ("min_bytes=-1", "min_bytes"), ("min_bytes=1e3", "min_bytes"),
    ("max_bytes=9223372036854775808", "max_bytes"), ("max_bytes=" + "9" * 5000, "max_bytes"),
    ("max_bytes=NaN", "max_bytes"), ("waiting_for_user=maybe", "waiting_for_user"), ("has=everything", "has"),
    ("ids=1", "ids"), ("ids=%00", "ids"), ("sort=price", "sort"), ("sort=--number", "sort"), ("sort=", "sort"),
    ("delivery_status=done", "delivery_status"), ("statsu=failed", "statsu"), ("offset=10", "offset"),
    ("status[]=failed", "status[]"), ("Status=failed", "Status"),
]  # fmt: skip


@pytest.mark.parametrize("path", ["/orders", "/orders.csv", "/orders.jsonl"])
@pytest.mark.parametrize(("query", "field"), BAD, ids=range(len(BAD)))
async def test_a_bad_value_is_refused_by_the_name_of_its_field(
    client: AsyncClient, path: str, query: str, field: str
) -> None:
    answer = await client.get(f"{path}?{query}")
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    (fault, *_) = answer.json()["faults"]
    assert fault["field"].split("/")[:2] == ["query", field]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "cursor=x", "cursor=", "cursor=%00"])
async def test_a_bad_page_is_refused(client: AsyncClient, query: str) -> None:
    answer = await client.get(f"/orders?{query}")
    assert answer.status_code == 422
    assert query.split("=", maxsplit=1)[0] in answer.json()["faults"][0]["field"]


@pytest.mark.parametrize(
    "text",
    [
        "%",
        "_",
        "\\",
        "%25%5C",
        "' OR 1=1",
        "\ud800",
        "\u202e",
        "has:errors",
        "has:everything",
        "CO-",
        "é" * 50,
        "\\%_" * 9,
    ],
)
async def test_no_search_however_strange_is_a_mistake_of_ours(
    client: AsyncClient, sessions: Sessions, text: str
) -> None:
    chance = random.Random(1)
    await add_rows(sessions, [order_row(1, chance, customer=LOCAL_CALLER.customer, status="failed")], chance)
    asked = quote(text.encode("utf-8", "surrogatepass"))
    for path in ("/orders", "/orders.csv"):
        for field in ("q", "label", "product", "customer"):
            answer = await client.get(f"{path}?{field}={asked}")
            assert answer.status_code == 200, (path, field, answer.text)


@pytest.mark.parametrize(
    "query",
    [
        "created_after=0001-01-01T00:00:00%2B14:00",
        "expires_before=9999-12-31T23:59:59-14:00",
        "created_before=2026-11-21T22:50:33-23:58",
    ],
)
async def test_the_ends_of_time_and_of_offsets_are_instants(client: AsyncClient, query: str) -> None:
    for path in ("/orders", "/orders.csv"):
        assert (await client.get(f"{path}?{query}")).status_code == 200, path


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"failed", "paused", "expired"}),
        ("status=failed&status=paused", {"failed", "paused"}),
        ("status_not=failed", {"paused", "expired"}),
        ("status!=failed", {"paused", "expired"}),
        ("status!=failed&status!=paused&status_not=expired", set()),
        ("status=failed&status=paused&status!=paused", {"failed"}),
        ("status=deleted", set()),
        ("status=failed&status!=failed", set()),
    ],
)
async def test_statuses_are_named_or_denied(
    client: AsyncClient, sessions: Sessions, query: str, found: set[str]
) -> None:
    chance = random.Random(1)
    statuses = ("failed", "paused", "expired", "deleted")
    rows = [order_row(n, chance, customer=LOCAL_CALLER.customer, status=status) for n, status in enumerate(statuses)]
    await add_rows(sessions, rows, chance)
    page = (await client.get(f"/orders?{query}")).json()
    assert {item["status"] for item in page["items"]} == found
    assert (page["total"], page["total_capped"]) == (len(found), False)
    assert page["counts"] == {"failed": 1, "paused": 1, "expired": 1}


async def _two_pages(client: AsyncClient, sessions: Sessions) -> str:
    chance = random.Random(1)
    rows = [order_row(n, chance, customer=LOCAL_CALLER.customer, status="failed") for n in range(6)]
    await add_rows(sessions, rows, chance)
    return str((await client.get("/orders?limit=2&status=failed")).json()["next_cursor"])


async def test_a_cursor_belongs_to_its_filter_and_sort(client: AsyncClient, sessions: Sessions) -> None:
    cursor = await _two_pages(client, sessions)
    page = (await client.get(f"/orders?limit=3&status=failed&cursor={cursor}")).json()
    assert (len(page["items"]), page["counts"], page["total"], page["total_capped"]) == (3, None, None, None)
    for other in ("", "status=paused", "status=failed&sort=created_at", "status=failed&q=a", "status!=failed"):
        answer = await client.get(f"/orders?{other}&cursor={cursor}")
        assert (answer.status_code, answer.json()["faults"][0]["field"]) == (422, "cursor"), other


async def test_no_letter_of_a_cursor_can_be_changed(client: AsyncClient, sessions: Sessions) -> None:
    cursor = await _two_pages(client, sessions)
    others = {cursor[:n] + ("A" if letter != "A" else "B") + cursor[n + 1 :] for n, letter in enumerate(cursor)}
    for other in (*others, cursor[:-1], cursor + "A", cursor + "=", cursor.swapcase()):
        answer = await client.get("/orders", params={"status": "failed", "cursor": other})
        assert (answer.status_code, answer.json()["faults"][0]["field"]) == (422, "cursor"), other


async def test_a_cursor_belongs_to_its_caller_and_its_key(services: Services) -> None:
    mine, theirs = (services.cursors(Caller(name), "orders {}") for name in ("local", "alice"))
    assert mine.position(mine.after("1", "00000000-0000-7000-8000-000000000000")) is not None
    for other in (theirs, Cursors(b"another key", mine.context)):
        with pytest.raises(InvalidCursor):
            other.position(mine.after("1", "00000000-0000-7000-8000-000000000000"))


async def test_a_list_or_an_order_that_is_as_it_was_is_not_sent_again(client: AsyncClient, sessions: Sessions) -> None:
    chance = random.Random(1)
    (row,) = await add_rows(sessions, [order_row(1, chance, customer=LOCAL_CALLER.customer, status="failed")], chance)
    for path in ("/orders", f"/orders/{row['id']}"):
        first = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        async with sessions.begin() as session:
            await session.execute(sa.text("UPDATE orders SET version = version + 1"))
        new = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (new.status_code, new.headers["etag"] == first.headers["etag"]) == (200, False)


async def test_every_status_is_known_to_the_filter(client: AsyncClient) -> None:
    for status in OrderStatus:
        assert (await client.get(f"/orders?status={status}&sort=-status_at")).status_code == 200


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00 00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.5 05:30", datetime(2025, 12, 31, 18, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-01-01 00:00:00 01:00", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        ("2026-01-01T00:00:00-01:00", datetime(2026, 1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_plus_that_has_become_a_blank_is_a_plus(text: str, expected: datetime) -> None:
    assert OrderMatchParams(created_after=text).created_after == expected


@pytest.mark.parametrize("text", ["2026-01-01 00:00", "2026-01-01T00:00:00 1:00", "2026-01-01T00:00:00 -01:00"])
def test_a_blank_elsewhere_is_none(text: str) -> None:
    with pytest.raises(ValidationError):
        OrderMatchParams(created_after=text)
