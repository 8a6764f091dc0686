"""From the location of a product to the source that reads it."""

from pathlib import Path

from models.errors import Failed, FailureCode
from storage.sources.local import LocalSource, is_mounted
from storage.sources.protocol import Source


def source_at(location: str) -> Source:
    """The source for a location; today a folder of this machine, local or mounted.

    Made anew each time, for the location may be a link that somebody turns to the next version of an archive.
    """
    return LocalSource(Path(location))


def check_answers(location: str) -> None:
    """Raise `source_unavailable` where the place itself is away, so that its files are not taken for lost."""
    if not is_mounted(location):
        raise Failed(FailureCode.SOURCE_UNAVAILABLE, f"the storage {Path(location).name} does not answer")
