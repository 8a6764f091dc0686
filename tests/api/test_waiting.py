"""An order that stands still says what it waits for, while its steps are tried again by themselves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx2 import AsyncClient
from temporalio.testing import WorkflowEnvironment

from storage.pool import StoragePool
from tests.api.conftest import MakeProduct
from tests.api.running_orders import command, facade, ordered, settled, until, working
from tests.factories import Sessions


@pytest.fixture
async def alive(sessions: Sessions, temporal: WorkflowEnvironment, readers: StoragePool) -> AsyncIterator[AsyncClient]:
    """The facade, with workers behind it."""
    async with working(temporal.client, sessions), facade(sessions, temporal.client, readers) as client:
        yield client


async def test_an_order_waits_for_its_storage_and_goes_on_by_itself(
    alive: AsyncClient, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product()
    away = (tmp_path / "scenes").rename(tmp_path / "away")
    order = await until(alive, await ordered(alive), lambda seen: seen["waiting_on"])
    waiting = order["waiting_on"]
    assert (order["status"], waiting["code"], waiting["who"]) == ("validating", "source_unavailable", "storage")
    assert waiting["text"].endswith("it is tried again by itself.")
    assert waiting["since"] >= order["status_at"]
    (listed,) = (await alive.get("/orders")).json()["items"]
    assert listed["waiting_on"] == waiting
    away.rename(tmp_path / "scenes")
    order = await settled(alive, order)
    assert (order["status"], order["waiting_on"]["code"]) == ("fulfilled", "download")


async def test_an_order_that_waits_for_its_storage_can_be_paused_and_cancelled(
    alive: AsyncClient, make_product: MakeProduct, tmp_path: Path
) -> None:
    await make_product()
    (tmp_path / "scenes").rename(tmp_path / "away")
    order = await until(alive, await ordered(alive), lambda seen: seen["waiting_on"])
    assert (await command(alive, order, "pause"))["waiting_on"]["code"] == "paused"
    assert (await command(alive, order, "cancel"))["waiting_on"] is None
