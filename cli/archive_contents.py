"""What is in a downloaded archive: compared with what the API says of its files, and unpacked."""

from collections.abc import Iterable, Iterator
from hashlib import file_digest
from pathlib import Path
from shutil import copyfileobj
from typing import Any
from zipfile import ZipFile, ZipInfo
from zlib import crc32

from cli.archive_proof import BLOCK_BYTES
from cli.errors import CommandFailed


def differences(path: Path, files: Iterable[Any]) -> Iterator[str]:
    """A line for each file of a sub-order that is not in its archive as the API says, by path, size and SHA-256."""
    with ZipFile(path) as archive:
        entries = archive.NameToInfo
        for file in files:
            if (entry := entries.get(file["path"])) is None:
                yield f"{file['path']}: it is not in the archive"
            elif entry.file_size != file["size"]:
                yield f"{file['path']}: it has {entry.file_size:,} bytes, and should have {file['size']:,}"
            elif file["sha256"] is not None:
                # Zip entries are read as files are; the type of `file_digest` asks for what only files on disks have.
                with archive.open(entry) as member:
                    digest = file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]
                if digest != file["sha256"]:
                    yield f"{file['path']}: its SHA-256 is {digest}, and should be {file['sha256']}"


def extract(path: Path) -> Path:
    """Unpack an archive into a folder of its name beside it; gives the folder. Raises CommandFailed.

    What is there already stays: a file of the archive's, or somebody else's, which is named.
    """
    folder = path.with_suffix("")
    with ZipFile(path) as archive:
        for entry in archive.infolist():
            target = folder / entry.filename
            if not target.resolve().is_relative_to(folder.resolve()):
                raise CommandFailed(f"{path}: {entry.filename!r} leads out of its folder; nothing more is taken")
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            elif not target.exists():
                _unpack(archive, entry, target)
            elif _crc_of(target) != entry.CRC:
                raise CommandFailed(f"{target} is another file than the archive's and stays as it is; move it away")
    return folder


def _unpack(archive: ZipFile, entry: ZipInfo, target: Path) -> None:
    """Give a file its name when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    with archive.open(entry) as member, part.open("wb") as file:
        copyfileobj(member, file, BLOCK_BYTES)
    part.replace(target)


def _crc_of(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            crc = crc32(block, crc)
    return crc
