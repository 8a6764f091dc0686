"""Downloads archives: what has the true name is proven, and what is somebody else's is never replaced unasked."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import httpx2 as httpx

from cli.archive_proof import BLOCK_BYTES, Kind, Part, directory_start, kind_of
from cli.errors import CommandFailed
from cli.fetching import AS_IT_IS, Fetching, Offer, sync
from cli.one_at_a_time import alone
from models.naming import numbered_name

_NAMES: Final = 1000
_BEGINNING: Final = 128
"""Bytes by which an archive is known: the first file's size, time, CRC-32 and name are among them."""


class _Place(NamedTuple):
    """Where it goes; `is_there`: it already is."""

    path: Path
    is_there: bool = False


@dataclass(frozen=True)
class ArchiveDownload:
    """The download of one archive into a folder. `tell` is given a line where something is not as one would expect."""

    client: httpx.Client
    check: Callable[[httpx.Response], None]
    url: str
    part: Part
    folder: Path
    progress: Callable[[int], None]
    tell: Callable[[str], None]
    force: bool = False

    def run(self) -> Path:
        """Download what is not there yet; gives the proven file. Raises CommandFailed.

        A part that was begun is continued. It carries the ETag in its name: of another version nothing is continued.
        """
        offer = self._fetching.offer()
        with alone(self.folder / offer.name, self.tell):
            return self._have(offer)

    def _have(self, offer: Offer) -> Path:
        place = self._place(offer)
        if place.is_there:
            self.progress(offer.size)
            return place.path
        # Between two names of one file system, so that what has the true name is whole.
        part = self._fetching.part_of(place.path, offer)
        self._fetching.fetch(part, offer)
        if directory_start(part) is None:
            self.tell(f"{offer.name}: what had arrived earlier is damaged; fetching all of it again")
            part.unlink()
            self._fetching.fetch(part, offer)
            if directory_start(part) is None:
                part.unlink()
                raise CommandFailed(f"{offer.name}: what arrives is not the archive; is there a proxy that changes it?")
        sync(part)
        part.replace(place.path)
        return place.path

    @property
    def _fetching(self) -> Fetching:
        return Fetching(self.client, self.check, self.url, self.progress)

    def _place(self, offer: Offer) -> _Place:
        """The first name that is free, or has the archive, or something that may give way to it."""
        for path in self._names(offer):
            if not os.path.lexists(path):
                return _Place(path)
            if path.is_file():
                if self._is_offered(path, offer):
                    return _Place(path, is_there=True)
                if self._gives_way(path, offer):
                    return _Place(path)
            elif self.force and not path.is_dir():
                return _Place(path)
            self.tell(f"{path} is not this archive and stays as it is; the archive gets another name")
        raise AssertionError("names end by themselves")

    def _gives_way(self, path: Path, offer: Offer) -> bool:
        """Whether a file of the archive's name may be replaced; another version of it is kept under another name."""
        if self.force:
            self.tell(f"{path} is replaced")
            return True
        kind = Kind.STRANGE if path.is_symlink() else kind_of(path, self.part, self._beginning(offer))
        if kind is Kind.UNFINISHED:
            self.tell(f"{path} is unfinished or damaged; fetching all of it again")
        elif kind is Kind.OTHER_VERSION:
            kept = next(name for name in self._names(offer) if not os.path.lexists(name))
            path.rename(kept)
            self.tell(f"{path} was another version of this archive, and is {kept} from now on")
        return kind is not Kind.STRANGE

    def _names(self, offer: Offer) -> Iterator[Path]:
        yield self.folder / offer.name
        for count in range(1, _NAMES):
            yield self.folder / numbered_name(offer.name, count)
        raise CommandFailed(f"{self.folder} has {_NAMES} other files called {offer.name}; choose another folder")

    def _is_offered(self, path: Path, offer: Offer) -> bool:
        """Whether a file is the archive: of its length, whole, and with the directory that the server's has.

        The directory has the name, size, time and CRC-32 of each entry, so it tells apart any two archives.
        """
        if path.stat().st_size != offer.size or (start := directory_start(path)) is None:
            return False
        with path.open("rb") as file, self._range(start, offer.size, offer) as blocks:
            file.seek(start)
            return all(file.read(len(block)) == block for block in blocks) and file.tell() == offer.size

    def _beginning(self, offer: Offer) -> bytes:
        with self._range(0, min(offer.size, _BEGINNING), offer) as blocks:
            return b"".join(blocks)

    @contextmanager
    def _range(self, start: int, stop: int, offer: Offer) -> Iterator[Iterator[bytes]]:
        """Bytes of the archive; none where another version has come since."""
        headers = {**AS_IT_IS, "Range": f"bytes={start}-{stop - 1}"}
        with self.client.stream("GET", self.url, headers=headers) as answer:
            if answer.is_error:
                answer.read()
            self.check(answer)
            same = answer.status_code == httpx.codes.PARTIAL_CONTENT and answer.headers.get("etag") == offer.etag
            yield answer.iter_raw(BLOCK_BYTES) if same else iter(())
