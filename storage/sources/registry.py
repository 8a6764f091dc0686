"""The registry of sources: it finds the source that reads a location."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from models.errors import Failed, FailureCode
from storage.sources.local import LocalSource
from storage.sources.protocol import Source

SourceKind = Callable[[str], Source]
"""Makes the source for a URI; does no I/O."""

KINDS: Final[Mapping[str, SourceKind]] = MappingProxyType({"file": LocalSource.at})
"""The kinds of storage by the scheme of their URIs: a new kind is a module in this package and an entry here."""


class Sources:
    """Finds sources by location. The composition roots make it; whatever opens files is given it."""

    def __init__(self, kinds: Mapping[str, SourceKind] = KINDS) -> None:
        self._kinds = kinds

    def at(self, location: str) -> Source:
        """Make the source for a location. Raises Failed (`source_unavailable`) where its kind is not registered.

        It is made each time, for a location may be a link that an operator turns to the next version of an archive.
        """
        uri = as_uri(location)
        scheme = uri.partition(":")[0].lower()
        if (kind := self._kinds.get(scheme)) is None:
            raise Failed(FailureCode.SOURCE_UNAVAILABLE, f"no storage of the kind {scheme!r} is set up")
        return kind(uri)


def as_uri(location: str) -> str:
    """Return the URI of a location; a plain path, as the import of a folder records it, becomes a `file:` URI."""
    if location.startswith("/") or "://" not in location:
        return Path(location).absolute().as_uri()
    return location
