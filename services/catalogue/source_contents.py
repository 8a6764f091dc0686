"""What a source holds, as its reader found it and before the catalogue knows."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from mimetypes import MimeTypes
from os.path import splitext
from typing import Any, Final, NamedTuple

from models.areas import Box
from models.errors import Refusal, SourceUnreadable
from models.instants import kept_ns
from models.text import shown
from services.catalogue.messages import SkippedEntry
from services.catalogue.oddities import Oddities

# An own instance: the module's functions also read /etc/mime.types, and two machines would disagree.
_TYPES: Final = MimeTypes()
_GEODATA: Final = {
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".h5": "application/x-hdf5",
    ".jp2": "image/jp2",
    ".parquet": "application/vnd.apache.parquet",
}
UNKNOWN_TYPE: Final = "application/octet-stream"
_by_extension: dict[str, str] = {}

MAX_FILE_BYTES: Final = 2**53 - 1
"""Whole numbers beyond are rounded by many readers of JSON, and a thousand such files are more than can be summed."""
MAX_FILE_NAME_BYTES: Final = 2_000
"""What PostgreSQL can have in an index."""
_MAX_REFUSED_CHARACTERS: Final = 500
"""Of what is told of a refusal: whole documents can stand where a name belongs."""


Looked = Callable[[], None]
"""Is told of each file of a folder and each document of a STAC catalogue when it has been looked at."""


def untold() -> None:
    """Tell nobody."""


class FoundFile(NamedTuple):
    """A file that may be catalogued; `href` is relative to the product's location."""

    object_name: str
    name: str
    href: str
    size_bytes: int
    media_type: str
    kind: str
    modified_ns: int
    sha256: bytes | None = None


class Description(NamedTuple):
    """What is kept of a STAC item; without a time of its own the newest file's is taken."""

    geometry: dict[str, Any] | None = None
    box: Box | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    properties: Mapping[str, Any] | None = None


class Scope(StrEnum):
    """What an unseen place may hold."""

    BELOW = "below"
    ITEM = "item"
    ASSET = "asset"
    CHILD = "child"
    ALL = "all"


class Unseen(NamedTuple):
    """A place that the source still names and that gave nothing: what the catalogue knows there stays."""

    scope: Scope
    path: str = ""
    object_name: str = ""

    @classmethod
    def below(cls, href: str) -> "Unseen":
        """A file or folder, with all that was below."""
        return cls(Scope.BELOW, href.rstrip("/"))

    @classmethod
    def item(cls, document: str) -> "Unseen":
        """The object that a document describes; seen from its product's folder."""
        return cls(Scope.ITEM, document)

    @classmethod
    def asset(cls, object_name: str, name: str = "") -> "Unseen":
        """The files of an object whose last component is this, or all of them."""
        return cls(Scope.ASSET, name, object_name)

    @classmethod
    def child(cls, document: str) -> "Unseen":
        """Whatever a catalogue or collection leads to; its path is absolute."""
        return cls(Scope.CHILD, document)

    @classmethod
    def all(cls) -> "Unseen":
        """All of the product."""
        return cls(Scope.ALL)


@dataclass
class FoundProduct:
    """A product of a source. `titled`: the source itself says this name, so it replaces the catalogue's.

    `objects` has what is said of some of them; `extent` is a box in degrees and an interval, as STAC writes them.
    `source` is what was imported, `document` the file in it that describes the product, both absolute; `documents` has
    those of objects, seen from its folder. `unseen` are places of which nothing can be said, `empty` folders that may
    be mount points.
    """

    sku: str
    name: str
    location: str
    titled: bool = False
    description: str | None = None
    license: str | None = None
    extent: dict[str, Any] | None = None
    objects: dict[str, Description] = field(default_factory=dict)
    files: list[FoundFile] = field(default_factory=list)
    refused: list[SkippedEntry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    oddities: Oddities = field(default_factory=Oddities)
    source: str | None = None
    document: str | None = None
    documents: dict[str, str] = field(default_factory=dict)
    unseen: set[Unseen] = field(default_factory=set)
    empty: list[str] = field(default_factory=list)
    empty_folders: dict[str, list[str]] = field(default_factory=dict)
    """Of objects, the folders that no file is in: named as files are, with a `/` at the end."""
    own_object: str | None = None
    """The object that holds the files of the product itself, which go along with whatever is ordered of it."""
    partial: bool = False
    """Whether its source was asked for some of it alone, so that nothing is said of the rest."""

    def refuse(self, what: str, why: str | Refusal, *places: Unseen) -> None:
        """Leave something out and say so; what is known of these places stays, for the source still names them."""
        unread = isinstance(why, SourceUnreadable)
        what, why = shown(_short(what)), shown(_short(str(why)))
        self.refused.append(SkippedEntry(what=what, why=why, unread=unread))
        self.unseen.update(place for place in places if is_storable(f"{place.path}{place.object_name}"))

    def all_notes(self) -> list[str]:
        """What is to be said of the product, what is odd about it last."""
        return [*self.notes, *self.oddities.notes()]

    def file(
        self, object_name: str, name: str, href: str, stat: os.stat_result, media_type: str, kind: str = "data"
    ) -> FoundFile:
        """A file as the disk knows it; raises Refusal where the catalogue cannot hold it."""
        if stat.st_size > MAX_FILE_BYTES:
            raise Refusal(f"it has {stat.st_size:,} bytes, more than can be kept")
        check_file_name(name)
        modified_ns = kept_ns(stat.st_mtime_ns)
        if modified_ns != stat.st_mtime_ns:
            what = "were changed in a year that cannot be kept: 1677 or 2262 is taken"
            self.oddities.add("files", what, shown(_short(f"{object_name}/{name}")))
        return FoundFile(object_name, name, href, stat.st_size, media_type, kind, modified_ns)


def media_type_of(name: str) -> str:
    """The media type that a file's name suggests."""
    extension = splitext(name)[1].lower()  # noqa: PTH122 - asked for every file
    if extension not in _by_extension:
        kind, encoding = _TYPES.guess_type(f"file{extension}")
        _by_extension[extension] = _GEODATA.get(extension) or (kind if not encoding else None) or UNKNOWN_TYPE
    return _by_extension[extension]


def check_file_name(name: str) -> None:
    """Raise Refusal for a name that is too long for the catalogue."""
    if len(name) * 4 > MAX_FILE_NAME_BYTES and len(name.encode(errors="replace")) > MAX_FILE_NAME_BYTES:
        raise Refusal(f"its name has more than {MAX_FILE_NAME_BYTES:,} bytes")


def is_storable(text: str) -> bool:
    """Tell whether PostgreSQL can hold a text."""
    return unstorable(text) is None


def _short(text: str) -> str:
    return text if len(text) <= _MAX_REFUSED_CHARACTERS else f"{text[:_MAX_REFUSED_CHARACTERS]}…"


def unstorable(text: str) -> str | None:
    """Why PostgreSQL cannot hold a name, if it cannot."""
    if text.isascii():
        return "its name holds a NUL character" if "\0" in text else None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "its name is not valid UTF-8"
    return "its name holds a NUL character" if "\0" in text else None
