"""What is measured in a Python process of its own: our engine, and the archive writers that are Python libraries.

`python -m bench.tasks NAME JSON`; prints what it measured as JSON. Reading the list of files is not part of the time.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bench.measuring import high_water
from bench.writing import copy_archive, write_archive
from models.archive import Entry, FileSlice, Layout
from storage.archive.digest import Digest, Wanted, digests
from storage.archive.virtual import Member
from storage.sources.local import LocalSource
from storage.sources.protocol import FileVersion

MTIME = 1_750_000_000


class Sealed(NamedTuple):
    """A file as sealing left it."""

    href: str
    version: FileVersion
    digest: Digest


def hrefs_in(folder: Path) -> list[str]:
    """All files below a folder, in the order of their names."""
    found = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]  # noqa: PTH118 - a million
    cut = len(str(folder)) + 1
    return sorted(path[cut:] for path in found)


def timed(work: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    """Measure work in this process, all its threads together."""
    cpu, began = time.process_time(), time.perf_counter()
    found = work() or {}
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "cpu": time.process_time() - cpu, "peak_bytes": high_water("self"), **found}


def seal(folder: str, known: str) -> dict[str, Any]:
    """Read every file once for CRC-32 and SHA-256, and keep them in a file for `write`."""
    source, hrefs = LocalSource(Path(folder)), hrefs_in(Path(folder))
    sealed: list[Sealed] = []

    def work() -> None:
        now: list[Wanted] = []

        def wanted() -> Iterator[Wanted]:
            for href in hrefs:
                now[:] = [Wanted(href, source.stat(href))]
                yield now[0]

        for found in digests(source, wanted(), progress=lambda _: None, cancelled=lambda: False):
            if not isinstance(found, Digest):
                raise found
            sealed.append(Sealed(*now[0], found))

    measured = timed(work)
    with Path(known).open("w") as file:
        file.writelines(f"{h}\t{v.size}\t{v.modified_ns}\t{d.crc32}\t{d.sha256.hex()}\n" for h, v, d in sealed)
    return measured


def read_known(known: str) -> Iterator[Sealed]:
    """What `seal` has kept."""
    with Path(known).open() as file:
        for line in file:
            href, size, mtime, crc, sha = line.rstrip("\n").split("\t")
            version = FileVersion.dated(int(size), int(mtime))
            yield Sealed(href, version, Digest(version.size, int(crc), bytes.fromhex(sha)))


def write(folder: str, known: str, target: str, *, durable: bool) -> dict[str, Any]:
    """Lay the archive out from known checksums and write it; `durable` as Consignor does it, with fsync and rename."""
    source, sealed = LocalSource(Path(folder)), list(read_known(known))

    def work() -> dict[str, Any]:
        layout = Layout(Entry(s.href, s.digest.size, s.digest.crc32, MTIME, s.digest.sha256) for s in sealed)
        members = [Member(source, s.href, s.version) for s in sealed]
        if durable:
            write_archive(layout, members, Path(target))
        else:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            copy_archive(layout, members, descriptor)
            os.close(descriptor)
        return {"bytes": layout.total_bytes}

    return timed(work)


def layout(count: int) -> dict[str, Any]:
    """Lay out and produce every header and directory record of this many files, whose bytes are not looked at."""

    def entries() -> Iterator[Entry]:
        return (Entry(f"scene-{i // 1000:05}/file-{i:08}.tif", 1000, i, MTIME, b"s" * 32) for i in range(count))

    def work() -> dict[str, Any]:
        laid = Layout(entries())
        return {"bytes": sum(len(piece) for piece in laid.segments() if not isinstance(piece, FileSlice))}

    return timed(work)


def python_zipfile(folder: str, target: str) -> dict[str, Any]:
    """The standard library's writer."""
    import zipfile

    hrefs = hrefs_in(Path(folder))

    def work() -> None:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for href in hrefs:
                archive.write(f"{folder}/{href}", href)

    return timed(work)


def zipstream_ng(folder: str, target: str) -> dict[str, Any]:
    """The library zipstream-ng."""
    from zipstream import ZIP_STORED, ZipStream

    hrefs = hrefs_in(Path(folder))

    def work() -> None:
        archive = ZipStream(compress_type=ZIP_STORED, sized=True)
        for href in hrefs:
            archive.add_path(f"{folder}/{href}", href)
        _save(archive, target)

    return timed(work)


def stream_zip(folder: str, target: str) -> dict[str, Any]:
    """The library stream-zip."""
    import stream_zip as library

    hrefs, when = hrefs_in(Path(folder)), datetime.fromtimestamp(MTIME, UTC)

    def chunks(path: str) -> Iterator[bytes]:
        with Path(path).open("rb") as file:
            while chunk := file.read(256 * 1024):
                yield chunk

    def work() -> None:
        files = ((href, when, 0o644, library.NO_COMPRESSION_64, chunks(f"{folder}/{href}")) for href in hrefs)
        _save(library.stream_zip(files), target)

    return timed(work)


def _save(chunks: Iterable[bytes], target: str) -> None:
    with Path(target).open("wb") as file:
        file.writelines(chunks)


def download(url: str) -> dict[str, Any]:
    """Get a URL to its last byte and keep nothing."""
    parts = urlsplit(url)
    buffer = memoryview(bytearray(1024 * 1024))

    def work() -> dict[str, Any]:
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
            head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            received, length = 0, None
            while (length is None or received < length) and (count := connection.recv_into(buffer)):
                if length is None:
                    said, _, body = bytes(buffer[:count]).partition(b"\r\n\r\n")
                    count, length = len(body), _length(said)
                received += count
        if received != length:
            raise OSError(f"{url} ended after {received} of {length} bytes")
        return {"bytes": received}

    return timed(work)


def _length(head: bytes) -> int:
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise OSError(head.split(b"\r\n", 1)[0].decode())
    return next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    work.__name__: work for work in (seal, write, layout, python_zipfile, zipstream_ng, stream_zip, download)
}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(TASKS[sys.argv[1]](**json.loads(sys.argv[2]))))
