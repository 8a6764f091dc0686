"""Downloads while the storage is away or hangs: asked to come again, and nothing is taken for lost."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from tests.activities.builders import moved
from tests.api.conftest import MakeReady
from tests.factories import Sessions
from tests.services.catalogue_sources import rows

STATES = "SELECT DISTINCT s.state, f.state FROM suborders s JOIN order_files f ON f.order_id = s.order_id"


@pytest.fixture
def hanging() -> Iterator[tuple[ThreadPoolExecutor, Event]]:
    """Readers of which every thread waits for a storage that does not answer before the event."""
    answers = Event()
    with ThreadPoolExecutor(1) as readers:
        readers.submit(answers.wait)
        yield readers, answers
        answers.set()


@pytest.fixture
async def impatient(
    app: FastAPI, client: AsyncClient, hanging: tuple[ThreadPoolExecutor, Event]
) -> AsyncIterator[AsyncClient]:
    """A client of the facade with those readers."""
    services = app.state.services
    app.state.services = replace(services, readers=hanging[0], first_byte_timeout=0.2)
    yield client
    app.state.services = services


@pytest.mark.parametrize("what", ["suborders/1/archive", "files/1/content"])
async def test_a_storage_that_hangs_is_told_before_the_first_byte(
    impatient: AsyncClient, make_ready_order: MakeReady, hanging: tuple[ThreadPoolExecutor, Event], what: str
) -> None:
    url = f"/orders/{(await make_ready_order()).id}/{what}"
    for headers in ({}, {"Range": "bytes=0-9"}):
        answer = await impatient.get(url, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "source_unavailable")
        assert int(answer.headers["retry-after"]) > 0
    hanging[1].set()
    assert (await impatient.get(url)).status_code == 200


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
