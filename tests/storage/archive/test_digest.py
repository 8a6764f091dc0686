"""Sealing: one read gives both checksums, refuses what changes meanwhile, and stops when told."""

import os
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import pytest

from models.errors import Failed, FailureCode
from models.pieces import piece_length
from storage.archive.digest import BUFFER_BYTES, Digest, DigestStopped, Wanted, digest, digests
from storage.sources.local import LocalReader, LocalSource
from storage.sources.protocol import FileVersion

MIB = 1024**2
SIZES = [0, 1, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 1, 9 * BUFFER_BYTES + 17]


def ignore(_: int) -> None:
    pass


def never() -> bool:
    return False


def put(root: Path, href: str, size: int) -> Digest:
    content = os.urandom(size)
    (root / href).write_bytes(content)
    return Digest(size, crc32(content), sha256(content).digest())


class Touchy(LocalSource):
    """A storage where something happens after each read."""

    def __init__(self, root: Path, happens: Callable[[], object]) -> None:
        super().__init__(root)
        self._happens = happens

    def _reader(self, href: str) -> LocalReader:
        reader = super()._reader(href)
        happens = self._happens

        class Reader(LocalReader):
            def read_into(self, buffer: memoryview, offset: int) -> int:
                count = super().read_into(buffer, offset)
                happens()
                return count

        touchy = Reader(os.dup(reader._descriptor), href)
        reader.close()
        return touchy


@pytest.mark.parametrize("size", SIZES)
def test_both_checksums_are_right_at_any_size(tmp_path: Path, size: int) -> None:
    known = put(tmp_path, "file", size)
    source = LocalSource(tmp_path)
    read: list[int] = []
    found = digest(source, "file", expected=source.stat("file"), progress=read.append, cancelled=never)
    assert found == known
    assert sum(read) == size


@pytest.mark.parametrize("size", [64 * MIB - 1, 64 * MIB, 64 * MIB + 17])
def test_a_large_file_has_the_hash_of_each_piece_if_these_are_wanted(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"begins")
    os.truncate(path, size)
    source = LocalSource(tmp_path)
    wanted = [Wanted("file", source.stat("file"))] * 2
    first, second = (d for d in digests(source, wanted, progress=ignore, cancelled=never, pieces=True))
    assert isinstance(first, Digest)
    assert first == second
    length = piece_length(size)
    if length is None:
        assert first.pieces is None
        return
    content = path.read_bytes()
    parts = [sha256(content[at : at + length]).digest() for at in range(0, size, length)]
    assert (first.sha256, first.pieces and first.pieces.each) == (sha256(content).digest(), parts)
    assert digest(source, "file", expected=wanted[0].expected, progress=ignore, cancelled=never).pieces is None


def test_many_files_are_read_in_order_and_a_bad_one_stops_no_other(tmp_path: Path) -> None:
    known = [put(tmp_path, str(index), size) for index, size in enumerate(SIZES * 3)]
    source = LocalSource(tmp_path)
    wanted = [Wanted(str(index), source.stat(str(index))) for index in range(len(known))]
    wanted[4:4] = [Wanted("missing", FileVersion.dated(1, 1)), Wanted("0", FileVersion.dated(1, 1))]
    found = list(digests(source, wanted, progress=ignore, cancelled=never))
    codes = [f.failure.code for f in found if isinstance(f, Failed)]
    assert codes == [FailureCode.SOURCE_MISSING, FailureCode.SOURCE_CHANGED]
    assert [f for f in found if isinstance(f, Digest)] == known


@pytest.mark.parametrize("size", [10, 3 * BUFFER_BYTES])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, size: int) -> None:
    put(tmp_path, "file", size)
    path = tmp_path / "file"
    changes: list[Callable[[], object]] = [
        lambda: os.utime(path, ns=(1, 1)),
        lambda: os.truncate(path, size + 1),
        lambda: os.truncate(path, size - 1),
    ]
    for change in changes:
        os.truncate(path, size)
        source = Touchy(tmp_path, change)
        with pytest.raises(Failed) as caught:
            digest(source, "file", expected=LocalSource(tmp_path).stat("file"), progress=ignore, cancelled=never)
        assert caught.value.failure.code is FailureCode.SOURCE_CHANGED


def test_a_file_that_changed_before_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, "file", 10)
    read: list[int] = []
    with pytest.raises(Failed) as caught:
        digest(LocalSource(tmp_path), "file", expected=FileVersion.dated(9, 0), progress=read.append, cancelled=never)
    assert caught.value.failure.code is FailureCode.SOURCE_CHANGED
    assert read == []


@pytest.mark.parametrize("size", [10, 100 * BUFFER_BYTES])
def test_it_stops_within_a_buffer_and_leaves_no_thread_behind(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").touch()
    os.truncate(tmp_path / "file", size)
    source = LocalSource(tmp_path)
    before = threading.active_count()
    read: list[int] = []
    with pytest.raises(DigestStopped):
        digest(
            source,
            "file",
            expected=source.stat("file"),
            progress=read.append,
            cancelled=lambda: len(read) >= size // 10**6,
        )
    assert len(read) == size // 10**6
    assert threading.active_count() <= before


def test_a_batch_that_nobody_finishes_leaves_no_thread_behind(tmp_path: Path) -> None:
    put(tmp_path, "file", 3 * BUFFER_BYTES)
    source = LocalSource(tmp_path)
    before = threading.active_count()
    batch = digests(source, [Wanted("file", source.stat("file"))] * 2, progress=ignore, cancelled=never)
    assert isinstance(next(batch), Digest)
    assert threading.active_count() == before + 1
    del batch
    assert threading.active_count() <= before


def test_after_a_failed_large_file_the_next_one_is_right(tmp_path: Path) -> None:
    put(tmp_path, "bad", 3 * BUFFER_BYTES)
    known = put(tmp_path, "good", 7 * BUFFER_BYTES)
    source = LocalSource(tmp_path)
    bad, good = source.stat("bad"), source.stat("good")
    reads = iter([None] * 2)

    def cut_once() -> None:
        if next(reads, "done") is None:
            os.truncate(tmp_path / "bad", BUFFER_BYTES)

    wanted = [Wanted("bad", bad), Wanted("good", good), Wanted("good", good)]
    found = list(digests(Touchy(tmp_path, cut_once), wanted, progress=ignore, cancelled=never))
    assert isinstance(found[0], Failed)
    assert found[1:] == [known, known]
