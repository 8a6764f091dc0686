"""Reopening failed files and releasing sub-orders, on the real database, each twice."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.publishing import PublishingActivities
from activities.releasing import ReleasingActivities
from activities.staging import StagingActivities
from models.messages import Publication, Release, Released, Reopening, SubOrderInput
from models.queries import suborders as queries
from models.splitting import Limits
from models.suborder import SubOrderState
from models.tables import Order
from services.download_tracking import DOWNLOAD_ALIVE
from tests.activities.builders import Sessions, run
from tests.factories import add_order, add_product, make_ready
from tests.locks import somebody_waits
from tests.services.catalogue_sources import rows

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


def spoil(root: Path, but: set[Path]) -> None:
    for path in set(root.glob("*/*.tif")) - but:
        path.write_bytes(b"?" * 100)


async def stage_again(sessions: Sessions, order: Order, seqs: tuple[int, ...]) -> int:
    """What a retry does: reopen, then make every sub-order that has not settled; how many files are pending."""
    await run(ReleasingActivities(sessions).reopen_files, Reopening(order_id=order.id, seqs=seqs))
    pending = len(await rows(sessions, "SELECT seq FROM order_files WHERE state = 'pending'"))
    for number in await rows(sessions, "SELECT number FROM suborders WHERE state = 'planned' ORDER BY number"):
        part = SubOrderInput(order_id=order.id, number=number)
        staged = await run(StagingActivities(sessions).stage_files, part)
        publication = Publication(order_id=order.id, number=number, attempt=staged.attempt)
        await run(PublishingActivities(sessions).publish_suborder, publication)
    return pending


async def test_of_a_hundred_files_seven_that_failed_are_read_again_and_no_other(
    sessions: Sessions, tmp_path: Path
) -> None:
    objects = {f"o{n:02}": {f"{m}.tif": bytes([n, m]) * 50 for m in range(10)} for n in range(10)}
    await add_product(sessions, tmp_path, "scenes", objects)
    order = await add_order(sessions, {"scenes": "all"})
    wrong = [tmp_path / "o03" / f"{m}.tif" for m in range(4)] + [tmp_path / "o07" / f"{m}.tif" for m in range(3)]
    right = {path: path.read_bytes() for path in wrong}
    for path in wrong:
        path.write_bytes(b"!" * 100)
    await make_ready(sessions, order, Limits(max_files=10))
    assert await rows(sessions, TOTALS) == [(93, 7, 10_000)]
    proofs = "SELECT seq, sha256, crc32, modified_ns FROM order_files WHERE state = 'available' ORDER BY seq"
    archives = "SELECT number, archive_etag, archive_bytes, attempt FROM suborders WHERE files_failed = 0 ORDER BY 1"
    before, sealed = await rows(sessions, proofs), await rows(sessions, archives)
    assert (len(before), len(sealed)) == (93, 8)
    for path, content in right.items():
        path.write_bytes(content)
    # Had any other file been read again, it would be found wrong.
    spoil(tmp_path, set(wrong))
    failed = [row[0] for row in await rows(sessions, FILES) if row[1] == "failed"]
    assert await stage_again(sessions, order, (failed[0],)) == 1
    assert await rows(sessions, TOTALS) == [(94, 6, 10_000)]
    assert await stage_again(sessions, order, ()) == 6
    assert await rows(sessions, TOTALS) == [(100, 0, 10_000)]
    assert set(before) <= set(await rows(sessions, proofs))
    assert set(sealed) <= set(await rows(sessions, archives))


async def test_a_download_that_begins_while_its_order_expires_is_seen(sessions: Sessions, half_failed: Order) -> None:
    expire = Release(order_id=half_failed.id, state=SubOrderState.EXPIRED)
    async with sessions.begin() as session:
        await session.execute(queries.begin_download(half_failed.id, 1, datetime.now(UTC)))
        releasing = asyncio.create_task(run(ReleasingActivities(sessions).release_suborders, expire))
        await somebody_waits(sessions)
    assert await releasing == Released(open_downloads=1, released=0)
    assert not {row[1] for row in await rows(sessions, PARTS)} & {"expired"}


@pytest.mark.parametrize("state", [SubOrderState.CANCELLED, SubOrderState.EXPIRED])
async def test_nothing_that_is_over_begins_to_be_downloaded(
    sessions: Sessions, half_failed: Order, state: SubOrderState
) -> None:
    await run(ReleasingActivities(sessions).release_suborders, Release(order_id=half_failed.id, state=state))
    async with sessions.begin() as session:
        begun = await session.execute(queries.begin_download(half_failed.id, 1, datetime.now(UTC)))
        assert begun.one_or_none() is None
