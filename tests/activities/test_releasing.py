"""Reopening failed files and releasing sub-orders, on the real database, each twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.releasing import DOWNLOAD_ALIVE, ReleasingActivities
from models.messages import Release, Released, Reopening
from models.queries import suborders as queries
from models.splitting import Limits
from models.suborder import SubOrderState
from models.tables import Order
from tests.activities.catalogue_sources import rows
from tests.activities.making import Sessions, run
from tests.factories import add_order, add_product, make_ready

FILES = "SELECT seq, state FROM order_files ORDER BY seq"
PARTS = "SELECT number, state, files_available, files_failed, bytes_settled FROM suborders ORDER BY number"
TOTALS = "SELECT files_available, files_failed, bytes_settled FROM orders"


@pytest.fixture
async def half_failed(sessions: Sessions, tmp_path: Path) -> Order:
    """Two sub-orders of two files each; both files of the second object are wrong."""
    objects = {f"o{n}": {"a.tif": bytes([n]) * 10, "b.tif": bytes([n]) * 20} for n in (1, 2)}
    await add_product(sessions, tmp_path, "scenes", objects)
    order = await add_order(sessions, {"scenes": "all"})
    for name in ("a.tif", "b.tif"):
        path = tmp_path / "o2" / name
        path.write_bytes(b"!" * path.stat().st_size)
    await make_ready(sessions, order, Limits(max_files=2))
    return order


async def test_reopening_makes_failed_files_pending_and_leaves_the_rest_as_it_is(
    sessions: Sessions, half_failed: Order
) -> None:
    activity = ReleasingActivities(sessions).reopen_files
    failed = [row[0] for row in await rows(sessions, FILES) if row[1] == "failed"]
    assert len(failed) == 2
    for expected in (2, 0):
        assert await run(activity, Reopening(order_id=half_failed.id, seqs=())) == expected
    assert [row[1] for row in await rows(sessions, FILES) if row[0] in failed] == ["pending", "pending"]
    assert sorted(row[1:] for row in await rows(sessions, PARTS)) == [("planned", 0, 0, 0), ("ready", 2, 0, 30)]
    assert await rows(sessions, TOTALS) == [(2, 0, 30)]


async def test_a_retry_may_name_its_files(sessions: Sessions, half_failed: Order) -> None:
    first = next(row[0] for row in await rows(sessions, FILES) if row[1] == "failed")
    reopening = Reopening(order_id=half_failed.id, seqs=(first, 999))
    assert await run(ReleasingActivities(sessions).reopen_files, reopening) == 1
    assert (await rows(sessions, TOTALS))[0][1] == 1


@pytest.mark.parametrize("state", [SubOrderState.CANCELLED, SubOrderState.EXPIRED])
async def test_released_sub_orders_are_over_and_fenced_off(
    sessions: Sessions, half_failed: Order, state: SubOrderState
) -> None:
    before = await rows(sessions, "SELECT sum(attempt) FROM suborders")
    release = Release(order_id=half_failed.id, state=state)
    assert await run(ReleasingActivities(sessions).release_suborders, release) == Released(open_downloads=0, released=2)
    assert await run(ReleasingActivities(sessions).release_suborders, release) == Released(open_downloads=0, released=0)
    assert {row[1] for row in await rows(sessions, PARTS)} == {state}
    assert await rows(sessions, "SELECT sum(attempt) FROM suborders") != before


async def test_nothing_expires_under_an_open_download_but_a_dead_one_does_not_count(
    sessions: Sessions, half_failed: Order
) -> None:
    expire = Release(order_id=half_failed.id, state=SubOrderState.EXPIRED)
    activity = ReleasingActivities(sessions).release_suborders
    now = datetime.now(UTC)
    async with sessions.begin() as session:
        download = (await session.execute(queries.begin_download(half_failed.id, 1, now))).scalar_one()
    assert await run(activity, expire) == Released(open_downloads=1, released=0)
    async with sessions.begin() as session:
        await session.execute(queries.see_download(download, now - DOWNLOAD_ALIVE - timedelta(seconds=1)))
    assert (await run(activity, expire)).released == 2
