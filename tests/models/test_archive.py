"""The layout of archives, against readers that know nothing of it: Python's zipfile and Info-ZIP's unzip."""

import struct
import subprocess
import zipfile
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.archive import Entry, FileSlice, Generated, Layout
from models.naming import entry_names
from tests.tools import tool

MTIME = 1_750_000_001
GIB = 1024**3
FULL = 2**32 - 1

NAMES = st.lists(st.tuples(st.text(max_size=3), st.text(min_size=1, max_size=12)), max_size=12).map(entry_names)
CONTENTS = st.binary(max_size=200)


def entry(name: str, content: bytes, mtime: int = MTIME) -> Entry:
    return Entry(name, len(content), crc32(content), mtime)


def written(layout: Layout, contents: list[bytes], start: int = 0, stop: int | None = None) -> bytes:
    out = BytesIO()
    for piece in layout.segments(start, stop):
        if isinstance(piece, FileSlice):
            part = contents[piece.member][piece.offset : piece.offset + piece.length]
            assert len(part) == piece.length
            out.write(part)
        else:
            assert piece
            out.write(piece)
    return out.getvalue()


def unzip(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([tool("unzip"), *arguments], capture_output=True, check=False)


@given(NAMES, st.data())
def test_zipfile_reads_what_was_laid_out(names: list[str], data: st.DataObject) -> None:
    contents = [data.draw(CONTENTS) for _ in names]
    mtimes = [data.draw(st.integers(-(2**40), 2**40)) for _ in names]
    layout = Layout(map(entry, names, contents, mtimes), [Generated("NOTICE.txt", b"missing")])
    whole = written(layout, contents)
    assert len(whole) == layout.total_bytes
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        assert archive.namelist() == [*names, "NOTICE.txt"]
        assert [archive.read(name) for name in archive.namelist()] == [*contents, b"missing"]
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}
        assert not any(info.flag_bits & 8 for info in archive.infolist())


@given(NAMES, st.data())
def test_every_range_is_a_slice_of_the_whole(names: list[str], data: st.DataObject) -> None:
    contents = [data.draw(CONTENTS) for _ in names]
    layout = Layout(map(entry, names, contents), [Generated("manifest.json", b"{}")])
    whole = written(layout, contents)
    for _ in range(5):
        start = data.draw(st.integers(0, len(whole)))
        stop = data.draw(st.integers(start, len(whole)))
        assert written(layout, contents, start, stop) == whole[start:stop]
    for index, content in enumerate(contents):
        at = layout.data_offset(index)
        assert whole[at : at + layout.size(index)] == content


def test_ranges_join_over_the_batches_of_the_directory() -> None:
    layout = Layout(Entry(f"o/{index}", 0, 0, MTIME) for index in range(3_000))
    whole = written(layout, [b""] * 3_000)
    size = len(whole)
    steps = [*range(0, size, 997), size]
    parts = [written(layout, [b""] * 3_000, *pair) for pair in pairwise(steps)]
    assert b"".join(parts) == whole


def test_a_range_outside_the_archive_is_refused() -> None:
    layout = Layout([])
    for start, stop in [(-1, 0), (0, layout.total_bytes + 1), (2, 1)]:
        with pytest.raises(ValueError, match="not within"):
            list(layout.segments(start, stop))


def test_unzip_finds_no_fault(tmp_path: Path) -> None:
    names = entry_names([("objet é", "naïve.tif"), ("o", "leer"), ("o", "tief/er/x.xml"), ("-rf", "~")])
    contents = [b"a" * 70_000, b"", b"<x/>", b"."]
    layout = Layout(map(entry, names, contents), [Generated("SHA256SUMS", b"")])
    (tmp_path / "a.zip").write_bytes(written(layout, contents))
    done = unzip("-t", str(tmp_path / "a.zip"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_empty_archive_is_still_an_archive() -> None:
    with zipfile.ZipFile(BytesIO(written(Layout([]), []))) as archive:
        assert archive.namelist() == []


def test_an_empty_file_is_looked_at_as_well() -> None:
    layout = Layout([Entry("o/empty", 0, 0, MTIME)])
    assert FileSlice(0, 0, 0) in list(layout.segments())


def test_the_etag_knows_every_detail() -> None:
    base = Entry("o/a", 3, 7, MTIME, b"s" * 32)
    others = [
        base._replace(name="o/b"), base._replace(size=4), base._replace(crc32=8),
        base._replace(mtime=MTIME + 1), base._replace(sha256=b"t" * 32), base._replace(sha256=b""),
    ]  # fmt: skip
    layouts = [Layout([e]) for e in [base, *others]] + [Layout([base], [Generated("x", c)]) for c in (b"1", b"2")]
    etags = {layout.etag for layout in layouts}
    assert len(etags) == len(layouts)
    assert Layout([base]).etag in etags
    assert all(etag[0] == etag[-1] == '"' for etag in etags)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), (2024, 2, 29, 23, 59, 58)),
        (datetime(1970, 1, 1, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(2050, 7, 1, 12, 30, 2, tzinfo=UTC), (2050, 7, 1, 12, 30, 2)),
        (datetime(2500, 1, 1, tzinfo=UTC), (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_times_are_utc_and_clamped(moment: datetime, shown: tuple[int, ...]) -> None:
    layout = Layout([Entry("o/a", 0, 0, int(moment.timestamp()))])
    with zipfile.ZipFile(BytesIO(written(layout, [b""]))) as archive:
        (info,) = archive.infolist()
        assert info.date_time == shown
        stamped = info.extra[:5] == b"UT\5\0\1"
        assert stamped == (moment.year < 2038)
        assert not stamped or struct.unpack("<l", info.extra[5:9])[0] == max(int(moment.timestamp()), 315_532_800)


@pytest.mark.parametrize("count", [65_534, 65_535, 65_536])
def test_any_number_of_files_is_read_back(count: int, tmp_path: Path) -> None:
    layout = Layout(Entry(f"o/{index}", 0, 0, MTIME) for index in range(count))
    whole = written(layout, [b""] * count)
    assert len(whole) == layout.total_bytes
    assert (whole[-42:-38] == b"PK\6\7") == (count >= 65_535)
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        assert len(archive.infolist()) == count
    (tmp_path / "a.zip").write_bytes(whole)
    done = unzip("-Z1", str(tmp_path / "a.zip"))
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == count


@pytest.mark.parametrize("size", [FULL - 1, FULL, FULL + 1, 5 * GIB])
def test_unzip_reads_what_lies_behind_a_file_of(size: int, tmp_path: Path) -> None:
    far = [Entry(f"o/far{index}", 3, crc32(b"far"), MTIME) for index in range(3)]
    layout = Layout([Entry("o/big", size, 0, MTIME), *far], [Generated("NOTICE.txt", b"far")])
    with (tmp_path / "a.zip").open("wb") as file:
        for piece in layout.segments():
            if isinstance(piece, FileSlice) and piece.member == 0:
                file.seek(piece.length, 1)
            else:
                file.write(b"far" if isinstance(piece, FileSlice) else piece)
        assert file.tell() == layout.total_bytes
    done = unzip("-p", str(tmp_path / "a.zip"), "o/far*", "NOTICE.txt")
    assert (done.returncode, done.stdout) == (0, b"far" * 4), done.stderr


def test_a_name_must_fit() -> None:
    for name in ("", "a" * 65_536, "\ud800"):
        with pytest.raises(ValueError, match=r"name|surrogates"):
            Layout([Entry(name, 0, 0, MTIME)])
