"""What a file on this disk is to an archive: proven to be one, an unfinished one, or somebody else's."""

import struct
from enum import Enum, auto
from functools import partial
from itertools import takewhile
from os import SEEK_END
from pathlib import Path
from typing import IO, Final, NamedTuple
from zipfile import ZipFile

from storage.archive.recognition import NO_ZIP, is_version_of

BLOCK_BYTES: Final = 1024 * 1024
_LOCAL_HEADER: Final = struct.Struct("<4s22x2H")
_END_BYTES: Final = 22


class Kind(Enum):
    """What a file is that is no archive of this order, or not this version of it."""

    UNFINISHED = auto()
    OTHER_VERSION = auto()
    STRANGE = auto()


def directory_start(path: Path) -> int | None:
    """Where the directory of a whole zip begins; None if the file is not one from its first byte to its last.

    Whole is: each entry begins where the one before ends, and has the size and the CRC-32 that the directory says.
    """
    try:
        with path.open("rb") as file, ZipFile(path) as archive:
            end = 0
            for info in archive.infolist():
                if info.header_offset != end:
                    return None
                with archive.open(info) as member:
                    while member.read(BLOCK_BYTES):  # raises at the end where the CRC-32 is another
                        pass
                end = _data_offset(file, end) + info.compress_size
            return end if end == archive.start_dir and _ends_there(file) else None
    except (*NO_ZIP, OSError):
        return None


class Part(NamedTuple):
    """Which archive it is: the number of its order, and of the sub-order."""

    number: str
    suborder: int


def kind_of(path: Path, part: Part, beginning: bytes) -> Kind:
    """What a file is that is in the way of an archive, which begins like this."""
    if directory_start(path) is not None:
        return Kind.OTHER_VERSION if is_version_of(path, *part) else Kind.STRANGE
    if path.with_name(f"{path.name}.aria2").exists():  # aria2 has yet to end it, or is at it now
        return Kind.STRANGE
    with path.open("rb") as file:
        found = file.read(len(beginning))
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(found, beginning, strict=False)))
        file.seek(same)
        return Kind.UNFINISHED if (0 < same == len(beginning)) or not _has_content(file) else Kind.STRANGE


def _data_offset(file: IO[bytes], header: int) -> int:
    file.seek(header)
    _, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    return header + _LOCAL_HEADER.size + int(name) + int(extra)


def _ends_there(file: IO[bytes]) -> bool:
    """Whether the end of the archive is the end of the file; readers do not mind what comes behind it."""
    file.seek(-_END_BYTES, SEEK_END)
    return file.read(4) == b"PK\5\6"


def _has_content(file: IO[bytes]) -> bool:
    """Whether there is anything but zeros, such as tools write that take the room before they fill it."""
    return any(block.count(0) != len(block) for block in iter(partial(file.read, BLOCK_BYTES), b""))
