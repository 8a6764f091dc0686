"""Written archives: byte for byte the streamed ones, there whole or not at all."""

import os
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import pytest

from bench.writing import BUFFER_BYTES, WritingStopped, write_archive
from models.archive import Entry, Generated, Layout
from models.errors import Failed, FailureCode
from storage.archive.virtual import Blocks, Member, MemberFailed
from storage.sources.local import LocalSource

SIZES = [0, 10, BUFFER_BYTES, 3 * BUFFER_BYTES + 7, *[3_000] * 400]


class Sealed(NamedTuple):
    layout: Layout
    members: list[Member]
    path: Path

    def whole(self) -> bytes:
        with Blocks(self.layout, self.members) as blocks:
            return b"".join(bytes(block) for block in iter(blocks.read, None))

    def left(self) -> list[str]:
        return sorted(path.name for path in self.path.parent.iterdir())


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    (tmp_path / "files").mkdir()
    (tmp_path / "out").mkdir()
    contents = [os.urandom(size) for size in SIZES]
    for index, content in enumerate(contents):
        (tmp_path / "files" / str(index)).write_bytes(content)
    source = LocalSource(tmp_path / "files")
    entries = [Entry(f"o/{index}", len(c), crc32(c), 1_700_000_000) for index, c in enumerate(contents)]
    members = [Member(source, str(index), source.stat(str(index))) for index in range(len(SIZES))]
    return Sealed(Layout(entries, [Generated("manifest.json", b"{}")]), members, tmp_path / "out" / "a.zip")


def test_what_is_written_is_what_is_streamed(sealed: Sealed) -> None:
    counted: list[int] = []
    write_archive(sealed.layout, sealed.members, sealed.path, progress=counted.append)
    assert sealed.path.read_bytes() == sealed.whole()
    assert sum(counted) == sealed.layout.total_bytes
    assert sealed.left() == ["a.zip"]
    with zipfile.ZipFile(sealed.path) as archive:
        assert archive.testzip() is None


def test_many_small_files_are_written_as_well(sealed: Sealed) -> None:
    names = range(4, len(SIZES))
    entries = [Entry(f"s/{i}", SIZES[i], sealed.layout.crc32(i), 1_700_000_000) for i in names]
    small = sealed._replace(layout=Layout(entries), members=sealed.members[4:])
    write_archive(small.layout, small.members, small.path)
    assert small.path.read_bytes() == small.whole()


def test_writing_twice_is_writing_once(sealed: Sealed) -> None:
    for _ in range(2):
        write_archive(sealed.layout, sealed.members, sealed.path)
    assert sealed.path.read_bytes() == sealed.whole()


def test_what_a_killed_attempt_has_left_is_written_over(sealed: Sealed) -> None:
    sealed.path.with_name("a.zip.part").write_bytes(b"x" * (sealed.layout.total_bytes + 1000))
    write_archive(sealed.layout, sealed.members, sealed.path)
    assert sealed.path.read_bytes() == sealed.whole()
    assert sealed.left() == ["a.zip"]


@pytest.mark.parametrize("member", [1, 3, 200])
def test_a_source_that_changed_leaves_no_archive(sealed: Sealed, member: int) -> None:
    (sealed.path.parent.parent / "files" / str(member)).write_bytes(b"other")
    sealed.path.write_bytes(b"the one before")
    with pytest.raises(MemberFailed) as caught:
        write_archive(sealed.layout, sealed.members, sealed.path)
    assert (caught.value.member, caught.value.failure.code) == (member, FailureCode.SOURCE_CHANGED)
    assert sealed.path.read_bytes() == b"the one before"
    assert sealed.left() == ["a.zip"]


def test_a_full_disk_is_told_before_the_first_byte(sealed: Sealed) -> None:
    room = os.statvfs(sealed.path.parent)
    huge = Layout([Entry("o/huge", room.f_blocks * room.f_frsize * 2, 0, 0)])
    written: list[int] = []
    with pytest.raises(Failed, match="could not be written") as caught:
        write_archive(huge, sealed.members[:1], sealed.path, progress=written.append)
    assert caught.value.failure.code is FailureCode.DISK_FULL
    assert (written, sealed.left()) == ([], [])


def test_a_folder_that_is_away_is_a_failure(sealed: Sealed) -> None:
    with pytest.raises(Failed, match=r"a\.zip could not be written"):
        write_archive(sealed.layout, sealed.members, sealed.path.parent / "nowhere" / "a.zip")


def test_writing_stops_when_told_and_leaves_nothing(sealed: Sealed) -> None:
    written: list[int] = []
    with pytest.raises(WritingStopped):
        write_archive(
            sealed.layout,
            sealed.members,
            sealed.path,
            progress=written.append,
            cancelled=lambda: len(written) > 1,
        )
    assert len(written) == 2
    assert sealed.left() == []
    assert not any(thread.name == "archive-reader" for thread in threading.enumerate())


def test_two_that_write_the_same_archive_do_it_one_after_the_other(sealed: Sealed) -> None:
    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(write_archive, sealed.layout, sealed.members, sealed.path) for _ in range(4)]
        assert [write.result() for write in writes] == [None] * 4
    assert sealed.path.read_bytes() == sealed.whole()
    assert sealed.left() == ["a.zip"]
