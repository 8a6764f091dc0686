"""The protocol of a delivery target: what takes archives, and what an archive on its way is.

Everything here blocks and is meant for worker threads. A target raises nothing but `Failed` and what its blocks raise.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from models.errors import Failed, FailureCode


class ArchiveUpload(NamedTuple):
    """An archive on its way: where it goes, how long it is, and which bytes it has."""

    key: str
    size: int
    etag: str


class Target(Protocol):
    """A target takes archives. Delivering twice equals delivering once; an interrupted one leaves nothing behind."""

    def deliver(self, upload: ArchiveUpload, blocks: Iterator[memoryview]) -> None:
        """Write the blocks, which are the upload's bytes, and prove that they are there.

        An exception out of the blocks ends the delivery; what was written of it is taken back.
        """

    def probe(self) -> None:
        """Write, read back and delete something small. Raises Failed where an archive would not arrive either."""


def refused(text: str) -> Failed:
    """Return the failure of a destination that refuses for good."""
    return Failed(FailureCode.DESTINATION_REFUSED, text)


def unavailable(text: str) -> Failed:
    """Return the failure of a destination that may accept later."""
    return Failed(FailureCode.DESTINATION_UNAVAILABLE, text)


def full(text: str) -> Failed:
    """Return the failure of a destination that has no room left."""
    return Failed(FailureCode.DESTINATION_FULL, text)
