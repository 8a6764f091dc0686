"""Downloads without HTTP: what is found, what is counted as arrived, and what is lost in its source."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col

from models.coverage import Span
from models.errors import Failure, FailureCode, Gone, LinkRefused, NotFound, NotReady
from models.links import LinkKeys, archive_path
from models.order import Event
from models.suborder import FileState, SubOrderState
from models.tables import Order, OrderFile, OutboxEvent, SubOrder
from services.download_lookup import downloadable_archive, downloadable_file, linked_order, require_planned
from services.download_tracking import DOWNLOADED, DownloadTarget, acknowledge, begin_download, record_arrival
from services.source_loss import changed_members, record_source_loss
from storage.archive.virtual import Member
from storage.sources.protocol import FileVersion
from storage.sources.registry import Sources
from tests.factories import Sessions, add_order, add_product, make_ready
from tests.services.catalogue_sources import rows

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FILES = {"spring": {"a.tif": b"a" * 10, "b.tif": b"b" * 20}}
KEYS = LinkKeys(["k" * 40])


@pytest.fixture
async def placed(sessions: Sessions, tmp_path: Path) -> Order:
    await add_product(sessions, tmp_path, "scenes", FILES)
    return await add_order(sessions, {"scenes": "all"})


@pytest.fixture
async def ready(sessions: Sessions, placed: Order) -> Order:
    await make_ready(sessions, placed)
    return placed


async def archive_of(sessions: Sessions, order: Order) -> DownloadTarget:
    async with sessions.begin() as session:
        part = await downloadable_archive(session, order, 1)
        return DownloadTarget(order.id, 1, part.archive_etag or "", part.archive_bytes or 0, "customer:maria", "maria")


async def arrive(sessions: Sessions, target: DownloadTarget, *spans: Span) -> OutboxEvent | None:
    async with sessions.begin() as session:
        return await record_arrival(session, target, spans, NOW)


async def state_of(sessions: Sessions, order: Order) -> tuple[str, list[str]]:
    async with sessions.begin() as session:
        part = await session.scalar(sa.select(col(SubOrder.state)).where(col(SubOrder.order_id) == order.id))
        files = sa.select(col(OrderFile.state)).where(col(OrderFile.order_id) == order.id)
        return str(part), list((await session.scalars(files.order_by(col(OrderFile.seq)))).all())


async def test_an_order_that_is_not_planned_has_nothing_to_download_yet(sessions: Sessions, placed: Order) -> None:
    async with sessions.begin() as session:
        with pytest.raises(NotReady):
            await require_planned(session, placed)
        with pytest.raises(NotReady):
            await downloadable_archive(session, placed, 1)
        with pytest.raises(NotReady):
            await downloadable_file(session, placed, 1)


@pytest.mark.parametrize("number", [0, -1, 2, 2**31, 2**64])
async def test_a_number_that_is_none_of_the_order_is_not_found(sessions: Sessions, ready: Order, number: int) -> None:
    async with sessions.begin() as session:
        planned = await session.get_one(Order, ready.id)
        planned.status = "fulfilled"
        with pytest.raises(NotFound):
            await downloadable_archive(session, planned, number)


async def test_a_link_opens_its_path_alone_and_until_the_order_expires(sessions: Sessions, ready: Order) -> None:
    path = archive_path(ready.id, 1)
    async with sessions.begin() as session:
        order = await session.get_one(Order, ready.id)
        order.expires_at = NOW
        link = KEYS.sign(path)
        before = NOW - timedelta(seconds=1)
        assert (await linked_order(session, KEYS, link, path, ready.id, before)).id == ready.id
        with pytest.raises(LinkRefused):
            await linked_order(session, KEYS, link, archive_path(ready.id, 2), ready.id, before)
        with pytest.raises(Gone):
            await linked_order(session, KEYS, link, path, ready.id, NOW)


async def test_pieces_of_several_downloads_make_an_archive_downloaded_once(sessions: Sessions, ready: Order) -> None:
    target = await archive_of(sessions, ready)
    assert await arrive(sessions, target, Span(0, 5), Span(7, target.size)) is None
    assert await state_of(sessions, ready) == (SubOrderState.READY, [FileState.AVAILABLE] * 2)
    event = await arrive(sessions, target, Span(4, 8))
    assert event is not None
    assert (event.what, event.actor, event.at) == (DOWNLOADED, "customer:maria", NOW)
    assert await state_of(sessions, ready) == (SubOrderState.DOWNLOADED, [FileState.DOWNLOADED] * 2)
    assert await arrive(sessions, target, Span(0, target.size)) is None


async def test_bytes_of_another_version_of_the_archive_do_not_count(sessions: Sessions, ready: Order) -> None:
    target = replace(await archive_of(sessions, ready), etag='"another"')
    assert await arrive(sessions, target, Span(0, target.size)) is None
    assert await arrive(sessions, target, Span(0, 5), Span(5, target.size)) is None
    assert (await state_of(sessions, ready))[0] == SubOrderState.READY


async def test_the_last_of_its_files_makes_a_suborder_downloaded(sessions: Sessions, ready: Order) -> None:
    files = [DownloadTarget(ready.id, 1, "", size, "customer:maria", "maria", seq) for seq, size in ((1, 10), (2, 20))]
    assert await arrive(sessions, files[0], Span(0, 10)) is None
    assert await state_of(sessions, ready) == (SubOrderState.READY, [FileState.DOWNLOADED, FileState.AVAILABLE])
    assert await arrive(sessions, files[1], Span(0, 20)) is not None
    assert (await state_of(sessions, ready))[0] == SubOrderState.DOWNLOADED


async def test_an_acknowledgement_counts_once(sessions: Sessions, ready: Order) -> None:
    async with sessions.begin() as session:
        event = await acknowledge(session, ready.id, 1, "customer:maria", NOW)
        assert event is not None
        assert event.reason_code == "acknowledged"
        assert await acknowledge(session, ready.id, 1, "customer:maria", NOW) is None


async def test_a_download_begins_unless_its_suborder_has_expired(sessions: Sessions, ready: Order) -> None:
    target = await archive_of(sessions, ready)
    async with sessions.begin() as session:
        assert await begin_download(session, target, NOW)
        await session.execute(sa.update(SubOrder).values(state=SubOrderState.EXPIRED))
        with pytest.raises(Gone):
            await begin_download(session, target, NOW)


def test_members_that_have_changed_are_found_by_their_index(tmp_path: Path) -> None:
    members = []
    for name in ("same", "grown", "unseen"):
        path = tmp_path / name
        path.write_bytes(b"content")
        members.append(Member(Sources().at(str(tmp_path)), name, FileVersion.dated(7, path.stat().st_mtime_ns)))
    for name in ("grown", "unseen"):
        (tmp_path / name).write_bytes(b"more content")
    assert changed_members(members, limit=2).keys() == {1}


async def test_a_lost_file_fails_and_with_it_the_archive(sessions: Sessions, ready: Order) -> None:
    target = await archive_of(sessions, ready)
    failure = Failure(code=FailureCode.SOURCE_CHANGED, text="a.tif has changed")
    async with sessions.begin() as session:
        event = await record_source_loss(session, target, {1: failure}, failure, NOW)
        assert event is not None
        assert (event.what, event.details, event.reason_code) == (Event.FILES_LOST, {"failed": 1}, failure.code)
        assert await record_source_loss(session, target, {1: failure}, failure, NOW) is None
    assert await state_of(sessions, ready) == (SubOrderState.FAILED, [FileState.FAILED, FileState.AVAILABLE])
    known = "SELECT c.name, k.doubted FROM known_files k JOIN catalogue_files c ON c.id = k.file_id ORDER BY c.name"
    assert [*map(tuple, await rows(sessions, known))] == [("a.tif", True), ("b.tif", False)]
    async with sessions.begin() as session:
        with pytest.raises(Gone):
            await downloadable_archive(session, ready, 1)
        assert (await downloadable_file(session, ready, 2))[0].seq == 2
