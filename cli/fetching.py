"""Fetches what has a name, a length and an ETag: what was cut off is continued, what has changed is not."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import httpx2 as httpx

from cli.archive_proof import BLOCK_BYTES
from cli.errors import CommandFailed
from cli.outages import is_outage

AS_IT_IS: Final = {"Accept-Encoding": "identity"}
"""A proxy that compresses would give other bytes than the server's, and count them otherwise."""
_RETRIES: Final = 20


class Offer(NamedTuple):
    """What the server has."""

    name: str
    size: int
    etag: str


@dataclass(frozen=True)
class Fetching:
    """The way of bytes from one URL into a part, a file that is not whole yet."""

    client: httpx.Client
    check: Callable[[httpx.Response], None]
    url: str
    progress: Callable[[int], None]

    def offer(self) -> Offer:
        """What is to be had. Raises CommandFailed."""
        head = self.client.head(self.url, headers=AS_IT_IS)
        self.check(head)
        size, etag = int(head.headers["content-length"]), head.headers["etag"]
        return Offer(_filename(head.headers["content-disposition"]), size, etag)

    def part_of(self, path: Path, offer: Offer) -> Path:
        """The part of a file. The ETag is in its name: of another version nothing is continued."""
        return path.with_name(f".{path.name}.{offer.etag.removeprefix('W/').strip(chr(34))[:16]}.part")

    def fetch(self, part: Path, offer: Offer) -> None:
        """Have all bytes in a part, continued where it was cut. Raises CommandFailed."""
        for attempt in range(_RETRIES):
            if self._continue(part, offer):
                return
            time.sleep(min(2**attempt * 0.1, 5))
        raise CommandFailed(f"{offer.name}: the connection was cut {_RETRIES} times; run the same command to continue")

    def _continue(self, part: Path, offer: Offer) -> bool:
        """Fetch what is missing of a part; whether it has its length now."""
        have = part.stat().st_size if part.exists() else 0
        if have > offer.size:
            part.unlink()
            have = 0
        self.progress(have)
        if have == offer.size:
            return True
        wanted = {"Range": f"bytes={have}-", "If-Range": offer.etag} if have else {}
        try:
            with (
                self.client.stream("GET", self.url, headers=AS_IT_IS | wanted) as answer,
                part.open("ab") as file,
            ):
                if is_outage(answer):
                    return False
                if answer.is_error:
                    answer.read()
                    file.close()
                    if not have:
                        part.unlink()
                self.check(answer)
                if have and answer.status_code != httpx.codes.PARTIAL_CONTENT:
                    file.truncate(0)
                    have = 0
                for block in answer.iter_raw(BLOCK_BYTES):
                    have += file.write(block)
                    self.progress(have)
        except httpx.TransportError:
            return False
        return have == offer.size


def sync(path: Path) -> None:
    """Have the bytes on the disk before the name says that they are there."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _filename(disposition: str) -> str:
    """The plain name in a Content-Disposition; only ever the last part of a path."""
    name = disposition.split('filename="', 1)[-1].split('"', 1)[0]
    return Path(name).name or "archive.zip"
