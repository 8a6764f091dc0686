"""Request ids, logs, metrics, figures, readiness and the drain."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from alembic.script import ScriptDirectory
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from api.dependencies import Caller, Services
from api.operations.routes import metrics_app
from api.operations.state import FIGURES_KEPT, Operations
from database.engine import make_engine, make_sessions
from migrations.head import head
from migrations.run import _config
from models.links import archive_path
from tests.api.conftest import PUBLIC_URL, MakeProduct, MakeReady
from tests.databases import Databases
from tests.factories import Sessions, add_order, add_product
from tests.issuer import Issuer

NOBODY = "00000000-0000-7000-8000-000000000000"


async def metrics(services: Services) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    async with AsyncClient(transport=ASGITransport(metrics_app(services)), base_url="http://inside") as scraper:
        answer = await scraper.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.parametrize("given", ["abc-1_2.X", "a", "x" * 64])
async def test_a_request_id_is_given_back(client: AsyncClient, given: str) -> None:
    for path in ("/orders", "/nothing", f"/orders/{NOBODY}"):
        answer = await client.get(path, headers={"X-Request-ID": given})
        assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "two words", "a\tb", "é", '"}', "<script>"])
async def test_a_request_id_that_has_no_place_in_a_log_is_replaced(client: AsyncClient, given: str) -> None:
    answer = await client.get("/orders", headers={b"X-Request-ID": given.encode()})
    assert answer.headers["x-request-id"] not in {"", given}


async def test_requests_without_an_id_get_different_ones(client: AsyncClient) -> None:
    ids = [(await client.get("/orders")).headers["x-request-id"] for _ in range(10)]
    assert len(set(ids)) == 10


async def test_a_log_line_names_the_route_and_no_secret(client: AsyncClient) -> None:
    with capture_logs() as logs:
        secret = "s3cr3t"
        headers = {"Authorization": f"Bearer {secret}", "Cookie": f"session={secret}"}
        await client.get(f"/orders/{NOBODY}?token={secret}", headers=headers)
        await client.get(f"/{secret}")
    (first, second) = [line for line in logs if line["event"] == "request"]
    assert (first["route"], first["status"], first["order"]) == ("/api/v1/orders/{order_id}", 422, NOBODY)
    assert second["status"] == 404
    assert secret not in str(logs)


async def test_a_log_line_about_an_order_says_its_number_and_the_next_does_not(
    client: AsyncClient, sessions: Sessions, tmp_path: Path
) -> None:
    await add_product(sessions, tmp_path, "scenes", {"o": {"a.tif": b"1"}})
    order = await add_order(sessions, {"scenes": "all"})
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        await client.get(f"/orders/{order.id}")
        await client.get("/orders")
    about, after = [line for line in logs if line["event"] == "request"]
    assert (about["order"], about["number"]) == (str(order.id), order.number)
    assert "number" not in after


async def test_a_signed_link_is_in_no_log_while_the_database_is_away(
    app: FastAPI, anonymous: AsyncClient, services: Services
) -> None:
    path = archive_path(NOBODY, 1)
    link = services.link_keys.sign(path)
    nowhere = make_engine("postgresql://nobody@127.0.0.1:9/nothing", answering=True)
    app.state.services = replace(services, sessions=make_sessions(nowhere))
    with capture_logs() as logs:
        answer = await anonymous.get(f"/links/{link}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert [line["route"] for line in logs if line["event"] == "database away"]
    assert link not in str(logs)


async def test_requests_are_counted_by_route_and_never_by_what_a_caller_makes_up(
    services: Services, client: AsyncClient
) -> None:
    for number in range(5):
        await client.get(f"/orders/{number}")
        await client.get(f"/nothing/{number}/{number}")
        await client.request(f"MADEUP{number}", "/orders")
    found = await metrics(services)
    assert found["consignor_http_requests_total", "GET", "/api/v1/orders/{order_id}", "422"] == 5
    assert found["consignor_http_requests_total", "other", "/api/v1/orders", "405"] == 5
    routes = {key[2] for key in found if key[0] == "consignor_http_requests_total"}
    assert len(routes) <= 3
    assert found["consignor_http_response_start_seconds_count", "GET", "/api/v1/orders/{order_id}"] == 5


async def test_the_bytes_of_downloads_are_counted(
    services: Services, client: AsyncClient, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order()
    archive = await client.get(f"/orders/{order.id}/suborders/1/archive")
    route = "/api/v1/orders/{order_id}/suborders/{number}/archive"
    assert (await metrics(services))["consignor_http_response_bytes_total", route] == len(archive.content)


async def test_orders_are_told_by_status_with_their_time_in_it(
    services: Services, client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    for status in ("provisioning", "provisioning", "fulfilled"):
        order = await add_order(sessions, {"scenes": "all"})
        async with sessions.begin() as session:
            changes = {"status": status, "status_at": sa.text("now() - interval '1 hour'")}
            await session.execute(sa.update(type(order)).where(sa.column("id") == order.id).values(changes))
    found = await metrics(services)
    assert (found["consignor_orders", "provisioning"], found["consignor_orders", "fulfilled"]) == (2, 1)
    assert found["consignor_order_status_oldest_seconds", "provisioning"] >= 3600
    assert ("consignor_order_status_oldest_seconds", "fulfilled") not in found
    assert found["consignor_orders_without_workflow",] == 3
    assert found["consignor_database_up",] == 1


async def test_what_holds_orders_up_and_what_failed_is_told_by_its_code(
    services: Services, client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady
) -> None:
    order = await make_ready_order()
    where = {"order_id": order.id}
    async with sessions.begin() as session:
        for statement in (
            """INSERT INTO troubles (order_id, suborder, code, text, since)
            SELECT :order_id, n, 'source_unavailable', 'away', now() - interval '1 minute'
            FROM generate_series(1, 2) n""",
            """INSERT INTO deliveries (order_id, suborder, state, failure_code, failure_text)
            VALUES (:order_id, 1, 'failed', 'disk_full', 'full')""",
            """UPDATE orders SET status = 'failed', failure_code = 'source_missing', files_failed = 3,
            expires_at = now() + interval '1 hour' WHERE id = :order_id""",
        ):
            await session.execute(sa.text(statement), where)
    found = await metrics(services)
    assert found["consignor_orders_held_up", "source_unavailable", "storage"] == 1
    assert found["consignor_orders_held_up_oldest_seconds", "source_unavailable", "storage"] >= 60
    assert found["consignor_deliveries_failed", "disk_full"] == 1
    assert found["consignor_orders_failed", "source_missing"] == 1
    assert (found["consignor_files_failed",], found["consignor_orders_ending_soon",]) == (3, 1)
    assert found["consignor_orders_unpaid",] == 0


async def test_figures_of_all_orders_are_looked_up_once_in_ten_seconds_whoever_asks(
    services: Services, client: AsyncClient, sessions: Sessions, make_product: MakeProduct, operations: Operations
) -> None:
    operations.figures.keep = FIGURES_KEPT
    await make_product()
    assert (await metrics(services))["consignor_orders_without_workflow",] == 0
    await add_order(sessions, {"scenes": "all"})
    assert (await metrics(services))["consignor_orders_without_workflow",] == 0
    operations.figures.forget()
    assert (await metrics(services))["consignor_orders_without_workflow",] == 1


async def test_metrics_are_not_where_everybody_asks(anonymous: AsyncClient, client: AsyncClient) -> None:
    for somebody in (anonymous, client):
        assert (await somebody.get(f"{PUBLIC_URL}/metrics")).status_code == 404


async def test_stats_are_of_the_callers_orders_alone(
    client: AsyncClient, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product()
    mine = await add_order(sessions, {"scenes": "all"})
    await add_order(sessions, {"scenes": "all"}, caller=Caller("somebody-else"))
    said = (await client.get("/stats")).json()
    (status,) = said["by_status"]
    assert (status["status"], status["orders"], status["bytes"]) == ("pending_payment", 1, mine.bytes_total)
    (day,) = said["by_day"]
    assert (day["orders"], day["files"]) == (1, mine.files_total)
    assert (await client.get("/stats?days=0")).status_code == 422


async def test_a_database_that_is_behind_is_not_ready_and_one_that_is_ahead_is(
    client: AsyncClient, sessions: Sessions
) -> None:
    async def revise(revision: str) -> None:
        async with sessions.begin() as session:
            await session.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": revision})

    try:
        await revise("0001")
        answer = await client.get(f"{PUBLIC_URL}/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_migrated")
        await revise("9999")
        assert (await client.get(f"{PUBLIC_URL}/readyz")).status_code == 200
    finally:
        await revise(head())


async def test_without_tables_every_route_says_that_the_database_is_to_be_migrated(
    app: FastAPI, client: AsyncClient, services: Services, databases: Databases
) -> None:
    engine = make_engine(databases.empty("api_before_migrations"))
    app.state.services = replace(services, sessions=make_sessions(engine))
    try:
        for path in ("/orders", "/products", "/me", f"{PUBLIC_URL}/readyz"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "not_migrated"), path
            assert "consignor migrate" in answer.json()["detail"]
    finally:
        await engine.dispose()


async def test_a_table_that_lacks_in_a_migrated_database_is_an_error_of_ours(
    app: FastAPI, issuer: Issuer, engine: AsyncEngine
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token('local')}"}
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE products RENAME TO products_hidden"))
    try:
        # A traceback for people, with all variables, takes seconds to write.
        with capture_logs():
            async with AsyncClient(transport=transport, base_url=f"{PUBLIC_URL}/api/v1", headers=headers) as client:
                answer = await client.get("/products")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    finally:
        async with engine.begin() as connection:
            await connection.execute(sa.text("ALTER TABLE products_hidden RENAME TO products"))


def test_the_head_is_alembics() -> None:
    assert ScriptDirectory.from_config(_config("")).get_current_head() == head()
    assert Path(head()).name == head()


async def test_while_draining_nothing_new_is_taken_and_reading_goes_on(
    client: AsyncClient, make_ready_order: MakeReady, operations: Operations
) -> None:
    order = await make_ready_order()
    operations.drain()
    ready = await client.get(f"{PUBLIC_URL}/readyz")
    assert (ready.status_code, ready.json()["code"]) == (503, "draining")
    refused = await client.post("/orders", json={"items": [{"product": "scenes"}]})
    assert (refused.status_code, refused.json()["code"]) == (503, "draining")
    assert refused.headers["retry-after"] == "1"
    assert (await client.get(f"{PUBLIC_URL}/healthz")).status_code == 200
    assert (await client.get(f"/orders/{order.id}/suborders/1/archive")).status_code == 200
    assert await operations.draining.wait(0)


async def test_temporal_away_is_told_and_costs_a_command_no_waiting(
    client: AsyncClient, make_product: MakeProduct, operations: Operations
) -> None:
    await make_product()
    operations.temporal_health.record(available=False)
    placed = await client.post("/orders", json={"items": [{"product": "scenes"}]})
    assert (placed.status_code, placed.json()["degraded"]) == (201, True)
    url = f"/orders/{placed.json()['id']}"
    assert (await client.get(url)).json()["degraded"] is True
    waits = (await client.get(url)).json()["waiting_on"]
    assert (waits["code"], waits["who"]) == ("temporal", "operator")
    assert (await client.get("/orders")).json()["degraded"] is True
    refused = await client.post(f"{url}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (503, "temporal_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert (await client.get(f"{PUBLIC_URL}/readyz")).json() == {"status": "ready", "degraded": True}
    operations.temporal_health.record(available=True)
    assert (await client.get(url)).json()["degraded"] is False


async def test_who_waits_for_a_temporal_that_goes_away_is_told_at_once(operations: Operations) -> None:
    import asyncio

    from models.errors import TemporalUnavailable

    inside = asyncio.Event()

    async def wait() -> None:
        async with operations.temporal_health.required():
            inside.set()
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await inside.wait()
    operations.temporal_health.record(available=False)
    with pytest.raises(TemporalUnavailable):
        await waiting
