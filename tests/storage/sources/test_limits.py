"""Archives across the limits of ZIP, of files that are all hole: against zipfile and unzip, and range by range."""

import subprocess
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from models.archive import Entry, FileSlice, Generated, Layout
from models.naming import entry_names
from storage.archive.virtual import Blocks, Member
from storage.sources.local import LocalSource
from tests.tools import tool

FULL = 2**32 - 1
NEAR = 300
"""Bytes around a seam: longer than any header here."""

SIZES = st.one_of(st.integers(0, 3_000), st.sampled_from([FULL - 1, FULL, FULL + 1, FULL // 2, 5 * 1024**3]))
NAMES = st.tuples(st.text(max_size=5), st.text(min_size=1, max_size=60))


@cache
def zeros(size: int) -> int:
    """The CRC-32 of so many zeros; of large files nothing is read here, so theirs may be anything."""
    return crc32(bytes(size)) if size <= 3_000 else 7


def written(layout: Layout, path: Path) -> None:
    """The archive as a file, whose members are holes in it."""
    with path.open("wb") as file:
        for piece in layout.segments():
            if isinstance(piece, FileSlice):
                file.seek(piece.length, 1)
            else:
                file.write(piece)
        assert file.tell() == layout.total_bytes


def listed(archive: Path) -> list[str]:
    """What `unzip` lists."""
    done = subprocess.run([tool("unzip"), "-Z1", str(archive)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode(errors="replace").splitlines()


def slices(path: Path, start: int, stop: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(stop - start)


@settings(max_examples=40)
@given(st.lists(st.tuples(NAMES, SIZES), max_size=8), st.data())
def test_any_names_and_sizes_are_read_back_and_cut_anywhere(
    files: list[tuple[tuple[str, str], int]], data: st.DataObject
) -> None:
    names, sizes = entry_names(name for name, _ in files), [size for _, size in files]
    entries = [Entry(name, size, zeros(size), 1_750_000_000) for name, size in zip(names, sizes, strict=True)]
    layout = Layout(entries, [Generated("manifest.json", b"{}\n")])
    with TemporaryDirectory() as folder:
        root = Path(folder)
        written(layout, root / "a.zip")
        with zipfile.ZipFile(root / "a.zip") as archive:
            assert archive.namelist() == [*names, "manifest.json"]
            assert [info.file_size for info in archive.infolist()] == [*sizes, 3]
            assert archive.read("manifest.json") == b"{}\n"
            assert all(archive.read(n) == bytes(s) for n, s in zip(names, sizes, strict=True) if s <= 3_000)
        assert len(listed(root / "a.zip")) == len(names) + 1
        members = sparse(root / "files", sizes)
        for start, stop in seams(layout, data):
            with Blocks(layout, members, start, stop) as blocks:
                found = b"".join(bytes(block) for block in iter(blocks.read, None))
            assert found == slices(root / "a.zip", start, stop)


def sparse(folder: Path, sizes: list[int]) -> list[Member]:
    """Files that are all hole."""
    folder.mkdir()
    for index, size in enumerate(sizes):
        with (folder / str(index)).open("wb") as file:
            file.truncate(size)
    source = LocalSource(folder)
    return [Member(source, str(index), source.stat(str(index))) for index in range(len(sizes))]


def seams(layout: Layout, data: st.DataObject) -> list[tuple[int, int]]:
    """Ranges over the seams of an archive, where pieces meet, and one anywhere."""
    total = layout.total_bytes
    marks = [0, total, *(layout.data_offset(i) for i in range(len(layout)))]
    marks += [layout.data_offset(i) + layout.size(i) for i in range(len(layout))]
    ranges = []
    for mark in (*marks, data.draw(st.integers(0, total))):
        start = max(mark - data.draw(st.integers(0, NEAR)), 0)
        ranges.append((start, min(mark + data.draw(st.integers(0, NEAR)), total)))
    return ranges


@settings(max_examples=3)
@given(st.integers(65_530, 65_540), st.sampled_from([0, FULL]))
def test_any_count_of_files_is_listed_behind_a_file_of_any_size(count: int, size: int) -> None:
    big = [Entry("o/big", size, zeros(size), 0)]
    layout = Layout([*big, *(Entry(f"o/{i}", 0, 0, 0) for i in range(count - 1))])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.zip"
        written(layout, path)
        with zipfile.ZipFile(path) as archive:
            assert len(archive.infolist()) == count
        assert len(listed(path)) == count
