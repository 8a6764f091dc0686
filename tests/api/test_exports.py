"""Exports: CSV and JSON Lines of what a list holds, safe in spreadsheets, whole or cut."""

import csv
import io
import random
from datetime import timedelta
from itertools import product
from typing import Any

import orjson
import psycopg
import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient

from api.dependencies import Services
from models.delivery_status import delivery_status, is_waiting_for_user, progress
from models.listing import OrderFilter, Sort, Visibility
from models.order import OrderStatus
from models.queries.delivery_status import delivery_status as delivery_in_sql
from models.queries.delivery_status import percent as percent_in_sql
from models.queries.exports import Copy, as_csv
from models.queries.listing import ORDERS
from models.suborder import SubOrderState
from services.exporting import MEMORY_BYTES, make_export
from tests.factories import LOCAL_CALLER, Sessions
from tests.listings import BEGIN, Row, add_rows, add_suborders, order_row

HEADER = [
    "order_id", "order_number", "creation", "expiration", "customer", "label", "products", "status",
    "delivery_status", "status_date", "percent", "files_in_error", "size_bytes", "files", "objects", "total_price",
    "currency", "failure", "subtotal", "discount", "tax",
]  # fmt: skip


async def some(sessions: Sessions, count: int = 30, **more: Any) -> list[Row]:
    """Orders of the caller."""
    chance = random.Random(11)
    more = {"customer": LOCAL_CALLER.customer, "status": "fulfilled", **more}
    return await add_rows(sessions, [order_row(n, chance, **more) for n in range(count)], chance)


def table(text: str) -> list[dict[str, str]]:
    """The rows of a CSV by their header."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_a_csv_has_the_orders_of_the_list_in_its_order(client: AsyncClient, sessions: Sessions) -> None:
    await some(sessions)
    query = {"sort": "-bytes", "q": "winter", "limit": "1000"}
    listed = (await client.get("/orders", params=query)).json()["items"]
    del query["limit"]
    answer = await client.get("/orders.csv", params=query)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="orders.csv"'
    rows = table(answer.text)
    assert list(rows[0]) == HEADER
    assert [row["order_id"] for row in rows] == [item["id"] for item in listed]
    for row, item in zip(rows, listed, strict=True):
        assert (row["order_number"], row["status"]) == (item["number"], item["status"])
        assert row["delivery_status"] == item["delivery_status"]
        assert float(row["percent"]) == item["progress"]["percent"]
        assert int(row["size_bytes"]) == item["progress"]["bytes_total"]
        assert row["total_price"] == item["total_price"]
        assert row["creation"] == item["created_at"]


async def test_json_lines_are_the_same_orders(client: AsyncClient, sessions: Sessions) -> None:
    label = 'a "quoted" \\ label, with | and é'
    await some(sessions, 1, label=label, skus=["a b", "c"])
    answer = await client.get("/orders.jsonl")
    assert answer.headers["content-type"] == "application/jsonl"
    (line,) = [orjson.loads(line) for line in answer.content.splitlines()]
    (row,) = table((await client.get("/orders.csv")).text)
    assert list(line) == HEADER
    assert (line["label"], line["products"]) == (label, "a b c")
    for name in set(HEADER) - {
        "percent",
        "total_price",
        "subtotal",
        "discount",
        "tax",
    }:  # numbers, which CSV writes with all their decimals
        assert row[name] == ("" if line[name] is None else str(line[name]))


DISARMED = {
    "=1+1": "'=1+1",
    "+1": "'+1",
    "-1": "'-1",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t'=1",
    "\r=1": "'\r'=1",
    "\ta": "'\ta",
    "  =1": "'  =1",
    "\u3000\ufeff=1": "'\u3000\ufeff=1",
    "＝1": "'＝1",
    "－1": "'－1",
    "a;=1;b;＋2": "a;'=1;b;'＋2",
    "a, =1|@x\t-1": "a,' =1|'@x\t'-1",
    "a\n=1": "a\n'=1",
}
HARMLESS = ["1-1", "a=b", "", "'=1", 'say "hi", you\nthere', "ümläut", "a; b", "a/=b", "2026-01-02"]


async def test_no_text_of_a_csv_is_a_formula_and_every_text_is_quoted(client: AsyncClient, sessions: Sessions) -> None:
    expected = DISARMED | {text: text for text in HARMLESS}
    chance = random.Random(3)
    mine: Row = {"customer": LOCAL_CALLER.customer, "status": "fulfilled"}
    orders = [order_row(n, chance, **mine, label=text, skus=[text]) for n, text in enumerate(expected)]
    await add_rows(sessions, orders, chance)
    found = (await client.get("/orders.csv", params={"sort": "number"})).text
    rows = table(found)
    assert [row["label"] for row in rows] == [row["products"] for row in rows] == list(expected.values())
    assert found.splitlines()[1].startswith(f'"{rows[0]["order_id"]}","{rows[0]["order_number"]}","')
    first, *_ = (await client.get("/orders.jsonl", params={"sort": "number"})).content.splitlines()
    assert orjson.loads(first)["label"] == "=1+1"


async def test_a_csv_may_begin_with_a_byte_order_mark(client: AsyncClient, sessions: Sessions) -> None:
    await some(sessions, 1)
    plain = (await client.get("/orders.csv")).content
    assert plain.startswith(b"order_id,")
    assert (await client.get("/orders.csv?bom=true")).content == b"\xef\xbb\xbf" + plain


async def test_orders_are_exported_by_id_and_never_somebody_elses(client: AsyncClient, sessions: Sessions) -> None:
    chance = random.Random(2)
    mine = await some(sessions, 3)
    theirs = await add_rows(sessions, [order_row(77, chance, customer="alice", status="failed")], chance)
    ids = [str(row["id"]) for row in (*mine[:2], *theirs)]
    for answer in (
        await client.get("/orders.csv", params={"ids": ids}),
        await client.post("/orders.csv", json={"ids": ids}),
    ):
        assert {row["order_id"] for row in table(answer.text)} == set(ids[:2])
    one = await client.get(f"/orders/{ids[0]}.csv")
    assert [row["order_id"] for row in table(one.text)] == ids[:1]
    assert mine[0]["number"] in one.headers["content-disposition"]
    assert (await client.get(f"/orders/{ids[2]}.csv")).status_code == 404


async def test_an_export_of_nothing_is_its_header(client: AsyncClient) -> None:
    assert (await client.get("/orders.csv")).text.strip().split(",") == HEADER
    assert (await client.get("/orders.jsonl")).content == b""


async def test_the_words_of_sql_are_those_of_the_models_for_every_order_there_can_be(sessions: Sessions) -> None:
    kinds = list(product(OrderStatus, product([False, True], repeat=len(SubOrderState))))
    chance = random.Random(4)
    rows = await add_rows(
        sessions, [order_row(n, chance, status=str(status)) for n, (status, _) in enumerate(kinds)], chance
    )
    async with sessions.begin() as session:
        await session.execute(sa.text("DELETE FROM suborders"))
        there = {
            row["id"]: {s for s, is_there in zip(SubOrderState, bits, strict=True) if is_there}
            for row, (_, bits) in zip(rows, kinds, strict=True)
        }
        await add_suborders(session, [(key, state) for key, states in there.items() for state in states])
        found = await session.execute(sa.select(ORDERS.c.id, ORDERS.c.status, delivery_in_sql(ORDERS.c)))
        for key, status, word in found:
            waiting = is_waiting_for_user(OrderStatus(status), dict.fromkeys(there[key], 1))
            assert word == delivery_status(status, waiting_for_user=waiting), (status, there[key])


async def test_the_per_cent_of_sql_are_those_of_the_models(sessions: Sessions) -> None:
    chance = random.Random(6)
    sizes = (0, 1, 3, 7, 1000, 2**31, 2**62)
    rows = []
    for n in range(600):
        files, size = chance.choice((0, 1, 3, 999)), chance.choice(sizes)
        available = chance.randint(0, files)
        counts = {"files_total": files, "files_available": available, "bytes_total": size}
        failed, settled = chance.randint(0, files - available), chance.choice((0, size, chance.randint(0, size)))
        rows.append(order_row(n, chance, files_failed=failed, bytes_settled=settled, **counts))
    await add_rows(sessions, rows, chance)
    counters = ("bytes_settled", "bytes_total", "files_available", "files_failed", "files_total")
    async with sessions.begin() as session:
        query = sa.select(percent_in_sql(ORDERS.c), *(ORDERS.c[name] for name in counters))
        for shown, *values in await session.execute(query):
            expected = progress(**dict(zip(counters, values, strict=True)))
            assert float(shown) == expected.percent, values


async def test_an_export_that_breaks_off_is_an_error_and_gives_back_what_it_held(
    sessions: Sessions, services: Services
) -> None:
    broken = Copy("COPY (SELECT 1 / (200000 - n) FROM generate_series(1, 300000) n) TO STDOUT", {})
    with pytest.raises(psycopg.errors.DivisionByZero):
        await make_export(services.sessions, services.export_slots, broken)
    assert services.export_slots.borrowed_tokens == 0


async def test_an_export_is_made_before_it_is_read_and_holds_nothing_of_the_database_then(
    sessions: Sessions, services: Services
) -> None:
    # More than the memory that one has, and more than a socket takes unread.
    many = Copy("COPY (SELECT n FROM generate_series(1, 300000) n) TO STDOUT", {})
    export = await make_export(services.sessions, services.export_slots, many, b"head\n")
    assert export.size > MEMORY_BYTES
    async with sessions.begin() as session:
        busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%'"
        busy += " AND (state <> 'idle' OR backend_xmin IS NOT NULL)"
        assert (await session.execute(sa.text(busy))).scalar_one() == 0
    assert services.export_slots.borrowed_tokens == 0
    content = b"".join([block async for block in export.blocks()])
    assert content == b"head\n" + b"".join(b"%d\n" % n for n in range(1, 300001))
    assert len(content) == export.size
    export.close()


async def test_an_export_has_a_length(client: AsyncClient, sessions: Sessions) -> None:
    await some(sessions, 3)
    for path in ("/orders.csv?bom=true", "/orders.jsonl"):
        answer, head = await client.get(path), await client.head(path)
        assert answer.headers["content-length"] == head.headers["content-length"] == str(len(answer.content))


async def test_more_exports_than_there_may_be_come_back_later(client: AsyncClient, services: Services) -> None:
    held = [object() for _ in range(int(services.export_slots.total_tokens))]
    for one in held:
        services.export_slots.acquire_on_behalf_of_nowait(one)
    answer = await client.get("/orders.csv")
    assert (answer.status_code, answer.json()["code"]) == (503, "server_busy")
    assert int(answer.headers["retry-after"]) > 0
    for one in held:
        services.export_slots.release_on_behalf_of(one)
    assert (await client.get("/orders.csv")).status_code == 200
    assert not services.exports.active


async def test_a_customer_has_a_number_of_exports(client: AsyncClient, services: Services) -> None:
    services.exports.limit = 1
    with services.exports.room(LOCAL_CALLER.customer):
        answer = await client.get("/orders.jsonl")
        assert (answer.status_code, answer.json()["code"]) == (503, "too_many_exports")
    assert (await client.get("/orders.jsonl")).status_code == 200
    assert (await client.head("/orders.jsonl")).status_code == 200
    assert not services.exports.active


def test_a_filter_reaches_the_copy_as_parameters_only() -> None:
    evil = "'; DROP TABLE orders; --"
    wanted = OrderFilter(terms=(evil,), label=evil, products=(evil,), created_after=BEGIN - timedelta(1))
    copy = as_csv(Visibility(evil), wanted, Sort.NEWEST)
    assert "DROP" not in copy.statement
    assert evil in copy.parameters.values()
