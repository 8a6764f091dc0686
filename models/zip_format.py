"""The bytes of a stored ZIP: local headers, directory records and the end of the archive, ZIP64 where it is needed.

Ours: no library knows the length, or any byte range, of an archive before it is written.

Sizes and CRC-32 stand in the local headers and nothing follows the data, for Java's ZipInputStream cannot read a
stored member that has a data descriptor. Times are UTC seconds since 1980, so that the bytes depend on no time zone.
"""

from datetime import date
from functools import lru_cache
from struct import Struct
from typing import Final

EPOCH_1980: Final = 315_532_800
LAST_SECOND: Final = 4_354_819_198 - EPOCH_1980
"""2107-12-31 23:59:58, the last instant a ZIP can express."""

MAX_NAME_BYTES: Final = 0xFFFF
_FULL_16: Final = 0xFFFF
_FULL_32: Final = 0xFFFF_FFFF
"""A field that holds this value means “look into the ZIP64 record”, so these very values need ZIP64 too."""

_LAST_STAMP: Final = 0x7FFF_FFFF - EPOCH_1980
_DAY: Final = 86_400
_FIRST_DAY: Final = date(1980, 1, 1).toordinal()

_LOCAL: Final = Struct("<4s5H3L2H")
_CENTRAL: Final = Struct("<4s6H3L5H2L")
_STAMP: Final = Struct("<2sHBl")
_END: Final = Struct("<4s4H2LH")
_END_64: Final = Struct("<4sQ2H2L4Q")
_LOCATOR: Final = Struct("<4sLQL")

_VERSION: Final = 20
_VERSION_64: Final = 45
_UNIX: Final = 3 << 8
_UTF8: Final = 0x0800
_REGULAR_0644: Final = 0o100644 << 16
_FOLDER_0755: Final = 0o040755 << 16 | 0x10
"""Unix mode above, and below it the attribute that says “directory” to DOS."""


def seconds_since_1980(mtime: int) -> int:
    """A Unix time as this format counts it, clamped to the years 1980 to 2107."""
    return min(max(mtime - EPOCH_1980, 0), LAST_SECOND)


@lru_cache(maxsize=4096)
def _times(seconds: int) -> tuple[int, int, bytes]:
    """Time and date in DOS's words, and the extended timestamp, for DOS counts in steps of two seconds.

    The timestamp is left out after 2038, where readers take its signed 32 bits for the year 1901.
    """
    days, rest = divmod(seconds, _DAY)
    day = date.fromordinal(_FIRST_DAY + days)
    stamp = _STAMP.pack(b"UT", 5, 1, seconds + EPOCH_1980) if seconds <= _LAST_STAMP else b""
    time = rest // 3600 << 11 | rest // 60 % 60 << 5 | rest % 60 // 2
    return time, (day.year - 1980) << 9 | day.month << 5 | day.day, stamp


def _zip64_extra(*values: int) -> bytes:
    """The ZIP64 extra field with exactly the values whose own fields are full, in the order the format demands."""
    if not values:
        return b""
    return Struct(f"<2H{len(values)}Q").pack(1, 8 * len(values), *values)


def local_header(name: bytes, size: int, crc32: int, seconds: int) -> bytes:
    """What stands before the data of a member."""
    big = size >= _FULL_32
    time, day, extra = _times(seconds)
    if big:
        extra = _zip64_extra(size, size) + extra
    shown = _FULL_32 if big else size
    need = _VERSION_64 if big else _VERSION
    head = _LOCAL.pack(
        b"PK\3\4", need, _UTF8, 0, time, day, crc32, shown, shown, len(name), len(extra)
    )  # fmt: skip
    return head + name + extra


def local_header_size(name_bytes: int, size: int, seconds: int) -> int:
    """The length of `local_header`, without making it."""
    stamp = _STAMP.size if seconds <= _LAST_STAMP else 0
    return _LOCAL.size + name_bytes + stamp + (20 if size >= _FULL_32 else 0)


def central_header(name: bytes, size: int, crc32: int, seconds: int, offset: int, before: int) -> bytes:
    """The record of a member in the directory; `before` is the size of the member whose record stands before it."""
    big, far = _needs_zip64(size, offset, before)
    time, day, extra = _times(seconds)
    if big or far:
        extra = _zip64_extra(*([size, size] if big else []), *([offset] if far else [])) + extra
    shown = _FULL_32 if big else size
    need = _VERSION_64 if big or far else _VERSION
    head = _CENTRAL.pack(
        b"PK\1\2", _UNIX | need, need, _UTF8, 0, time, day, crc32, shown, shown,
        len(name), len(extra), 0, 0, 0, _FOLDER_0755 if name.endswith(b"/") else _REGULAR_0644,
        _FULL_32 if far else offset,
    )  # fmt: skip
    return head + name + extra


def central_header_size(name_bytes: int, size: int, seconds: int, offset: int, before: int) -> int:
    """The length of `central_header`, without making it."""
    stamp = _STAMP.size if seconds <= _LAST_STAMP else 0
    big, far = _needs_zip64(size, offset, before)
    zip64 = 4 + 16 * big + 8 * far if big or far else 0
    return _CENTRAL.size + name_bytes + stamp + zip64


def _needs_zip64(size: int, offset: int, before: int) -> tuple[bool, bool]:
    """Whether a record's sizes and its offset go into the ZIP64 extra field.

    unzip 6.0 still thinks of a size of exactly 2^32 - 1 when it reads the next record's extra field and looks for
    sizes there, so they are put there.
    """
    far = offset >= _FULL_32
    return size >= _FULL_32 or (far and before == _FULL_32), far


def end_of_archive(count: int, directory_bytes: int, directory_offset: int) -> bytes:
    """What closes the archive; with the ZIP64 record and locator where a plain field would be full."""
    entries = min(count, _FULL_16)
    size, offset = min(directory_bytes, _FULL_32), min(directory_offset, _FULL_32)
    end = _END.pack(b"PK\5\6", 0, 0, entries, entries, size, offset, 0)
    if entries < _FULL_16 and size < _FULL_32 and offset < _FULL_32:
        return end
    where = directory_offset + directory_bytes
    need = _VERSION_64
    record = _END_64.pack(
        b"PK\6\6",
        _END_64.size - 12,
        _UNIX | need,
        need,
        0,
        0,
        count,
        count,
        directory_bytes,
        directory_offset,
    )
    return record + _LOCATOR.pack(b"PK\6\7", 0, where, 1) + end
