"""The members of an archive that Consignor writes itself: what is inside, how to prove it, and what is missing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from json.encoder import encode_basestring_ascii as _quoted
from types import MappingProxyType
from typing import Final, NamedTuple

from models.archive import Generated
from models.errors import Failure, FailureCategory, FailureCode

MANIFEST: Final = "manifest.json"
CHECKSUMS: Final = "SHA256SUMS"
NOTICE: Final = "NOTICE.txt"


class ManifestFile(NamedTuple):
    """A file that is in the archive: its name there, its name in the catalogue, and its proof in hexadecimal."""

    path: str
    original: str
    size: int
    sha256: str


class ManifestFolder(NamedTuple):
    """A folder that is in the archive though no file is in it: its name there and its name in the catalogue."""

    path: str
    original: str


class MissingFile(NamedTuple):
    """A file that was ordered and is not in the archive."""

    original: str
    failure: Failure


_REMEDY_OF: Mapping[FailureCategory, str] = MappingProxyType(
    {
        FailureCategory.CAPACITY: "Retry the order later; if it stays like this, ask support to make room.",
        FailureCategory.INFRASTRUCTURE: "Retry the order: this is usually over soon.",
        FailureCategory.CONFIGURATION: "Retrying will not help: ask support to mend the file or its catalogue entry.",
    }
)
_REMEDY: Mapping[FailureCode, str] = MappingProxyType(
    {
        FailureCode.SOURCE_CHANGED: "Order the file again to get it as it is now.",
        FailureCode.CATALOGUE_CHANGED: "Order the file again to get it as it is now.",
        FailureCode.UNKNOWN_ID: "Look the file up in the catalogue and order it again.",
    }
)


def remedy(failure: Failure) -> str:
    """What the customer can do about a missing file."""
    return _REMEDY.get(failure.code) or _REMEDY_OF[failure.category]


def generated_members(
    number: str,
    suborder: int,
    files: Iterable[ManifestFile],
    missing: Sequence[MissingFile] = (),
    folders: Sequence[ManifestFolder] = (),
) -> list[Generated]:
    """Everything Consignor adds to the archive of a sub-order, in the order it stands there."""
    known = sorted(files)
    members = [Generated(MANIFEST, manifest_json(number, suborder, known, missing, folders))]
    if missing:
        members.append(Generated(NOTICE, notice_txt(number, suborder, missing)))
    sums = [(file.path, file.sha256) for file in known]
    sums += [(member.name, sha256(member.content).hexdigest()) for member in members]
    return [*members, Generated(CHECKSUMS, sha256sums(sums))]


def manifest_json(
    number: str,
    suborder: int,
    files: Iterable[ManifestFile],
    missing: Iterable[MissingFile] = (),
    folders: Iterable[ManifestFolder] = (),
) -> bytes:
    """The manifest: one file on each line, sorted by path, the same bytes for the same files in any order.

    Archives without empty folders have the manifest they had before there were any, and so the ETag.
    """
    inside = [
        f'{{"path": {_quoted(path)}, "original": {_quoted(original)}, "size": {size}, "sha256": "{digest}"}}'
        for path, original, size, digest in sorted(files)
    ]
    absent = [
        json.dumps({"original": m.original, "code": m.failure.code, "text": m.failure.text}) for m in _in_order(missing)
    ]
    empty = [f'{{"path": {_quoted(path)}, "original": {_quoted(original)}}}' for path, original in sorted(folders)]
    folders_too = f'"folders": {_lines(empty)},\n' if empty else ""
    return (
        f'{{\n"number": {json.dumps(number)},\n"suborder": {suborder},\n'
        f'"files": {_lines(inside)},\n{folders_too}"missing": {_lines(absent)}\n}}\n'
    ).encode()


def _lines(rows: Sequence[str]) -> str:
    return "[" + ",".join("\n" + row for row in rows) + ("\n]" if rows else "]")


def sha256sums(sums: Iterable[tuple[str, str]]) -> bytes:
    """(path, SHA-256) pairs in the form `sha256sum -c` reads, with its escapes for odd names."""
    return "".join(_checksum_line(path, digest) for path, digest in sums).encode()


def _checksum_line(path: str, digest: str) -> str:
    escaped = path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "" if escaped == path else "\\"
    return f"{mark}{digest}  {escaped}\n"


def notice_txt(number: str, suborder: int, missing: Iterable[MissingFile]) -> bytes:
    """A letter about the files that are missing: which, why, and what to do."""
    absent = _in_order(missing)
    files = "1 file that you ordered is" if len(absent) == 1 else f"{len(absent):,} files that you ordered are"
    lines = [f"Order {number}, part {suborder}: {files} missing from this archive.", ""]
    for name, failure in absent:
        lines += [_shown(name), f"    {_shown(failure.text)} [{failure.code}]", f"    {remedy(failure)}", ""]
    return "\n".join(lines).encode()


def _in_order(missing: Iterable[MissingFile]) -> list[MissingFile]:
    return sorted(missing, key=lambda file: (file.original, file.failure.code))


def _shown(text: str) -> str:
    """Text that cannot fake other lines of a letter: what does not print is escaped."""
    # A rule of its own: these bytes are part of sealed archives, and must come out the same for ever.
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
