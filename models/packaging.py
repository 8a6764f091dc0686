"""From the files of a sub-order to its archive: which entries it has, what it generates, how it is laid out."""

from collections.abc import Sequence
from typing import NamedTuple

from models.archive import Entry, Generated, Layout
from models.errors import Failure, FailureCode
from models.manifest import ManifestFile, ManifestFolder, MissingFile, generated_members

NS_PER_SECOND = 1_000_000_000


class PackedFile(NamedTuple):
    """An order file as packaging sees it; `failure_code` is set exactly where the file is missing."""

    seq: int
    path: str
    original: str
    href: str
    size_bytes: int
    modified_ns: int
    etag: str | None
    crc32: int | None
    sha256: bytes | None
    failure_code: str | None
    failure_text: str | None


class PackedFolder(NamedTuple):
    """An empty folder as packaging sees it: its name in the archive, which ends in `/`, and in the catalogue."""

    path: str
    original: str


class Contents(NamedTuple):
    """What the archive of a sub-order is made of, as `layout_of` takes it."""

    files: Sequence[PackedFile]
    folders: Sequence[PackedFolder] = ()


def layout_of(number: str, suborder: int, files: Sequence[PackedFile], folders: Sequence[PackedFolder] = ()) -> Layout:
    """The archive of a sub-order all of whose files have settled: these in their order, then its empty folders."""
    there = delivered(files)
    manifest = [ManifestFile(f.path, f.original, f.size_bytes, (f.sha256 or b"").hex()) for f in there]
    missing = [MissingFile(f.original, _failure(f)) for f in files if f.failure_code is not None]
    entries = (
        Entry(f.path, f.size_bytes, f.crc32 or 0, f.modified_ns // NS_PER_SECOND, f.sha256 or b"") for f in there
    )
    empty = [ManifestFolder(*folder) for folder in folders]
    generated = generated_members(number, suborder, manifest, missing, empty)
    return Layout(entries, [*(Generated(path, b"") for path, _ in folders), *generated])


def delivered(files: Sequence[PackedFile]) -> list[PackedFile]:
    """The files that are in the archive, as its entries are numbered."""
    return [file for file in files if file.failure_code is None]


def _failure(file: PackedFile) -> Failure:
    return Failure(code=FailureCode(file.failure_code or ""), text=file.failure_text or "")
