"""Where ZIP64 begins: one byte below, at, and above every limit, on archives of zeros that nobody writes."""

import struct
import zipfile
from io import RawIOBase
from zlib import crc32

import pytest

from models.archive import Entry, FileSlice, Layout

MTIME = 1_750_000_001
GIB = 1024**3
FULL = 2**32 - 1


class Sparse(RawIOBase):
    """An archive of zeros as a file, without its bytes."""

    def __init__(self, layout: Layout) -> None:
        self._layout, self._at = layout, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = offset + (0, self._at, self._layout.total_bytes)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        total = self._layout.total_bytes
        stop = total if size < 0 else min(self._at + size, total)
        pieces = self._layout.segments(self._at, stop)
        self._at = stop
        return b"".join(bytes(p.length) if isinstance(p, FileSlice) else p for p in pieces)


SIZES = [0, 1, FULL - 1, FULL, FULL + 1, 5 * GIB]


@pytest.mark.parametrize("first", SIZES)
@pytest.mark.parametrize("second", SIZES)
def test_zip64_begins_where_it_must(first: int, second: int) -> None:
    entries = [Entry("o/a", first, 1, MTIME), Entry("o/b", second, 2, MTIME), Entry("o/c", 3, crc32(b"\0\0\0"), MTIME)]
    layout = Layout(entries)
    with zipfile.ZipFile(Sparse(layout)) as archive:
        infos = archive.infolist()
        assert [(i.filename, i.file_size, i.CRC) for i in infos] == [(e.name, e.size, e.crc32) for e in entries]
        assert archive.read("o/c") == b"\0\0\0"
        for index, info in enumerate(infos):
            far = info.header_offset >= FULL
            assert info.extract_version == (45 if info.file_size >= FULL or far else 20)
            check_local_header(layout, info, index)


def check_local_header(layout: Layout, info: zipfile.ZipInfo, index: int) -> None:
    file = Sparse(layout)
    file.seek(info.header_offset)
    header = file.read(layout.data_offset(index) - info.header_offset)
    fields = struct.unpack("<4s5H3L2H", header[:30])
    big = info.file_size >= FULL
    assert (fields[0], fields[1], fields[2], fields[6]) == (b"PK\3\4", 45 if big else 20, 0x800, info.CRC)
    assert fields[7] == fields[8] == (FULL if big else info.file_size)
    if big:
        extra = header[30 + fields[9] :]
        assert struct.unpack("<2H2Q", extra[:20]) == (1, 16, info.file_size, info.file_size)


@pytest.mark.parametrize("offset", [FULL - 1, FULL, FULL + 1])
def test_the_directory_may_begin_at_any_offset(offset: int) -> None:
    head = Layout([Entry("o/a", 1, 0, MTIME)]).data_offset(0)
    layout = Layout([Entry("o/a", offset - head, 0, MTIME)])
    assert layout.data_offset(0) + layout.size(0) == offset
    end = b"".join(p for p in layout.segments(layout.total_bytes - 100) if not isinstance(p, FileSlice))
    assert struct.unpack("<L", end[-6:-2])[0] == min(offset, FULL)
    assert (b"PK\6\6" in end) == (offset >= FULL)
    with zipfile.ZipFile(Sparse(layout)) as archive:
        assert archive.infolist()[0].file_size == offset - head


@pytest.mark.parametrize("offset", [FULL - 1, FULL, FULL + 1])
def test_a_file_may_begin_at_any_offset(offset: int) -> None:
    head = Layout([Entry("o/a", 1, 0, MTIME)]).data_offset(0)
    layout = Layout([Entry("o/a", offset - head, 0, MTIME), Entry("o/b", 3, crc32(b"\0\0\0"), MTIME)])
    with zipfile.ZipFile(Sparse(layout)) as archive:
        info = archive.getinfo("o/b")
        assert info.header_offset == offset
        assert info.extract_version == (45 if offset >= FULL else 20)
        assert archive.read(info) == b"\0\0\0"
