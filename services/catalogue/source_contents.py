"""What a source holds, as its reader found it and before the catalogue knows."""

from dataclasses import dataclass, field
from mimetypes import MimeTypes
from os.path import splitext
from typing import Any, Final, NamedTuple

from models.text import is_printable
from services.catalogue.messages import SkippedEntry
from services.catalogue.stac_metadata import Description

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


@dataclass
class FoundProduct:
    """A product of a source. `titled`: the source itself says this name, so it replaces the catalogue's.

    `objects` has what is said of some of them; `extent` is a box in degrees and an interval, as STAC writes them.
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

    def refuse(self, what: str, why: str) -> None:
        """Leave something out and say so."""
        self.refused.append(SkippedEntry(what=readable(what), why=readable(why)))


def media_type_of(name: str) -> str:
    """The media type that a file's name suggests."""
    extension = splitext(name)[1].lower()  # noqa: PTH122 - asked for every file
    if extension not in _by_extension:
        kind, encoding = _TYPES.guess_type(f"file{extension}")
        _by_extension[extension] = _GEODATA.get(extension) or (kind if not encoding else None) or UNKNOWN_TYPE
    return _by_extension[extension]


def unstorable(text: str) -> str | None:
    """Why PostgreSQL cannot hold a name, if it cannot."""
    if text.isascii():
        return "its name holds a NUL character" if "\0" in text else None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "its name is not valid UTF-8"
    return "its name holds a NUL character" if "\0" in text else None


def readable(text: str) -> str:
    """The text with everything escaped that a terminal would interpret or could not show."""
    if is_printable(text):
        return text
    return "".join(c if is_printable(c) else c.encode("unicode_escape").decode() for c in text)
