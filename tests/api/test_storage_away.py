"""Downloads while the storage is away or hangs: asked to come again, and nothing is taken for lost."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from storage.bulkheads import Bulkhead
from storage.pool import StoragePool
from tests.activities.builders import moved
from tests.api.conftest import MakeProduct, MakeReady
from tests.factories import Sessions, add_order, make_ready
from tests.services.catalogue_sources import rows

STATES = "SELECT DISTINCT s.state, f.state FROM suborders s JOIN order_files f ON f.order_id = s.order_id"
PLACES = 6


@contextmanager
def hanging(pool: StoragePool, location: Path) -> Iterator[Event]:
    """Eighteen reads of a location that do not answer before the event."""
    answers, storage = Event(), Bulkhead.of_source(str(location))
    for _ in range(3 * PLACES):
        pool.submit(answers.wait, storage)
    try:
        yield answers
    finally:
        answers.set()


@pytest.fixture
def pool() -> StoragePool:
    """The threads of those who are impatient."""
    return StoragePool("downloads", PLACES)


@pytest.fixture
async def impatient(app: FastAPI, client: AsyncClient, pool: StoragePool) -> AsyncIterator[AsyncClient]:
    """A client of the facade with these threads, which waits for no first byte."""
    services = app.state.services
    app.state.services = replace(services, readers=pool, checks=pool, first_byte_timeout=0.2)
    yield client
    app.state.services = services


@pytest.mark.parametrize("what", ["suborders/1/archive", "files/1/content"])
async def test_a_storage_that_hangs_is_told_before_the_first_byte(
    impatient: AsyncClient, make_ready_order: MakeReady, tmp_path: Path, pool: StoragePool, what: str
) -> None:
    url = f"/orders/{(await make_ready_order()).id}/{what}"
    with hanging(pool, tmp_path / "scenes"):
        for headers in ({}, {"Range": "bytes=0-9"}):
            answer = await impatient.get(url, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (503, "source_unavailable")
            assert int(answer.headers["retry-after"]) > 0
    assert (await impatient.get(url)).status_code == 200


async def test_eighteen_reads_that_hang_keep_nobody_from_what_lies_elsewhere(
    impatient: AsyncClient,
    sessions: Sessions,
    make_product: MakeProduct,
    make_ready_order: MakeReady,
    tmp_path: Path,
    pool: StoragePool,
) -> None:
    hung = await make_ready_order()
    await make_product("charts", {"one": {"a.tif": b"chart"}})
    order = await add_order(sessions, {"charts": "all"})
    await make_ready(sessions, order)
    with hanging(pool, tmp_path / "scenes"):
        for _ in range(3):
            assert (await impatient.get(f"/orders/{order.id}/suborders/1/archive")).status_code == 200
        placed = await impatient.post("/orders", json={"items": [{"product": "charts"}]})
        assert placed.status_code == 201
        assert (await impatient.get(f"/orders/{hung.id}/suborders/1/archive")).status_code == 503


@pytest.mark.parametrize("empty", [True, False])
async def test_an_archive_whose_storage_is_not_mounted_comes_back_with_it(
    client: AsyncClient, sessions: Sessions, make_ready_order: MakeReady, tmp_path: Path, empty: bool
) -> None:
    order = await make_ready_order()
    away = moved(tmp_path / "scenes", "away")
    if empty:
        (tmp_path / "scenes").mkdir()
    for what in ("suborders/1/archive", "files/1/content"):
        answer = await client.get(f"/orders/{order.id}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (503, "source_unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert await rows(sessions, STATES) == [("ready", "available")]
    if empty:
        (tmp_path / "scenes").rmdir()
    moved(away, "scenes")
    assert (await client.get(f"/orders/{order.id}/suborders/1/archive")).status_code == 200
