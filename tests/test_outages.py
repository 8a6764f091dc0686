"""What customers see while a part is frozen or gone, on real parts: the table of docs/operating.md."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from httpx2 import AsyncClient
from temporalio.client import Client

from api.dependencies import Services
from cli.dev.ports import any_free
from cli.dev.postgres import EmbeddedPostgres
from database.engine import make_engine, make_sessions
from migrations.run import upgrade
from storage.pool import StoragePool
from temporal.converter import DATA_CONVERTER
from tests.api.serving import served
from tests.cli.processes import eventually
from tests.factories import add_order, add_product
from tests.issuer import as_, identified
from tests.programs import authorization, dev_stack

ORDER = {"items": [{"product": "sample-scenes"}]}
LONGEST = 5.0
"""Seconds that no request may take, whatever is away; kept by the client, which gives up then."""


def family(pid: int) -> list[int]:
    """A process and everything it has started."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += family(int(child))
    return found


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process that is there and does nothing, as behind a network that swallows everything."""
    stopped: list[int] = []
    try:
        # Twice, for it may have started another one meanwhile.
        for _ in range(2):
            for one in family(pid):
                os.kill(one, signal.SIGSTOP)
                stopped.append(one)
        yield
    finally:
        for one in stopped:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGCONT)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    data = tmp_path_factory.mktemp("outages") / "data"
    metrics = f"127.0.0.1:{any_free()}"
    with dev_stack(data, CONSIGNOR_API_METRICS=metrics) as running:
        yield running | {"headers": authorization({"CONSIGNOR_DATA": str(data)}), "metrics": f"http://{metrics}"}


@pytest.fixture
def api(stack: dict[str, Any]) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{stack['api']}/api/v1", timeout=LONGEST, headers=stack["headers"]) as client:
        yield client


def place(api: httpx2.Client) -> str:
    answer = api.post("/orders", json=ORDER)
    assert answer.status_code == 201, answer.text
    order_id: str = answer.json()["id"]
    return order_id


def fulfilled(api: httpx2.Client, order_id: str) -> bool:
    return bool(api.get(f"/orders/{order_id}").json()["status"] == "fulfilled")


def test_with_temporal_frozen_all_but_commands_goes_on_and_what_was_ordered_is_done_after(
    api: httpx2.Client, stack: dict[str, Any]
) -> None:
    done = place(api)
    eventually(lambda: fulfilled(api, done), "the first order is done")
    with frozen(stack["pids"]["temporal"]):
        eventually(lambda: api.get("/orders").json()["degraded"], "the outage is noticed")
        assert api.get(f"/orders/{done}").json()["degraded"] is True
        meanwhile = place(api)
        refused = api.post(f"/orders/{meanwhile}/cancel")
        assert (refused.status_code, refused.json()["code"]) == (503, "temporal_unavailable")
        assert "retry-after" in refused.headers
        bulk = api.post("/orders:bulk", json={"action": "label", "label": "late {number}", "ids": [meanwhile]})
        assert (bulk.status_code, bulk.json()["state"], bulk.json()["degraded"]) == (202, "waiting", True)
        assert api.get(f"/orders/{done}/suborders/1/archive").status_code == 200
        ready = httpx2.get(f"{stack['api']}/readyz", timeout=LONGEST)
        assert (ready.status_code, ready.json()["degraded"]) == (200, True)
    eventually(lambda: not api.get("/orders").json()["degraded"], "the return is noticed")
    eventually(lambda: fulfilled(api, meanwhile), "what was ordered meanwhile is done", 90)
    url = f"/bulks/{bulk.json()['id']}"
    eventually(lambda: api.get(url).json()["done"] == 1, "what was asked of many meanwhile is done", 90)


def test_a_temporal_that_freezes_right_now_keeps_nobody_waiting(api: httpx2.Client, stack: dict[str, Any]) -> None:
    with frozen(stack["pids"]["temporal"]):
        meanwhile = place(api)
    eventually(lambda: fulfilled(api, meanwhile), "what was ordered meanwhile is done", 90)


def test_with_postgresql_frozen_everything_is_refused_and_nothing_hangs(
    api: httpx2.Client, stack: dict[str, Any]
) -> None:
    done = place(api)
    eventually(lambda: fulfilled(api, done), "the first order is done")
    reads = ["/orders", f"/orders/{done}", f"/orders/{done}/files", f"/orders/{done}/suborders/1/archive", "/stats"]
    with frozen(stack["pids"]["postgres"]), ThreadPoolExecutor(30) as crowd:
        answers = list(crowd.map(api.get, reads * 6))
        answers += [api.post("/orders", json=ORDER), api.post(f"/orders/{done}/cancel")]
        answers.append(httpx2.get(f"{stack['api']}/readyz", timeout=LONGEST))
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(503, "database_unavailable")}
        assert all("retry-after" in answer.headers for answer in answers)
        assert httpx2.get(f"{stack['api']}/healthz", timeout=LONGEST).status_code == 200
        assert "consignor_database_up 0" in httpx2.get(f"{stack['metrics']}/metrics", timeout=LONGEST).text
    eventually(lambda: api.get(f"/orders/{done}").status_code == 200, "the return is noticed")
    again = place(api)
    eventually(lambda: fulfilled(api, again), "orders are fulfilled again", 90)


@pytest.fixture
async def base(tmp_path: Path, own_postgres: EmbeddedPostgres, temporal_away: Client) -> AsyncIterator[str]:
    """A facade on a PostgreSQL of its own, with an order in it."""
    engine = make_engine(own_postgres.url(), answering=True)
    sessions = make_sessions(engine)
    await add_product(sessions, tmp_path / "scenes", "scenes", {"winter": {"b1.tif": b"winter"}})
    await add_order(sessions, {"scenes": "all"})
    async with identified() as identity:
        readers = StoragePool("downloads", 4)
        services = Services(sessions, temporal_away, "http://facade", readers, identity=identity)
        async with served(services, own_postgres.url()) as address:
            yield address
    await engine.dispose()


@pytest.fixture
def own_postgres(own_environment: None, tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "postgres", durable=True) as server:
        server.ensure_database()
        upgrade(server.url())
        yield server


@pytest.fixture
async def temporal_away() -> Client:
    return await Client.connect("127.0.0.1:9", data_converter=DATA_CONVERTER, lazy=True)


async def test_a_postgresql_that_is_gone_is_told_and_its_return_needs_nobody(
    base: str, own_postgres: EmbeddedPostgres
) -> None:
    async with AsyncClient(base_url=f"{base}/api/v1", timeout=LONGEST, headers=as_("local")) as client:
        before = (await client.get("/orders")).json()["items"]
        assert len(before) == 1
        own_postgres.stop()
        for request in (client.get("/orders"), client.post("/orders", json={"items": [{"product": "scenes"}]})):
            answer = await request
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        own_postgres.start()
        assert [order["id"] for order in (await client.get("/orders")).json()["items"]] == [before[0]["id"]]
        placed = await client.post("/orders", json={"items": [{"product": "scenes"}]})
        assert placed.status_code == 201


async def test_a_statement_that_is_slow_on_a_server_that_lives_is_waited_for(own_postgres: EmbeddedPostgres) -> None:
    import sqlalchemy as sa

    engine = make_engine(own_postgres.url(), answering=True)
    async with engine.connect() as connection:
        assert (await connection.execute(sa.text("SELECT 7 FROM pg_sleep(2.5)"))).scalar_one() == 7
    await engine.dispose()
