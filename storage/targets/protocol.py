"""Delivering archives: what a target can do, and from a destination to the target that takes its archives.

Everything here blocks and is meant for worker threads. A target raises nothing but `Failed` and what its blocks raise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from models.destination import Allowed, Credentials, DestinationKind, Place, place_faults
from models.errors import Failed, FailureCode
from models.naming import DEFAULT_ARCHIVE_FILENAME
from storage.vault import Vault


class Parcel(NamedTuple):
    """An archive on its way: where it goes, how long it is, and which bytes it has."""

    key: str
    size: int
    etag: str


class Target(Protocol):
    """A place that takes archives. Whoever delivers twice has delivered once; what is cut off leaves nothing behind."""

    def deliver(self, parcel: Parcel, blocks: Iterator[memoryview]) -> None:
        """Write the blocks, which are the parcel's bytes, and prove that they are there.

        An exception out of the blocks ends the delivery; what was written of it is taken back.
        """

    def probe(self) -> None:
        """Write, read back and delete something small. Raises Failed where an archive would not arrive either."""


@dataclass(frozen=True)
class Deliverer:
    """What delivering needs of the operator: what is allowed, the keys, and how archives are called."""

    allowed: Allowed = field(default_factory=Allowed)
    vault: Vault = field(default_factory=Vault)
    filename: str = DEFAULT_ARCHIVE_FILENAME

    def target(self, place: Place, sealed: str | None, owner: str) -> Target:
        """The target at a place; `sealed` are its encrypted credentials. Raises Failed (`destination_refused`)."""
        # What was allowed when it was saved may be so no longer.
        if faults := place_faults(place, self.allowed):
            raise Failed(FailureCode.DESTINATION_REFUSED, faults[0].text)
        if place.kind is DestinationKind.LOCAL:
            from storage.targets.local import LocalTarget

            return LocalTarget(place.folder or "", self.allowed.root_of(place.folder or "") or "")
        from storage.targets.s3 import S3Target

        credentials = Credentials.model_validate_json(self.vault.open(sealed or "", owner))
        return S3Target(place, credentials)


def refused(text: str) -> Failed:
    """The failure of a destination that will not take it however often it is tried."""
    return Failed(FailureCode.DESTINATION_REFUSED, text)


def unavailable(text: str) -> Failed:
    """The failure of a destination that may take it later."""
    return Failed(FailureCode.DESTINATION_UNAVAILABLE, text)


def full(text: str) -> Failed:
    """The failure of a destination that has no room."""
    return Failed(FailureCode.DESTINATION_FULL, text)
