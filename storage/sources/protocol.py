"""What a place of bytes can do, and the one border where its errors become failures.

Everything here blocks and is meant for worker threads. An implementation raises nothing but `Failed`.
"""

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from models.errors import Failed, FailureCode


class FileVersion(NamedTuple):
    """What tells one content of a file from the next. Places without an ETag leave it out."""

    size: int
    mtime_ns: int
    etag: str | None = None


class Reader(Protocol):
    """An open file. Readers are used by one thread at a time and mostly from front to back."""

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer with what stands at `offset`; gives the bytes read, fewer only at the end of the file."""

    def version(self) -> FileVersion:
        """The version as it is now; a place that cannot ask again gives that of its last answer."""

    def close(self) -> None:
        """Give the handle back; closing twice is fine."""


class Source(Protocol):
    """A place where files live; an href names one of them."""

    def stat(self, href: str) -> FileVersion:
        """The present version of a file."""

    def open(self, href: str, expected: FileVersion | None = None) -> Reader:
        """Open a file; refused with `source_changed` where it is not the expected version (S3: If-Match)."""

    def read_whole(self, href: str, expected: FileVersion, buffer: memoryview) -> None:
        """Fill the buffer with all of a file; refused with `source_changed` where it was not the expected version.

        It takes as few steps as the place allows: what small files cost is steps, not bytes.
        """


_CODES: Mapping[int | None, FailureCode] = MappingProxyType(
    {
        errno.ENOENT: FailureCode.SOURCE_MISSING,
        errno.ENOTDIR: FailureCode.SOURCE_MISSING,
        errno.ENAMETOOLONG: FailureCode.SOURCE_MISSING,
        errno.EACCES: FailureCode.SOURCE_FORBIDDEN,
        errno.EPERM: FailureCode.SOURCE_FORBIDDEN,
        errno.ELOOP: FailureCode.SOURCE_FORBIDDEN,
        errno.ENXIO: FailureCode.SOURCE_FORBIDDEN,
        errno.EISDIR: FailureCode.SOURCE_FORBIDDEN,
        errno.ENOSPC: FailureCode.DISK_FULL,
        errno.EDQUOT: FailureCode.DISK_FULL,
        errno.EMFILE: FailureCode.TOO_MANY_OPEN_FILES,
        errno.ENFILE: FailureCode.TOO_MANY_OPEN_FILES,
        errno.ENOMEM: FailureCode.OUT_OF_MEMORY,
        errno.ETIMEDOUT: FailureCode.TIMED_OUT,
    }
)

_SENTENCES: Mapping[FailureCode, str] = MappingProxyType(
    {
        FailureCode.SOURCE_MISSING: "is not there",
        FailureCode.SOURCE_FORBIDDEN: "may not be read",
        FailureCode.DISK_FULL: "could not be handled: the disk is full",
        FailureCode.TOO_MANY_OPEN_FILES: "could not be opened: too many files are open",
        FailureCode.OUT_OF_MEMORY: "could not be read: memory is short",
        FailureCode.TIMED_OUT: "did not answer in time",
        FailureCode.SOURCE_UNAVAILABLE: "could not be read",
    }
)


def failed_by(error: OSError, href: str) -> Failed:
    """The failure that an operating system's error means; an unknown one is the storage's trouble and passes."""
    code = _CODES.get(error.errno, FailureCode.SOURCE_UNAVAILABLE)
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return Failed(code, f"{href} {_SENTENCES[code]} ({name})")


def check_version(href: str, expected: FileVersion, found: FileVersion) -> None:
    """Refuse a file that is no longer what was sealed or catalogued."""
    if found == expected:
        return
    grown = found.size != expected.size
    what = f"it had {expected.size} bytes and has {found.size}" if grown else "it was written to"
    raise Failed(FailureCode.SOURCE_CHANGED, f"{href} has changed: {what}")
