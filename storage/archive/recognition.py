"""Recognises archives of ours: by the manifest that they carry, with nothing in them that it does not list."""

import json
import struct
from contextlib import suppress
from pathlib import Path
from typing import IO, Final
from zipfile import BadZipFile, LargeZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812 - it is an error and called like a variable

from models.manifest import CHECKSUMS, MANIFEST, NOTICE

NO_ZIP: Final = (
    BadZipFile, LargeZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error,
)  # fmt: skip
"""What `zipfile` raises of a file that is no zip, is broken, or is packed or locked in ways that ours never are."""


def is_version_of(file: Path | IO[bytes], number: str, suborder: int) -> bool:
    """Whether a zip is an archive of this order and sub-order, in whatever version."""
    with suppress(*NO_ZIP, OSError, KeyError, TypeError, AttributeError), ZipFile(file) as archive:
        manifest = json.loads(archive.read(MANIFEST))
        listed = {entry["path"] for key in ("files", "folders") for entry in manifest.get(key, ())}
        extra = set(archive.namelist()) - listed - {MANIFEST, CHECKSUMS, NOTICE}
        return (manifest["number"], manifest["suborder"]) == (number, suborder) and not extra
    return False
