"""What a customer has after a download: archives, and whether they are sound."""

import subprocess
from hashlib import file_digest, sha256
from pathlib import Path
from zipfile import ZipFile

import httpx2

from tests.tools import tool

GENERATED = {"manifest.json", "SHA256SUMS", "NOTICE.txt"}


def contents(archive: Path) -> dict[str, bytes]:
    """Everything in an archive, once whoever extracts such things has found it sound."""
    subprocess.run([tool("unzip"), "-tqq", archive], check=True, capture_output=True)
    with ZipFile(archive) as opened:
        assert opened.testzip() is None
        names = opened.namelist()
        assert len(names) == len(set(names))
        return {name: opened.read(name) for name in names}


def delivered(folder: Path) -> dict[str, bytes]:
    """The ordered files in all archives of a folder; their checksums are right."""
    found: dict[str, bytes] = {}
    for archive in sorted(folder.glob("*.zip")):
        inside = contents(archive)
        proven = dict(line.split("  ", 1)[::-1] for line in inside["SHA256SUMS"].decode().splitlines())
        assert proven == {name: sha256(data).hexdigest() for name, data in inside.items() if name != "SHA256SUMS"}
        ordered = {name: data for name, data in inside.items() if name not in GENERATED}
        assert not found.keys() & ordered.keys()
        found |= ordered
    return found


def archives(folder: Path) -> dict[str, bytes]:
    """All archives in a folder."""
    return {path.name: path.read_bytes() for path in folder.glob("*.zip")}


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def the_end_of(api: httpx2.Client, archive: str, target: Path, length: int) -> Path:
    """A file as long as an archive with only its end in it: its directory and what we add to it."""
    answer = api.get(archive, headers={"Range": f"bytes=-{length}"}).raise_for_status()
    size = int(answer.headers["content-range"].rpartition("/")[2])
    with target.open("wb") as file:
        file.seek(size - length)
        file.write(answer.content)
    return target
