"""Virtual archives: any range equals the written one, and a stream that cannot be right never ends cleanly."""

import asyncio
import os
import random
import zipfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest

from models.archive import Entry, Generated, Layout
from models.errors import FailureCode
from storage.archive.digest import Wanted, digest
from storage.archive.virtual import BLOCK_BYTES, Blocks, Member, MemberFailed, stream
from storage.bulkheads import Bulkhead
from storage.pool import Share, StoragePool
from storage.sources.local import LocalSource
from storage.sources.protocol import FileVersion, Reader, Source

SIZES = [0, 1, 10_000, 0, 3 * BLOCK_BYTES + 11, *[4_000] * 700, BLOCK_BYTES, 0]


class Sealed(NamedTuple):
    layout: Layout
    members: list[Member]
    root: Path


@pytest.fixture
def threads() -> Share:
    return StoragePool("downloads", 8).at(Bulkhead("scenes"))


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    for index, size in enumerate(SIZES):
        (tmp_path / str(index)).write_bytes(os.urandom(size))
    source = LocalSource(tmp_path)
    wanted = [Wanted(str(index), source.stat(str(index))) for index in range(len(SIZES))]
    found = [
        digest(source, w.href, expected=w.expected, progress=lambda _: None, cancelled=lambda: False) for w in wanted
    ]
    entries = [
        Entry(f"o/{w.href}", d.size, d.crc32, 1_700_000_000, d.sha256) for w, d in zip(wanted, found, strict=True)
    ]
    layout = Layout(entries, [Generated("manifest.json", b"{}" * BLOCK_BYTES)])
    return Sealed(layout, [Member(source, w.href, w.expected) for w in wanted], tmp_path)


async def joined(blocks: AsyncIterator[memoryview]) -> bytes:
    """What a client gets; all blocks are kept until the end, as a slow one would."""
    return b"".join([block async for block in blocks])


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def failure_of(sealed: Sealed, threads: Share, start: int = 0) -> MemberFailed:
    with pytest.raises(MemberFailed) as caught:
        await joined(stream(sealed.layout, sealed.members, threads, start))
    return caught.value


async def test_the_stream_is_the_archive(sealed: Sealed, threads: Share) -> None:
    before = open_files()
    whole = await joined(stream(sealed.layout, sealed.members, threads))
    assert len(whole) == sealed.layout.total_bytes
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert archive.read("o/2") == (sealed.root / "2").read_bytes()
    assert open_files() == before


async def test_any_range_is_a_slice_of_the_whole(sealed: Sealed, threads: Share) -> None:
    whole = await joined(stream(sealed.layout, sealed.members, threads))
    chance = random.Random(4)
    edges = [0, 1, sealed.layout.data_offset(4), sealed.layout.data_offset(5), len(whole) - 1, len(whole)]
    for _ in range(60):
        start, stop = sorted([chance.choice([*edges, chance.randrange(len(whole))]), chance.randrange(len(whole))])
        assert await joined(stream(sealed.layout, sealed.members, threads, start, stop)) == whole[start:stop]


async def test_blocks_are_large_and_buffers_are_used_again(sealed: Sealed) -> None:
    sizes, buffers = [], set()
    with Blocks(sealed.layout, sealed.members) as blocks:
        while (block := blocks.read()) is not None:
            sizes.append(len(block))
            buffers.add(id(block.obj))
            del block
        assert blocks.read() is None
    assert set(sizes[:-1]) == {BLOCK_BYTES}
    assert len(buffers) == 1


class CountingReader:
    """Counts what is read, and passes it all on to the true reader."""

    def __init__(self, reader: Reader, counts: list[int]) -> None:
        self._reader, self._counts = reader, counts
        self.version, self.close = reader.version, reader.close

    def read_into(self, buffer: memoryview, offset: int) -> int:
        self._counts.append(len(buffer))
        return self._reader.read_into(buffer, offset)


class CountingSource:
    """A storage that counts the bytes read from it."""

    def __init__(self, source: Source) -> None:
        self._source, self.stat, self.check_available = source, source.stat, source.check_available
        self.counts: list[int] = []

    def open(self, href: str, expected: FileVersion | None = None) -> Reader:
        return CountingReader(self._source.open(href, expected), self.counts)

    def read_whole(self, href: str, expected: FileVersion, buffer: memoryview) -> None:
        self.counts.append(len(buffer))
        self._source.read_whole(href, expected, buffer)


async def test_a_slow_client_is_read_for_one_block_ahead_and_no_more(sealed: Sealed, threads: Share) -> None:
    source = CountingSource(sealed.members[0].source)
    members = [member._replace(source=source) for member in sealed.members]
    async with aclosing(stream(sealed.layout, members, threads)) as blocks:
        for taken in (1, 2):
            await anext(blocks)
            await asyncio.sleep(0.05)
            assert taken * BLOCK_BYTES < sum(source.counts) <= (taken + 1) * BLOCK_BYTES


@pytest.mark.parametrize("href", ["0", "2", "4", "500"])
async def test_a_source_that_changed_since_it_was_sealed_breaks_the_stream(
    sealed: Sealed, threads: Share, href: str
) -> None:
    (sealed.root / href).write_bytes(b"other")
    failed = await failure_of(sealed, threads)
    assert failed.failure.code is FailureCode.SOURCE_CHANGED
    assert failed.member == int(href)


async def test_a_missing_source_breaks_the_stream(sealed: Sealed, threads: Share) -> None:
    (sealed.root / "4").unlink()
    assert (await failure_of(sealed, threads)).failure.code is FailureCode.SOURCE_MISSING


async def test_bytes_that_changed_under_the_same_version_break_the_stream(sealed: Sealed, threads: Share) -> None:
    path = sealed.root / "4"
    version = sealed.members[4].version
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(version.modified_ns, version.modified_ns))
    failed = await failure_of(sealed, threads)
    assert (failed.member, failed.failure.code) == (4, FailureCode.CHECKSUM_MISMATCH)


async def test_a_source_that_changes_under_way_breaks_the_stream_before_the_doubtful_bytes(
    sealed: Sealed, threads: Share
) -> None:
    original = (sealed.root / "4").read_bytes()
    seen = bytearray()

    async def download() -> None:
        async for block in stream(sealed.layout, sealed.members, threads, sealed.layout.data_offset(4) + 1):
            if not seen:
                with (sealed.root / "4").open("r+b") as file:
                    file.write(bytes(len(original)))
                os.utime(sealed.root / "4", ns=(1, 1))
            seen.extend(block)

    with pytest.raises(MemberFailed):
        await download()
    assert original[1:].startswith(seen)


async def test_a_client_that_goes_away_leaves_no_file_open(sealed: Sealed, threads: Share) -> None:
    before = open_files()
    for _ in range(20):
        async with aclosing(stream(sealed.layout, sealed.members, threads, 100_000)) as blocks:
            await anext(blocks)
    task = asyncio.create_task(joined(stream(sealed.layout, sealed.members, threads)))
    await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(30):  # what was being read ahead is closed when it is over
        while open_files() != before:  # noqa: ASYNC110 - a thread's work
            await asyncio.sleep(0.001)


async def test_the_event_loop_stays_free(sealed: Sealed, threads: Share) -> None:
    async def ticks() -> float:
        worst, loop = 0.0, asyncio.get_running_loop()
        while not done.is_set():
            before = loop.time()
            await asyncio.sleep(0)
            worst = max(worst, loop.time() - before)
        return worst

    done = asyncio.Event()
    watching = asyncio.create_task(ticks())
    await asyncio.gather(*(joined(stream(sealed.layout, sealed.members, threads)) for _ in range(2)))
    done.set()
    assert await watching < 0.5
