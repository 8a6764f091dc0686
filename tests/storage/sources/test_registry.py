"""The registry of sources: what a location means, and a kind of storage that is added from outside."""

import io
import zipfile
from pathlib import Path
from typing import Self
from zlib import crc32

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activities.planning import PlanningActivities
from activities.publishing import PublishingActivities
from activities.staging import StagingActivities
from activities.validation import ValidationActivities
from models.errors import Failed, FailureCode
from models.messages import OrderRef, Publication
from models.packaging import PackedFile, layout_of
from models.queries import orders
from models.suborder import SubOrderState
from models.tables import CatalogueFile, Order, Product
from storage.archive.members import members_of
from storage.archive.virtual import Blocks
from storage.sources.protocol import FileVersion, check_version
from storage.sources.registry import KINDS, Sources, as_uri
from tests.activities.builders import SCENES, first_of, run
from tests.factories import add_order, add_product

INSTANT = 1_750_000_000_000_000_000


class MemoryReader:
    """An open file of a memory source."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read_into(self, buffer: memoryview, offset: int) -> int:
        found = self._content[offset : offset + len(buffer)]
        buffer[: len(found)] = found
        return len(found)

    def version(self) -> FileVersion:
        return FileVersion.dated(len(self._content), INSTANT, f'"{crc32(self._content):x}"')

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class MemorySource:
    """Files in memory, by their href."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def check_available(self) -> None:
        pass

    def stat(self, href: str) -> FileVersion:
        return self.open(href).version()

    def open(self, href: str, expected: FileVersion | None = None) -> MemoryReader:
        if href not in self._files:
            raise Failed(FailureCode.SOURCE_MISSING, f"{href} is not there")
        reader = MemoryReader(self._files[href])
        if expected is not None:
            check_version(href, expected, reader.version())
        return reader

    def read_whole(self, href: str, expected: FileVersion, buffer: memoryview) -> None:
        self.open(href, expected).read_into(buffer, 0)


@pytest.mark.parametrize("name", ["plain", "with space", "50%25", "ünïcode", "a#b?c", "b\udcff", "a:__b"])
def test_a_plain_path_and_its_uri_are_the_same_location(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    root.mkdir()
    (root / "file").write_bytes(b"0123")
    for location in (str(root), root.as_uri()):
        source = Sources().at(location)
        source.check_available()
        assert source.stat("file").size == 4


def test_a_uri_stays_as_it_is() -> None:
    assert as_uri("s3://bucket/prefix") == "s3://bucket/prefix"
    assert as_uri("/data/a://b") == "file:///data/a%3A/b"


def test_a_kind_that_is_not_registered_is_unavailable() -> None:
    with pytest.raises(Failed, match="no storage of the kind 's3' is set up") as caught:
        Sources().at("s3://bucket")
    assert caught.value.failure.code is FailureCode.SOURCE_UNAVAILABLE


def test_a_version_keeps_its_instant_and_its_etag() -> None:
    version = FileVersion.dated(3, INSTANT, '"a b"')
    assert (version.modified_ns, version.etag) == (INSTANT, '"a b"')
    assert FileVersion.dated(3, INSTANT).etag is None
    assert version != FileVersion.dated(3, INSTANT)


async def test_another_kind_of_source_is_ordered_sealed_and_streamed_like_the_local_one(
    sessions: async_sessionmaker[AsyncSession], tmp_path: Path
) -> None:
    order = await ordered_from(sessions, "memory://scenes", tmp_path)
    files = {f"{folder}/{name}": content for folder, inner in SCENES.items() for name, content in inner.items()}
    sources = Sources({**KINDS, "memory": lambda _uri: MemorySource(files)})
    reference = OrderRef(order_id=order.id)
    faults = await run(ValidationActivities(sessions, sources).validate_order, reference)
    assert faults.faults_total == 0
    await run(PlanningActivities(sessions).plan_suborders, reference)
    staged = await run(StagingActivities(sessions, sources).stage_files, first_of(order))
    publication = Publication(order_id=order.id, number=1, attempt=staged.attempt)
    result = await run(PublishingActivities(sessions).publish_suborder, publication)
    assert (result.state, result.available, result.failed) == (SubOrderState.READY, 3, 0)
    async with sessions.begin() as session:
        suborder = (await session.execute(orders.suborder(order.id, 1))).scalar_one()
        packed = [PackedFile(*row) for row in await session.execute(orders.packed_files(order.id, 1))]
    layout = layout_of(order.number, 1, packed)
    assert layout.etag == suborder.archive_etag
    with Blocks(layout, members_of(sources.at(suborder.location), packed)) as blocks:
        archive = b"".join(bytes(block) for block in iter(blocks.read, None))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in files} == files
    # Of the same size and instant, but with another ETag: never spliced into what was sealed.
    first = next(iter(files))
    files[first] = bytes(len(files[first]))
    with pytest.raises(Failed) as caught, Blocks(layout, members_of(sources.at(suborder.location), packed)) as blocks:
        b"".join(bytes(block) for block in iter(blocks.read, None))
    assert caught.value.failure.code is FailureCode.SOURCE_CHANGED


async def ordered_from(sessions: async_sessionmaker[AsyncSession], location: str, folder: Path) -> Order:
    """An order of a product whose files are at a location of another kind."""
    await add_product(sessions, folder, "scenes", SCENES)
    async with sessions.begin() as session:
        await session.execute(sa.update(Product).values(location=location))
        await session.execute(sa.update(CatalogueFile).values(modified_ns=INSTANT))
    return await add_order(sessions, {"scenes": "all"})
