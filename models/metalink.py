"""Metalinks: the files of an order with size, hash and URL, for download tools.

Ours: the packages that wrote Metalinks are abandoned.

Version 4 is RFC 5854. Version 3 is what older tools read. aria2 takes a wrong namespace for an empty document and an
upper-case hash type for no hash, both silently.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from models.instants import rfc3339
from models.pieces import Pieces

FILES_PER_DOCUMENT: Final = 50_000
"""Unless set otherwise: aria2 keeps about 3 KB of memory for each entry. More files make more documents."""

MEDIA_TYPES: Final = {4: "application/metalink4+xml", 3: "application/metalink+xml"}
SUFFIXES: Final = {4: ".meta4", 3: ".metalink"}


class LinkedFile(NamedTuple):
    """A file as a Metalink shows it; without a hash while that is not known, and pieces only of a large one."""

    name: str
    size: int
    sha256: bytes | None
    url: str
    pieces: Pieces | None = None


class Head(NamedTuple):
    """What a document says of itself."""

    generator: str
    published: datetime
    origin: str
    number: str


def part_of(seq: int, files_per_document: int) -> int:
    """The number of the document that has a file; of the last file, how many there are. No file is in the first too."""
    return max(-(-seq // files_per_document), 1)


def metalink_filename(number: str, version: int, part: int, count: int) -> str:
    """The name of a document of an order; it tells the part where there are several."""
    return f"{number}{f'-{part}' if count > 1 else ''}{SUFFIXES[version]}"


class Metalink:
    """A document of version 4 or 3: its start, its entries a batch at a time, its end."""

    def __init__(self, version: int, head: Head) -> None:
        start, self._entry, end = _FORMS[version]
        self.start, self.end = start(head).encode(), end.encode()

    def entries(self, files: Iterable[LinkedFile]) -> bytes:
        """The entries of files."""
        return "".join(map(self._entry, files)).encode()


def _head4(head: Head) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<metalink xmlns="urn:ietf:params:xml:ns:metalink">\n'
        f"<generator>{escape(head.generator)}</generator>\n"
        f'<origin dynamic="true">{escape(head.origin)}</origin>\n'
        f"<published>{rfc3339(head.published, 'seconds')}</published>\n"
    )


def _entry4(file: LinkedFile) -> str:
    proof = f'<hash type="sha-256">{file.sha256.hex()}</hash>' if file.sha256 else ""
    return (
        f"<file name={_name(file.name)}><size>{file.size}</size>{proof}{_pieces(file.pieces)}"
        f'<url priority="1">{_text(file.url)}</url></file>\n'
    )


def _pieces(pieces: Pieces | None) -> str:
    if pieces is None:
        return ""
    hashes = "".join(f"<hash>{piece.hex()}</hash>" for piece in pieces.each)
    return f'<pieces length="{pieces.length}" type="sha-256">{hashes}</pieces>'


def _head3(head: Head) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<metalink version="3.0" xmlns="http://www.metalinker.org/" type="dynamic" origin={quoteattr(head.origin)}'
        f' pubdate="{head.published:%a, %d %b %Y %H:%M:%S GMT}" generator={quoteattr(head.generator)}>\n'
        f"<description>{escape(head.number)}</description>\n<files>\n"
    )


def _entry3(file: LinkedFile) -> str:
    proof = f'<verification><hash type="sha256">{file.sha256.hex()}</hash></verification>' if file.sha256 else ""
    return (
        f"<file name={_name(file.name)}><size>{file.size}</size>{proof}<resources>"
        f'<url type="{file.url.partition(":")[0]}" preference="100">{_text(file.url)}</url></resources></file>\n'
    )


def _name(name: str) -> str:
    """The name as an attribute. U+FFFE and U+FFFF are not XML characters, and become underscores."""
    if name.isascii() and not _SPECIAL.search(name):
        return f'"{name}"'
    return quoteattr(name if name.isascii() else _NO_CHARACTER.sub("_", name))


def _text(url: str) -> str:
    return escape(url)


_SPECIAL: Final = re.compile('[&<>"\t\r\n]')
_NO_CHARACTER: Final = re.compile("[\ufffe\uffff]")
_FORMS: Final[dict[int, tuple[Callable[[Head], str], Callable[[LinkedFile], str], str]]] = {
    4: (_head4, _entry4, "</metalink>\n"),
    3: (_head3, _entry3, "</files>\n</metalink>\n"),
}
