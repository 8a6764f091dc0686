"""The protocol of a delivery target: what takes archives, and what an archive on its way is.

Everything here blocks and is meant for worker threads. A target raises nothing but `Failed` and what its blocks raise.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from models.errors import Failed, FailureCode
from models.naming import numbered_name

_NAMES: Final = 1000


class ArchiveUpload(NamedTuple):
    """An archive on its way: where it goes, how long it is, which bytes it has, and of which sub-order it is."""

    key: str
    size: int
    etag: str
    number: str
    suborder: int

    def keys(self) -> Iterator[str]:
        """Give the key, then those it gets where that is somebody else's. Raises Failed after a thousand."""
        yield self.key
        folder, slash, name = self.key.rpartition("/")
        for count in range(1, _NAMES):
            yield f"{folder}{slash}{numbered_name(name, count)}"
        raise refused(f"a thousand other files are called {name} there")


class Target(Protocol):
    """A target takes archives. Delivering twice equals delivering once; an interrupted one leaves nothing behind."""

    def deliver(self, upload: ArchiveUpload, blocks: Iterator[memoryview]) -> str:
        """Write the blocks, which are the upload's bytes, prove that they are there, and give the key they are under.

        An earlier version of the archive is replaced. What is somebody else's stays: then it is another key.
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
