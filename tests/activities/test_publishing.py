"""Publishing: one attempt makes a sub-order visible, and no late one changes that."""

from pathlib import Path
from typing import Any

import pytest

from activities.publishing import PublishingActivities
from activities.settling import AlreadySettled, Superseded
from activities.staging import StagingActivities
from models.errors import Failure, FailureCode
from models.messages import Publication, SubOrderResult
from models.packaging import PackedFile, layout_of
from models.queries import orders
from models.queries.downloads import FILES_LOST, SUBORDER_DOWNLOADED
from models.suborder import SubOrderState
from models.tables import Order
from tests.activities.builders import Sessions, everything, first_of, planned, remove_all, run, staged
from tests.services.catalogue_sources import rows

PUBLISHED = "SELECT state, attempt, archive_bytes, archive_etag FROM suborders"


@pytest.fixture
async def order(sessions: Sessions, tmp_path: Path) -> Order:
    return await planned(sessions, tmp_path)


async def publish(sessions: Sessions, order: Order, attempt: int) -> SubOrderResult:
    publication = Publication(order_id=order.id, number=1, attempt=attempt)
    return await run(PublishingActivities(sessions).publish_suborder, publication)


async def stable(sessions: Sessions) -> dict[str, list[Any]]:
    """Everything but the instant of the state."""
    known = await everything(sessions)
    return known | {"suborders": await rows(sessions, PUBLISHED)}


async def test_a_staged_sub_order_becomes_ready_with_the_length_and_etag_of_its_archive(
    sessions: Sessions, order: Order
) -> None:
    await staged(sessions, order)
    result = await publish(sessions, order, 1)
    async with sessions.begin() as session:
        files = [PackedFile(*row) for row in await session.execute(orders.packed_files(order.id, 1))]
    layout = layout_of(order.number, 1, files)
    assert result == SubOrderResult(
        number=1, state=SubOrderState.READY, available=3, failed=0, archive_bytes=layout.total_bytes
    )
    assert layout.total_bytes > 6000
    assert await rows(sessions, PUBLISHED) == [("ready", 1, layout.total_bytes, layout.etag)]


async def test_publishing_twice_gives_the_same_result_and_changes_nothing(sessions: Sessions, order: Order) -> None:
    await staged(sessions, order)
    first = await publish(sessions, order, 1)
    once = await stable(sessions)
    assert await publish(sessions, order, 1) == first
    assert await stable(sessions) == once


async def test_publishing_again_what_has_been_downloaded_meanwhile_gives_the_same_result(
    sessions: Sessions, order: Order
) -> None:
    await staged(sessions, order)
    first = await publish(sessions, order, 1)
    async with sessions.begin() as session:
        await session.execute(SUBORDER_DOWNLOADED, {"order_id": order.id, "number": 1})
    downloaded = await everything(sessions)
    assert await publish(sessions, order, 1) == first
    assert await everything(sessions) == downloaded


async def test_publishing_again_what_has_lost_files_meanwhile_tells_that_it_has_failed(
    sessions: Sessions, order: Order
) -> None:
    await staged(sessions, order)
    await publish(sessions, order, 1)
    lost = {"seqs": [1], "codes": ["source_changed"], "texts": ["a.tif has changed"]}
    async with sessions.begin() as session:
        await session.execute(FILES_LOST, {"order_id": order.id, "number": 1, **lost})
    failed = await everything(sessions)
    failure = Failure(code=FailureCode.SOURCE_CHANGED, text="a.tif has changed")
    result = SubOrderResult(number=1, state=SubOrderState.FAILED, available=2, failed=1, failure=failure)
    assert await publish(sessions, order, 1) == result
    assert await everything(sessions) == failed


async def test_a_late_attempt_is_refused_before_and_after_the_newest(sessions: Sessions, order: Order) -> None:
    await staged(sessions, order)
    await staged(sessions, order)
    for newest_first in (False, True):
        if newest_first:
            await publish(sessions, order, 2)
        before = await everything(sessions)
        with pytest.raises(Superseded):
            await publish(sessions, order, 1)
        assert await everything(sessions) == before


async def test_a_sub_order_that_was_cancelled_meanwhile_stays_cancelled(sessions: Sessions, order: Order) -> None:
    await staged(sessions, order)
    await rows(sessions, "UPDATE suborders SET state = 'cancelled' RETURNING number")
    with pytest.raises(AlreadySettled):
        await publish(sessions, order, 1)
    assert await rows(sessions, PUBLISHED) == [("cancelled", 1, None, None)]


async def test_what_is_missing_does_not_hold_up_the_rest(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    (tmp_path / "s1" / "b.tif").write_bytes(b"B" * 2000)
    await staged(sessions, order)
    result = await publish(sessions, order, 1)
    assert (result.state, result.available, result.failed) == ("ready", 2, 1)
    assert result.failure is not None
    assert result.failure.code is FailureCode.CHECKSUM_MISMATCH


async def test_a_sub_order_none_of_whose_files_can_be_delivered_has_failed(
    sessions: Sessions, tmp_path: Path, order: Order
) -> None:
    remove_all(tmp_path)
    await staged(sessions, order)
    for _ in range(2):
        result = await publish(sessions, order, 1)
        assert (result.state, result.available, result.failed) == ("failed", 0, 3)
        assert result.failure is not None
        assert result.failure.code is FailureCode.SOURCE_MISSING
        assert await rows(sessions, PUBLISHED) == [("failed", 1, None, None)]


async def test_a_late_staging_does_not_take_back_what_is_published(sessions: Sessions, order: Order) -> None:
    await staged(sessions, order)
    await publish(sessions, order, 1)
    published = await rows(sessions, PUBLISHED)
    with pytest.raises(AlreadySettled):
        await run(StagingActivities(sessions).stage_files, first_of(order), attempt=2)
    assert await rows(sessions, PUBLISHED) == published
