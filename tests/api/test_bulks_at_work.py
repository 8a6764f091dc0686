"""Bulks on orders that really live in Temporal: what each order does, and what the bulk says of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient
from temporalio.testing import WorkflowEnvironment

from models.splitting import Limits
from models.tables import Bulk
from temporal.start import start_bulk
from tests.api.conftest import MakeProduct
from tests.api.running_orders import (
    command,
    facade,
    make_endless,
    ordered,
    reading,
    settled,
    told,
    until,
    workflow_of,
    working,
)
from tests.api.test_bulks import accepted
from tests.factories import LOCAL_CALLER, Sessions, add_order
from tests.services.catalogue_sources import rows

ME = LOCAL_CALLER.actor
OBEYED = "SELECT order_id::text, what, count(*)::int FROM timeline WHERE details ? 'bulk' GROUP BY 1, 2"


@pytest.fixture
async def alive(sessions: Sessions, temporal: WorkflowEnvironment, readers: Any) -> AsyncIterator[AsyncClient]:
    """The facade, with workers behind it."""
    async with working(temporal.client, sessions, Limits(max_files=2)), facade(sessions, temporal.client, readers) as c:
        yield c


async def done(client: AsyncClient, made: Any) -> Any:
    """The bulk at its end."""
    async with asyncio.timeout(60):
        while True:
            if (seen := (await client.get(f"/bulks/{made['id']}")).json())["finished_at"]:
                return seen
            await asyncio.sleep(0.02)


async def outcomes(client: AsyncClient, made: Any, **params: str) -> dict[str, tuple[str, str | None]]:
    """What became of each order."""
    items = (await client.get(f"/bulks/{made['id']}/orders", params=params)).json()["items"]
    return {item["order_id"]: (item["outcome"], item["code"]) for item in items}


async def unpaid(client: AsyncClient, count: int, **more: Any) -> list[Any]:
    """Orders that wait for their payment, or drafts."""
    return [await ordered(client, "dear", **more) for _ in range(count)]


async def test_a_cancel_takes_what_is_not_paid_and_says_why_it_left_the_rest(
    alive: AsyncClient, sessions: Sessions, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product("dear", {"o": {"a.tif": b"a"}}, price="5")
    await make_product("slow", {"slow": {"slow.bin": b"x"}})
    await make_product()
    await make_endless(sessions, tmp_path / "slow" / "slow" / "slow.bin")
    orders = [*await unpaid(alive, 2), *await unpaid(alive, 1, draft=True)]
    running, over = await ordered(alive, "slow"), await settled(alive, await ordered(alive))
    await reading(alive, running)
    made = await accepted(alive, filter={"product": ["dear", "slow", "scenes"]}, reason="tidying", expected=5)
    seen = await done(alive, made)
    assert (seen["state"], seen["done"], seen["skipped"], seen["failed"]) == ("finished", 3, 2, 0)
    assert (seen["percent"], seen["pending"]) == (100.0, 0)
    expected = {order["id"]: ("done", None) for order in orders}
    skipped = {running["id"]: ("skipped", "under_way"), over["id"]: ("skipped", "illegal_transition")}
    assert await outcomes(alive, made) == expected | skipped
    assert await outcomes(alive, made, outcome="skipped") == skipped
    for order in orders:
        assert (await told(alive, order))[-1] == ("cancelled", ME)
        row = (await alive.get(f"/orders/{order['id']}/timeline")).json()["items"][-1]
        assert (row["reason_text"], row["details"]) == ("tidying", {"bulk": made["id"]})
    assert (await alive.get(f"/orders/{running['id']}")).json()["status"] == "provisioning"
    assert set(await rows(sessions, OBEYED)) == {(order["id"], "cancelled", 1) for order in orders}


async def test_running_orders_are_paused_and_resumed_and_finished_ones_deleted(
    alive: AsyncClient, sessions: Sessions, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product("slow", {"slow": {"slow.bin": b"x"}})
    await make_product()
    await make_endless(sessions, tmp_path / "slow" / "slow" / "slow.bin")
    running = [await ordered(alive, "slow") for _ in range(2)]
    over = await settled(alive, await ordered(alive))
    for order in running:
        await reading(alive, order)
    wanted: dict[str, Any] = {"product": ["slow"]}
    for action, status in (("pause", "paused"), ("resume", "provisioning")):
        seen = await done(alive, await accepted(alive, action, filter=wanted, expected=2))
        assert (seen["done"], seen["skipped"]) == (2, 0)
        for order in running:
            assert (await alive.get(f"/orders/{order['id']}")).json()["status"] == status
    ids = [order["id"] for order in (*running, over)]
    made = await accepted(alive, "delete", ids=ids)
    assert (await done(alive, made))["done"] == 1
    assert (await outcomes(alive, made))[over["id"]] == ("done", None)
    assert (await alive.get(f"/orders/{over['id']}")).status_code == 404


async def test_what_has_failed_is_retried(alive: AsyncClient, make_product: MakeProduct, tmp_path: Path) -> None:
    await make_product("one", {"o": {"a.tif": b"a"}})
    spoilt = tmp_path / "one" / "o" / "a.tif"
    spoilt.write_bytes(b"b")
    failed = [await settled(alive, await ordered(alive, "one")) for _ in range(2)]
    assert {order["status"] for order in failed} == {"failed"}
    spoilt.write_bytes(b"a")
    assert (await done(alive, await accepted(alive, "retry", filter={"status": ["failed"]})))["done"] == 2
    for order in failed:
        await until(alive, order, lambda seen: seen["status"] == "fulfilled")


async def test_labels_are_given_and_a_taken_one_is_said(alive: AsyncClient, make_product: MakeProduct) -> None:
    await make_product("dear", {"o": {"a.tif": b"a"}}, price="5")
    first, second = await unpaid(alive, 2, draft=True)
    third = await ordered(alive, "dear", draft=True, label=f"new {second['number']}")
    made = await accepted(alive, "label", ids=[first["id"], second["id"]], label="new {number}")
    assert (await done(alive, made))["done"] == 1
    assert await outcomes(alive, made) == {first["id"]: ("done", None), second["id"]: ("skipped", "label_taken")}
    labels = [(await alive.get(f"/orders/{order['id']}")).json()["label"] for order in (first, second, third)]
    assert labels == [f"new {first['number']}", second["label"], third["label"]]


async def test_an_order_that_was_accepted_while_temporal_was_away_is_started_to_hear_it(
    alive: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product("dear", {"o": {"a.tif": b"a"}}, price="5")
    order = {"id": str((await add_order(sessions, {"dear": "all"})).id)}
    made = await accepted(alive, ids=[order["id"]])
    assert (await done(alive, made))["done"] == 1
    assert [what for what, _ in await told(alive, order)] == ["submitted", "cancelled"]


async def test_an_order_whose_workflow_is_gone_is_cancelled_by_the_table_and_only_where_a_bulk_may(
    alive: AsyncClient, sessions: Sessions, temporal: WorkflowEnvironment, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product("dear", {"o": {"a.tif": b"a"}}, price="5")
    first, second = await unpaid(alive, 2)
    for order in (first, second):
        await temporal.client.get_workflow_handle(workflow_of(order)).terminate()
    made = await accepted(alive, ids=[first["id"]])
    assert await outcomes(alive, await done(alive, made)) == {first["id"]: ("done", None)}
    assert (await told(alive, first))[-1] == ("cancelled", ME)
    made = await accepted(alive, "pause", ids=[second["id"]])
    assert await outcomes(alive, await done(alive, made)) == {second["id"]: ("skipped", "illegal_transition")}


async def test_a_bulk_of_nothing_ends_at_once_and_a_finished_one_is_not_started_again(
    alive: AsyncClient, sessions: Sessions, temporal: WorkflowEnvironment
) -> None:
    seen = await done(alive, await accepted(alive, filter={"q": "nothing like it"}, expected=0))
    assert (seen["state"], seen["total"], seen["percent"]) == ("finished", 0, 100.0)
    async with sessions.begin() as session:
        bulk = await session.get_one(Bulk, UUID(seen["id"]))
    await temporal.client.get_workflow_handle(f"bulk-{bulk.id}").result()
    await start_bulk(temporal.client, bulk)
    there = await temporal.client.get_workflow_handle(f"bulk-{bulk.id}").describe()
    assert there.status is not None
    assert there.status.name == "COMPLETED"


async def test_what_somebody_else_did_meanwhile_is_found_out_when_its_turn_comes(
    alive: AsyncClient, make_product: MakeProduct
) -> None:
    await make_product("dear", {"o": {"a.tif": b"a"}}, price="5")
    (order,) = await unpaid(alive, 1)
    await command(alive, order, "cancel")
    made = await accepted(alive, ids=[order["id"]])
    assert await outcomes(alive, await done(alive, made)) == {order["id"]: ("skipped", "illegal_transition")}
