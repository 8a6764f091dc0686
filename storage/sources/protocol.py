"""The protocol of a source of files, and the one border where its errors become failures.

Everything here blocks and is meant for worker threads. An implementation raises nothing but `Failed`.
"""

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol, Self

from models.errors import Failed, FailureCode
from models.instants import kept_ns


class FileVersion(NamedTuple):
    """The version of a file: its size and a fingerprint that changes with the content.

    A fingerprint is opaque and only ever compared. The database keeps it as an instant and, where the source has one,
    an ETag; `dated`, `modified_ns` and `etag` are the one place that knows how.
    """

    size: int
    fingerprint: str

    @classmethod
    def dated(cls, size: int, modified_ns: int, etag: str | None = None) -> Self:
        """Make a version of what a source says of a file, or of the columns that keep it."""
        modified_ns = kept_ns(modified_ns)
        return cls(size, str(modified_ns) if etag is None else f"{modified_ns} {etag}")

    @property
    def modified_ns(self) -> int:
        """The instant of the last change, in nanoseconds since 1970; zero where the source tells none."""
        return int(self.fingerprint.partition(" ")[0])

    @property
    def etag(self) -> str | None:
        """The ETag, where the source has one."""
        return self.fingerprint.partition(" ")[2] or None


class Reader(Protocol):
    """An open file. Readers are used by one thread at a time and mostly from front to back."""

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer with what stands at `offset`; gives the bytes read, fewer only at the end of the file."""

    def version(self) -> FileVersion:
        """The version as it is now; a source that cannot ask again gives that of its last answer."""

    def close(self) -> None:
        """Give the handle back; closing twice is fine."""


class Source(Protocol):
    """A location that holds files; an href names one of them."""

    def check_available(self) -> None:
        """Raise `source_unavailable` where the location itself cannot be reached, so no file counts as missing."""

    def stat(self, href: str) -> FileVersion:
        """The present version of a file."""

    def open(self, href: str, expected: FileVersion | None = None) -> Reader:
        """Open a file; refused with `source_changed` where it is not the expected version (S3: If-Match)."""

    def read_whole(self, href: str, expected: FileVersion, buffer: memoryview) -> None:
        """Fill the buffer with all of a file; refused with `source_changed` where it was not the expected version.

        It takes as few round trips as the source allows: small files cost round trips, not bytes.
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
    """Return the failure that an operating system's error means; an unknown error is retryable."""
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


def written_to(name: str) -> Failed:
    """Return the failure of a file that was written to, where nothing can prove that it is still the same."""
    text = (
        f"{name} was written to since it was catalogued, and has no checksum to prove it is the same; import it again"
    )
    return Failed(FailureCode.SOURCE_CHANGED, text)
