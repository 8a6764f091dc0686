"""The archive of a sub-order as a pure function: its length, ETag and every byte range without its being written.

Made for a million members: columns of numbers and one blob of names, no object for each file; the directory at the
end is made in batches when somebody asks for it and never held.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from models import zip_format

LAYOUT_VERSION: Final = b"consignor-archive-1"
"""Part of the ETag: raise it whenever the same entries would give other bytes."""

_BATCH: Final = 1024
_SEAL: Final = Struct("<HQIQB")


class Entry(NamedTuple):
    """A file in an archive: its clean and unique name (`models.naming`) and what sealing learnt of it.

    `mtime` is in whole seconds since 1970, UTC; `sha256` the 32 raw bytes, or empty where unknown.
    """

    name: str
    size: int
    crc32: int
    mtime: int
    sha256: bytes = b""


class Generated(NamedTuple):
    """A member that has no source: its bytes are part of the layout. A folder's name ends in `/`, and it has none."""

    name: str
    content: bytes


class FileSlice(NamedTuple):
    """A stretch of a member's own bytes; `length` is 0 for an empty file, so that its source is looked at too."""

    member: int
    offset: int
    length: int


class Layout:
    """Where everything of one archive lies. Members are numbered as they came, files first, then generated ones."""

    __slots__ = (
        "_crcs", "_directory_offset", "_end", "_literals", "_marks", "_name_ends", "_names", "_offsets",
        "_seconds", "_sizes", "etag", "file_count", "total_bytes",
    )  # fmt: skip

    def __init__(self, entries: Iterable[Entry], generated: Iterable[Generated] = ()) -> None:
        self._names, self._name_ends = bytearray(), array("Q", [0])
        self._offsets, self._sizes = array("Q"), array("Q")
        self._crcs, self._seconds = array("I"), array("I")
        self._marks = array("Q")
        self._literals: dict[int, bytes] = {}
        seal = sha256(LAYOUT_VERSION)
        offset, directory, newest = self._lay(entries, seal.update, 0, 0)
        self.file_count = len(self._sizes)
        members = list(self._described(generated, newest))
        self._directory_offset, directory, _ = self._lay(members, seal.update, offset, directory)
        self._marks.append(directory)
        self._end = zip_format.end_of_archive(len(self._sizes), directory, self._directory_offset)
        self.total_bytes = self._directory_offset + directory + len(self._end)
        self.etag = f'"{seal.hexdigest()[:40]}"'

    def _lay(
        self, entries: Iterable[Entry], seal: Callable[[bytes], None], offset: int, directory: int
    ) -> tuple[int, int, int]:
        """Put entries behind each other; gives where the next one and its record go, and the newest time."""
        names, newest, before = self._names, 0, self._sizes[-1] if self._sizes else 0
        for name, size, crc, mtime, digest in entries:
            raw = name.encode()
            length = len(raw)
            if not 0 < length <= zip_format.MAX_NAME_BYTES:
                raise ValueError(f"a name of {length} bytes does not fit into an archive")
            seconds = zip_format.seconds_since_1980(mtime)
            newest = max(newest, mtime)
            if len(self._sizes) % _BATCH == 0:
                self._marks.append(directory)
            seal(_SEAL.pack(length, size, crc, seconds, len(digest)) + raw + digest)
            names += raw
            self._name_ends.append(len(names))
            self._offsets.append(offset)
            self._sizes.append(size)
            self._crcs.append(crc)
            self._seconds.append(seconds)
            directory += zip_format.central_header_size(length, size, seconds, offset, before)
            offset += zip_format.local_header_size(length, size, seconds) + size
            before = size
        return offset, directory, newest

    def _described(self, generated: Iterable[Generated], mtime: int) -> Iterator[Entry]:
        """Generated members as entries, as old as the newest file: no clock may change the bytes."""
        for index, (name, content) in enumerate(generated, self.file_count):
            self._literals[index] = content
            yield Entry(name, len(content), crc32(content), mtime, sha256(content).digest())

    def __len__(self) -> int:
        return len(self._sizes)

    def name(self, index: int) -> str:
        """The name of a member."""
        return self._raw_name(index).decode()

    def size(self, index: int) -> int:
        """The size of a member's own bytes."""
        return self._sizes[index]

    def crc32(self, index: int) -> int:
        """The CRC-32 of a member's own bytes."""
        return self._crcs[index]

    def data_offset(self, index: int) -> int:
        """Where in the archive a member's own bytes begin; they lie there in one piece."""
        length = self._name_ends[index + 1] - self._name_ends[index]
        header = zip_format.local_header_size(length, self._sizes[index], self._seconds[index])
        return self._offsets[index] + header

    def segments(self, start: int = 0, stop: int | None = None) -> Iterator[bytes | FileSlice]:
        """The pieces of the bytes from `start` up to, not including, `stop`, in order."""
        stop = self.total_bytes if stop is None else stop
        if not 0 <= start <= stop <= self.total_bytes:
            raise ValueError(f"bytes {start} to {stop} are not within {self.total_bytes}")
        if start < min(stop, self._directory_offset):
            yield from self._members(start, min(stop, self._directory_offset))
        base = self._directory_offset
        directory = self._marks[-1]
        yield from self._directory(max(start - base, 0), min(stop - base, directory))
        end = base + directory
        if stop > max(start, end):
            yield self._end[max(start - end, 0) : stop - end]

    def _members(self, start: int, stop: int) -> Iterator[bytes | FileSlice]:
        """The headers and contents of members that lie in the range."""
        offsets, sizes = self._offsets, self._sizes
        index = bisect_right(offsets, start) - 1
        while index < len(offsets) and (at := offsets[index]) < stop:
            size = sizes[index]
            header = zip_format.local_header(self._raw_name(index), size, self._crcs[index], self._seconds[index])
            data = at + len(header)
            if start < data:
                yield header if start <= at and data <= stop else header[max(start - at, 0) : stop - at]
            first, last = max(start - data, 0), min(stop - data, size)
            if index in self._literals:
                if first < last:
                    yield self._literals[index][first:last]
            elif first < last or (not size and data <= stop):
                yield FileSlice(index, first, last - first)
            index += 1

    def _directory(self, start: int, stop: int) -> Iterator[bytes]:
        """Directory records in the range, a batch at a time; positions count from the directory's beginning."""
        marks = self._marks
        batch = bisect_right(marks, start) - 1
        while start < stop and batch < len(marks) - 1 and marks[batch] < stop:
            members = range(batch * _BATCH, min((batch + 1) * _BATCH, len(self._sizes)))
            block = b"".join(map(self._record, members))
            yield block[max(start - marks[batch], 0) : stop - marks[batch]]
            batch += 1

    def _record(self, index: int) -> bytes:
        sizes = self._sizes
        before = sizes[index - 1] if index else 0
        name, crc, seconds = self._raw_name(index), self._crcs[index], self._seconds[index]
        return zip_format.central_header(name, sizes[index], crc, seconds, self._offsets[index], before)

    def _raw_name(self, index: int) -> bytes:
        return bytes(self._names[self._name_ends[index] : self._name_ends[index + 1]])
