"""Every command by HTTP, on orders that really live in Temporal."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient, Response
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from api.dependencies import Caller
from models.access import customer_id
from models.splitting import Limits
from models.tables import Order, Product
from tests.api.conftest import MakeProduct
from tests.api.running_orders import (
    TERMS,
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
from tests.factories import LOCAL_CALLER, Objects, Sessions, add_order
from tests.issuer import REALM, as_
from tests.services.catalogue_sources import rows

ME = LOCAL_CALLER.actor
OPERATOR = f"operator:{customer_id(REALM, 'ada')}"
NOBODY = "00000000-0000-7000-8000-000000000000"
VERBS = ("submit", "confirm-payment", "pause", "resume", "cancel", "retry", "restart")
SLOW: Objects = {"slow": {"slow.bin": b"x"}}
PAIRS: Objects = {f"o{n}": {"a.tif": bytes([n]) * 100, "b.tif": bytes([n]) * 200} for n in (1, 2, 3)}


@pytest.fixture
async def alive(sessions: Sessions, temporal: WorkflowEnvironment, readers: Any) -> AsyncIterator[AsyncClient]:
    """The facade, with workers behind it."""
    async with working(temporal.client, sessions, Limits(max_files=2)), facade(sessions, temporal.client, readers) as c:
        yield c


@pytest.fixture
async def slow(alive: AsyncClient, sessions: Sessions, make_product: MakeProduct, tmp_path: Path) -> Any:
    """An order in the midst of a file that takes for ever."""
    await make_product("slow", SLOW)
    await make_endless(sessions, tmp_path / "slow" / "slow" / "slow.bin")
    order = await ordered(alive, "slow")
    await reading(alive, order)
    return order


def refused(answer: Response, status: int = 409) -> Any:
    """The problem document of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


async def test_an_order_is_paused_resumed_and_cancelled(alive: AsyncClient, slow: Any) -> None:
    paused = await command(alive, slow, "pause", reason="maintenance")
    assert (paused["status"], paused["delivery_status"], paused["outcome"]) == ("paused", "Paused", "pending")
    assert paused["allowed_actions"] == ["resume", "cancel"]
    assert (paused["waiting_on"]["code"], paused["waiting_on"]["who"]) == ("paused", "customer")
    resumed = await command(alive, slow, "resume")
    assert (resumed["status"], resumed["waiting_on"]) == ("provisioning", None)
    await reading(alive, slow)
    cancelled = await command(alive, slow, "cancel", reason="no longer needed")
    assert (cancelled["status"], cancelled["outcome"]) == ("cancelled", "failed")
    assert cancelled["allowed_actions"] == ["delete"]
    assert (await told(alive, slow))[4:] == [("paused", ME), ("resumed", ME), ("cancelled", ME)]
    reasons = [row["reason_text"] for row in (await alive.get(f"/orders/{slow['id']}/timeline")).json()["items"]]
    assert reasons[4:] == ["maintenance", None, "no longer needed"]


async def test_nothing_of_a_cancelled_order_can_be_downloaded(
    alive: AsyncClient, slow: Any, temporal: WorkflowEnvironment
) -> None:
    await command(alive, slow, "cancel")
    await ended(temporal.client, slow)
    parts = (await alive.get(f"/orders/{slow['id']}/suborders")).json()["items"]
    assert [part["state"] for part in parts] == ["cancelled"]
    assert refused(await alive.get(f"/orders/{slow['id']}/suborders/1/archive"), 410)["code"] == "gone"


async def test_what_the_status_forbids_is_refused_with_what_it_allows(alive: AsyncClient, slow: Any) -> None:
    before = await told(alive, slow)
    for verb in ("submit", "confirm-payment", "resume", "retry"):
        problem = refused(await alive.post(f"/orders/{slow['id']}/{verb}", headers=as_("ada")))
        assert problem["code"] == "illegal_transition"
        assert (problem["order_status"], problem["command"]) == ("provisioning", verb.replace("-", "_"))
        assert problem["allowed"] == ["cancel", "pause"]
        assert problem["detail"] == f"cannot {problem['command']} an order that is provisioning"
    assert refused(await alive.delete(f"/orders/{slow['id']}"))["command"] == "delete"
    assert await told(alive, slow) == before


async def test_the_same_command_again_has_no_second_effect_and_is_no_error(alive: AsyncClient, slow: Any) -> None:
    for _ in range(2):
        assert (await command(alive, slow, "pause", "once"))["status"] == "paused"
    assert refused(await alive.post(f"/orders/{slow['id']}/pause"))["allowed"] == ["cancel", "resume"]
    await command(alive, slow, "resume")
    # The answer is the one that was given then; the order goes on.
    assert (await command(alive, slow, "pause", "once"))["status"] == "paused"
    assert (await alive.get(f"/orders/{slow['id']}")).json()["status"] == "provisioning"
    assert [what for what, _ in await told(alive, slow)][4:] == ["paused", "resumed"]


async def test_a_cancel_repeated_after_the_end_is_no_error(
    alive: AsyncClient, slow: Any, temporal: WorkflowEnvironment
) -> None:
    await command(alive, slow, "cancel", "once")
    await ended(temporal.client, slow)
    assert (await command(alive, slow, "cancel", "once"))["status"] == "cancelled"
    assert refused(await alive.post(f"/orders/{slow['id']}/cancel"))["allowed"] == ["delete"]


async def ended(client: Client, order: Any) -> None:
    """Return when the order's workflow has ended."""
    await client.get_workflow_handle(workflow_of(order)).result()


@pytest.fixture
async def half_failed(alive: AsyncClient, make_product: MakeProduct, tmp_path: Path) -> Any:
    """An order of six files in three sub-orders; the two files of the last object are wrong."""
    await make_product("pairs", PAIRS)
    for name in ("a.tif", "b.tif"):
        path = tmp_path / "pairs" / "o3" / name
        path.write_bytes(b"!" * path.stat().st_size)
    order = await settled(alive, await ordered(alive, "pairs"))
    assert (order["status"], order["progress"]["files_failed"]) == ("fulfilled_with_warnings", 2)
    assert order["allowed_actions"] == ["retry", "delete"]
    return order


def mend(root: Path) -> None:
    for name, content in PAIRS["o3"].items():
        (root / "pairs" / "o3" / name).write_bytes(content)


async def failed_files(alive: AsyncClient, order: Any) -> list[Any]:
    files = (await alive.get(f"/orders/{order['id']}/files")).json()["items"]
    return [file for file in files if file["state"] == "failed"]


async def archives(alive: AsyncClient, order: Any) -> dict[int, str]:
    """The ETags of the archives that are ready."""
    parts = (await alive.get(f"/orders/{order['id']}/suborders")).json()["items"]
    ready = [part["number"] for part in parts if part["state"] == "ready"]
    return {n: (await alive.head(f"/orders/{order['id']}/suborders/{n}/archive")).headers["etag"] for n in ready}


async def test_a_retry_reads_again_what_failed_and_nothing_else(
    alive: AsyncClient, half_failed: Any, tmp_path: Path
) -> None:
    before = await archives(alive, half_failed)
    mend(tmp_path)
    # What was delivered is not looked at: it could not be read any more.
    for path in (tmp_path / "pairs" / "o1").iterdir():
        path.unlink()
    assert (await command(alive, half_failed, "retry", reason="mended"))["status"] in {"provisioning", "fulfilled"}
    order = await until(alive, half_failed, lambda seen: seen["status"] == "fulfilled")
    assert (order["progress"]["files_available"], order["progress"]["files_failed"]) == (6, 0)
    after = await archives(alive, half_failed)
    assert len(before) == 2
    assert before.items() <= after.items()
    assert [what for what, _ in await told(alive, order)][-3:] == ["retried", "suborder_ready", "settled"]


async def test_a_retry_may_name_its_files(alive: AsyncClient, half_failed: Any, tmp_path: Path) -> None:
    mend(tmp_path)
    first, second = await failed_files(alive, half_failed)
    await command(alive, half_failed, "retry", files=[first["seq"]])
    seen = await until(alive, half_failed, lambda o: o["status"] == "fulfilled_with_warnings")
    assert seen["version"] > half_failed["version"]
    assert [file["seq"] for file in await failed_files(alive, seen)] == [second["seq"]]


async def test_an_order_that_failed_waits_for_a_retry(
    alive: AsyncClient, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product("one", {"o": {"a.tif": b"a"}})
    spoilt = tmp_path / "one" / "o" / "a.tif"
    spoilt.write_bytes(b"b")
    order = await settled(alive, await ordered(alive, "one"))
    assert (order["status"], order["failure"]["code"]) == ("failed", "checksum_mismatch")
    assert order["failure"]["category"] == "configuration"
    assert order["allowed_actions"] == ["cancel", "retry", "delete"]
    waiting = order["waiting_on"]
    assert (waiting["code"], waiting["who"], waiting["since"]) == ("failed", "operator", order["status_at"])
    spoilt.write_bytes(b"a")
    await command(alive, order, "retry")
    order = await until(alive, order, lambda seen: seen["status"] == "fulfilled")
    assert (order["failure"], order["faults"]) == (None, [])


async def test_a_restart_is_a_new_order_of_the_same(alive: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    old = await settled(alive, await ordered(alive, label="first"))
    answer = await alive.post(f"/orders/{old['id']}/restart", json={"label": "second"})
    new = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == new["links"]["self"]
    assert (new["derived_from"], new["label"], old["derived_from"]) == (old["id"], "second", None)
    assert new["id"] != old["id"]
    fulfilled = await settled(alive, new)
    assert (fulfilled["status"], fulfilled["progress"]) == ("fulfilled", old["progress"])
    assert (await alive.get(f"/orders/{old['id']}")).json() == old
    assert refused(await alive.post(f"/orders/{old['id']}/restart", json={"label": "second"}))["code"] == "label_taken"


async def test_a_draft_waits_until_it_is_submitted(alive: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    draft = await ordered(alive, draft=True)
    assert (draft["status"], draft["allowed_actions"]) == ("draft", ["submit", "cancel"])
    assert (draft["waiting_on"]["code"], draft["waiting_on"]["who"]) == ("not_submitted", "customer")
    assert (await command(alive, draft, "submit"))["status"] != "draft"
    assert (await settled(alive, draft))["status"] == "fulfilled"
    assert [what for what, _ in await told(alive, draft)][:3] == ["drafted", "submitted", "payment_confirmed"]


async def test_a_draft_that_was_free_is_paid_at_todays_price_and_says_so(
    alive: AsyncClient, sessions: Sessions, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product()
    draft = await ordered(alive, draft=True)
    async with sessions.begin() as session:
        await session.execute(sa.update(Product).values(unit_price=3))
    (tmp_path / "scenes" / "winter" / "b1.tif").unlink()
    order = await command(alive, draft, "submit")
    assert (order["status"], order["total_price"], order["objects"]) == ("pending_payment", "6.00", 2)
    assert [warning["code"] for warning in order["warnings"]] == ["source_missing", "price_changed"]
    for file in (tmp_path / "scenes").rglob("*.*"):
        file.unlink()
    answer = await alive.post(f"/orders/{order['id']}/confirm-payment", headers=as_("ada"))
    assert refused(answer, 422)["faults"][0]["code"] == "nothing_to_order"


async def test_an_order_with_a_price_waits_until_it_is_paid(alive: AsyncClient, make_product: MakeProduct) -> None:
    await make_product(price="2.50")
    order = await ordered(alive)
    assert (order["status"], order["total_price"]) == ("pending_payment", "7.50")
    assert order["waiting_on"]["code"] == "payment"
    refused(await alive.post(f"/orders/{order['id']}/confirm-payment"), 403)
    assert (await command(alive, order, "confirm-payment", by="ada"))["status"] != "pending_payment"
    assert (await settled(alive, order))["status"] == "fulfilled"
    assert (await told(alive, order))[:2] == [("submitted", ME), ("payment_confirmed", OPERATOR)]


async def test_an_order_can_be_kept_for_longer_within_limits(alive: AsyncClient, make_product: MakeProduct) -> None:
    await make_product()
    order = await settled(alive, await ordered(alive))
    path = f"/orders/{order['id']}/extend"
    end = datetime.now(UTC).replace(microsecond=0) + TERMS.max_extension - timedelta(hours=1)
    kept = (await alive.post(path, json={"expires_at": end.isoformat()})).json()
    assert datetime.fromisoformat(kept["expires_at"]) == end
    assert (await told(alive, order))[-1] == ("extended", ME)
    for wrong in (end + timedelta(days=2), datetime.now(UTC) - timedelta(hours=1)):
        assert refused(await alive.post(path, json={"expires_at": wrong.isoformat()}))["code"] == "not_extended"
    for nothing in ({"expires_at": "tomorrow"}, {"expires_at": "2030-01-01T00:00:00"}, {}, {"until": end.isoformat()}):
        assert refused(await alive.post(path, json=nothing), 422)["faults"][0]["field"] in {"expires_at", "until"}
    assert (await alive.get(f"/orders/{order['id']}")).json()["expires_at"] == kept["expires_at"]


async def test_an_order_is_extended_though_its_workflow_was_lost_but_not_once_its_end_has_come(
    alive: AsyncClient, sessions: Sessions, make_product: MakeProduct, temporal: WorkflowEnvironment
) -> None:
    await make_product()
    order = await settled(alive, await ordered(alive))
    workflow = temporal.client.get_workflow_handle(workflow_of(order))
    path = f"/orders/{order['id']}/extend"
    end = datetime.now(UTC).replace(microsecond=0) + TERMS.max_extension - timedelta(hours=1)
    await workflow.terminate()
    kept = await alive.post(path, json={"expires_at": end.isoformat()})
    assert (kept.status_code, datetime.fromisoformat(kept.json()["expires_at"])) == (200, end)
    assert [what for what, _ in await told(alive, order)][-2:] == ["revived", "extended"]
    await workflow.terminate()
    async with sessions.begin() as session:
        await session.execute(sa.update(Order).values(expires_at=datetime.now(UTC)))
    answer = await alive.post(path, json={"expires_at": end.isoformat()})
    assert refused(answer)["detail"] == "cannot extend an order whose end has come"


async def test_an_order_under_way_cannot_be_extended(alive: AsyncClient, slow: Any) -> None:
    end = datetime.now(UTC) + timedelta(days=1)
    answer = await alive.post(f"/orders/{slow['id']}/extend", json={"expires_at": end.isoformat()})
    assert refused(answer)["detail"] == "cannot extend an order that is provisioning"


async def test_a_deleted_order_is_hidden_from_its_owner(
    alive: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    order = await settled(alive, await ordered(alive))
    path = f"/orders/{order['id']}"
    answer = await alive.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for hidden in (path, f"{path}/suborders", f"{path}/files", f"{path}/timeline", f"{path}/suborders/1/archive"):
        assert refused(await alive.get(hidden), 404)["code"] == "not_found"
    assert (await alive.get("/orders")).json()["items"] == []
    assert refused(await alive.post(f"{path}/restart"), 404)
    assert await rows(sessions, "SELECT status FROM orders") == ["deleted"]


async def test_an_order_that_is_over_can_be_deleted_though_its_workflow_has_ended(
    alive: AsyncClient, sessions: Sessions, slow: Any, temporal: WorkflowEnvironment
) -> None:
    await command(alive, slow, "cancel")
    await ended(temporal.client, slow)
    assert (await alive.delete(f"/orders/{slow['id']}")).status_code == 204
    story = await rows(sessions, "SELECT sequence, what, status_after FROM timeline ORDER BY sequence")
    assert story[-1] == (len(story), "deleted", "deleted")


async def test_an_order_whose_workflow_was_terminated_goes_on_with_the_next_command(
    alive: AsyncClient, slow: Any, temporal: WorkflowEnvironment
) -> None:
    await temporal.client.get_workflow_handle(workflow_of(slow)).terminate()
    assert refused(await alive.post(f"/orders/{slow['id']}/retry"))["allowed"] == ["cancel", "pause"]
    assert (await command(alive, slow, "pause"))["status"] == "paused"
    assert (await command(alive, slow, "resume"))["status"] == "provisioning"
    await reading(alive, slow)
    assert (await command(alive, slow, "cancel"))["status"] == "cancelled"
    story = [what for what, _ in await told(alive, slow)]
    assert story[4:] == ["revived", "paused", "resumed", "cancelled"]
    await ended(temporal.client, slow)
    parts = (await alive.get(f"/orders/{slow['id']}/suborders")).json()["items"]
    assert {part["state"] for part in parts} == {"cancelled"}


async def test_what_may_be_retried_can_be_though_the_workflow_has_ended(
    alive: AsyncClient, make_product: MakeProduct, tmp_path: Path, temporal: WorkflowEnvironment
) -> None:
    await make_product("pairs", PAIRS)
    wrong = tmp_path / "pairs" / "o3" / "b.tif"
    wrong.write_bytes(b"!" * wrong.stat().st_size)
    order = await settled(alive, await ordered(alive, "pairs"))
    for part in (1, 2, 3):
        assert (await alive.post(f"/orders/{order['id']}/suborders/{part}/acknowledge")).status_code == 200
    handle = temporal.client.get_workflow_handle(workflow_of(order))
    await temporal.fast_forward(handle, TERMS.keep_for + timedelta(minutes=5))
    assert await handle.result() == "fulfilled_with_warnings"
    assert "retry" in (await alive.get(f"/orders/{order['id']}")).json()["allowed_actions"]
    mend(tmp_path)
    assert (await command(alive, order, "retry"))["status"] == "provisioning"
    mended = await until(alive, order, lambda seen: seen["status"] == "fulfilled")
    assert mended["progress"]["files_failed"] == 0
    assert [what for what, _ in await told(alive, order)].count("revived") == 1


@pytest.mark.parametrize("order_id", [NOBODY, "not-an-id"])
async def test_an_unknown_order_cannot_be_commanded(client: AsyncClient, order_id: str) -> None:
    status = 404 if order_id == NOBODY else 422
    for verb in VERBS:
        refused(await client.post(f"/orders/{order_id}/{verb}"), status)
    refused(await client.post(f"/orders/{order_id}/extend", json={"expires_at": "2030-01-01T00:00:00Z"}), status)
    refused(await client.delete(f"/orders/{order_id}"), status)


async def test_somebody_elses_order_is_unknown_too(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    theirs = await add_order(sessions, {"scenes": "all"}, caller=Caller("somebody"))
    for verb in VERBS:
        assert refused(await client.post(f"/orders/{theirs.id}/{verb}"), 404)["code"] == "not_found"
    refused(await client.delete(f"/orders/{theirs.id}"), 404)


async def test_without_temporal_a_command_is_asked_to_come_again_and_changes_nothing(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product(price="1")
    order = await add_order(sessions, {"scenes": "all"})
    path = f"/orders/{order.id}"
    before = (await client.get(path)).json()
    calls = [
        await client.post(f"{path}/cancel"),
        await client.post(f"{path}/confirm-payment", headers=as_("ada")),
        await client.post(f"{path}/extend", json={"expires_at": "2030-01-01T00:00:00Z"}),
        await client.delete(path),
    ]
    for answer in calls:
        assert refused(answer, 503)["code"] == "temporal_unavailable"
        assert 0 < int(answer.headers["retry-after"]) <= 5
    assert (await client.get(path)).json() == before


async def test_without_a_worker_a_command_is_answered_all_the_same_and_says_that_nobody_took_it(
    sessions: Sessions, temporal: WorkflowEnvironment, readers: Any, make_product: MakeProduct
) -> None:
    await make_product(price="1")
    async with facade(sessions, temporal.client, readers) as alone:
        order = await ordered(alone)
        async with asyncio.timeout(5):
            answer = await alone.post(f"/orders/{order['id']}/cancel")
        problem = refused(answer, 503)
        assert (problem["code"], problem["accepted"]) == ("command_pending", False)
        assert int(answer.headers["retry-after"]) > 0
        assert (await alone.get(f"/orders/{order['id']}")).json()["status"] == "pending_payment"
    await temporal.client.get_workflow_handle(workflow_of(order)).terminate()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "x" * 501}, "reason"),
        ({"reason": 7}, "reason"),
        ({"why": "x"}, "why"),
        ({"files": ["1"]}, "files/0"),
        ({"files": [0]}, "files/0"),
        ({"files": list(range(1, 1002))}, "files"),
    ],
)
async def test_a_command_that_cannot_be_read_names_the_field(client: AsyncClient, body: Any, field: str) -> None:
    problem = refused(await client.post(f"/orders/{NOBODY}/retry", json=body), 422)
    assert [fault["field"] for fault in problem["faults"]] == [field]


async def test_a_reason_that_no_text_can_be_is_refused(client: AsyncClient, sessions: Sessions) -> None:
    for reason in ('"a\\u0000b"', '"\\ud800"', '"two\\nlines"'):
        content = f'{{"reason": {reason}}}'
        answer = await client.post(
            f"/orders/{NOBODY}/cancel", content=content, headers={"Content-Type": "application/json"}
        )
        assert refused(answer, 422)["code"] == "invalid_request"


async def test_a_command_with_a_key_is_obeyed_once_and_answered_the_same(alive: AsyncClient, slow: Any) -> None:
    url, headers = f"/orders/{slow['id']}/pause", {"Idempotency-Key": "k"}
    first = await alive.post(url, json={"reason": "maintenance"}, headers=headers)
    assert (first.status_code, first.json()["status"]) == (200, "paused")
    await command(alive, slow, "resume")
    again = await alive.post(url, json={"reason": "maintenance"}, headers=headers)
    assert (again.status_code, again.content, again.headers["idempotency-replayed"]) == (200, first.content, "true")
    assert (await alive.get(f"/orders/{slow['id']}")).json()["status"] == "provisioning"
    other = refused(await alive.post(url, json={"reason": "another"}, headers=headers), 422)
    assert other["code"] == "idempotency_key_reused"
    # Of a server that died before it could answer the workflow still knows that it has obeyed.
    cancelled = await alive.post(f"/orders/{slow['id']}/cancel", headers={"Idempotency-Key": "c"})
    assert cancelled.json()["status"] == "cancelled"
