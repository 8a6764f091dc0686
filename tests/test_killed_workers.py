"""A worker that is killed in the middle, and another that finishes what it began."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx2
import psycopg
import pytest
from temporalio.testing import WorkflowEnvironment

from cli.dev.binaries import temporal_binary
from cli.dev.ports import any_free
from cli.dev.temporal import temporal_dev
from tests.cli.processes import eventually
from tests.databases import Databases
from tests.downloads import GENERATED, digest_of, the_end_of
from tests.programs import asked, authorization, consignor, program
from tests.services.catalogue_sources import put

Where = Mapping[str, str]

MANY, EACH = 2_000, 768 * 1024
"""Enough to be read for longer than the worker needs to tell of its progress; nearly all of it is hole."""


def is_healthy(api: str) -> bool:
    """Whether the API serves."""
    try:
        return httpx2.get(f"{api}/healthz").is_success
    except httpx2.TransportError:
        return False


def files_available(api: httpx2.Client, url: str) -> int:
    """How many files of an order are proven."""
    count: int = api.get(url).json()["progress"]["files_available"]
    return count


def attempts(database_url: str) -> int:
    """How often the one sub-order was claimed."""
    with psycopg.connect(database_url) as connection:
        (row,) = connection.execute("SELECT attempt FROM suborders").fetchall()
    return int(row[0])


@pytest.fixture
async def outside(databases: Databases, tmp_path: Path) -> AsyncIterator[Where]:
    """The environment of programs that run on a PostgreSQL and a Temporal they have not started."""
    settings, port = temporal_dev(), any_free()
    async with await WorkflowEnvironment.start_local(
        namespace=settings.namespace,
        dev_server_existing_path=str(temporal_binary()),
        dev_server_extra_args=settings.registrations,
    ) as environment:
        yield {
            "DATABASE_URL": databases.migrated("killed"),
            "TEMPORAL_ADDRESS": environment.client.service_client.config.target_host,
            "TEMPORAL_NAMESPACE": settings.namespace,
            "CONSIGNOR_PORT": str(port),
            "CONSIGNOR_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "CONSIGNOR_DATA": str(tmp_path / "no-stack-here"),
            "CONSIGNOR_DEV_ISSUER": "true",
        }


def many_files(root: Path) -> dict[str, Path]:
    """Files that differ in their first bytes."""
    found = {f"o{n:04}/f.bin": put(root / f"o{n:04}" / "f.bin", b"%d" % n) for n in range(MANY)}
    for path in found.values():
        os.truncate(path, EACH)
    return found


def test_another_worker_finishes_what_a_killed_one_began(outside: Where, tmp_path: Path) -> None:
    with ExitStack() as running:
        running.enter_context(program(outside, tmp_path / "api.log", "api"))
        first = running.enter_context(program(outside, tmp_path / "first.log", "worker"))
        files = many_files(tmp_path / "many")
        api = outside["CONSIGNOR_PUBLIC_URL"]
        eventually(lambda: is_healthy(api), "the API serves", 90)
        consignor(outside, "catalog", "import", tmp_path / "many")
        order = asked(outside, "order", "place", "--product", "many")
        url = f"{api}/api/v1/orders/{order['id']}"
        me = running.enter_context(httpx2.Client(headers=authorization(outside)))
        eventually(lambda: 0 < files_available(me, url) < MANY, "the worker is in the middle", 90)
        first.kill()
        first.wait()
        assert 0 < files_available(me, url) < MANY
        running.enter_context(program(outside, tmp_path / "second.log", "worker"))
        eventually(lambda: me.get(url).json()["outcome"] != "pending", "the order is done", 90)
        assert me.get(url).json()["status"] == "fulfilled"
        assert files_available(me, url) == MANY
        (suborder,) = me.get(f"{url}/suborders").json()["items"]
        end = the_end_of(me, suborder["archive_url"], tmp_path / "end.zip", 1024 * 1024)
    with ZipFile(end) as archive:
        assert sorted(archive.namelist()) == sorted([*files, *(GENERATED - {"NOTICE.txt"})])
        sums = dict(line.split("  ")[::-1] for line in archive.read("SHA256SUMS").decode().splitlines())
    assert {name: sums[name] for name in files} == {name: digest_of(path) for name, path in files.items()}
    assert attempts(outside["DATABASE_URL"]) == 2


DRAFTS = 60


def told(database_url: str, bulk_id: str) -> list[Any]:
    """What the timelines say a bulk has done, how often, and to how many orders."""
    query = "SELECT what, count(*), count(DISTINCT order_id) FROM timeline WHERE details->>'bulk' = %s GROUP BY what"
    with psycopg.connect(database_url) as connection:
        return connection.execute(query, (bulk_id,)).fetchall()


def test_another_worker_finishes_a_bulk_and_no_order_hears_it_twice(outside: Where, tmp_path: Path) -> None:
    put(tmp_path / "one" / "a.bin", b"a")
    with ExitStack() as running:
        running.enter_context(program(outside, tmp_path / "api.log", "api"))
        first = running.enter_context(program(outside, tmp_path / "first.log", "worker"))
        api = outside["CONSIGNOR_PUBLIC_URL"]
        eventually(lambda: is_healthy(api), "the API serves", 90)
        consignor(outside, "catalog", "import", tmp_path / "one", "--sku", "one")
        me = running.enter_context(httpx2.Client(base_url=f"{api}/api/v1", headers=authorization(outside), timeout=30))
        for number in range(DRAFTS):
            body = {"items": [{"product": "one"}], "draft": True, "label": f"draft {number}"}
            assert me.post("/orders", json=body).status_code == 201
        made = asked(outside, "order", "bulk", "cancel", "--product", "one", "--expected", str(DRAFTS))
        url = f"/bulks/{made['id']}"
        eventually(lambda: me.get(url).json()["done"] > 0, "the bulk has begun", 90)
        first.kill()
        first.wait()
        assert 0 < me.get(url).json()["done"] < DRAFTS
        running.enter_context(program(outside, tmp_path / "second.log", "worker"))
        eventually(lambda: me.get(url).json()["finished_at"] is not None, "the bulk is done", 90)
        found = me.get(url).json()
        assert (found["state"], found["done"], found["failed"]) == ("finished", DRAFTS, 0)
        assert told(outside["DATABASE_URL"], made["id"]) == [("cancelled", DRAFTS, DRAFTS)]
