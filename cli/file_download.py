"""Downloads single files of an order: each is proven by its checksum before it gets its name."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import CommandFailed
from cli.fetching import Fetching, Offer, sync
from cli.one_at_a_time import alone

if TYPE_CHECKING:
    import httpx2


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as the API writes it."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class FileDownload:
    """The download of one file of an order into a folder; `file` is what the API says of it."""

    client: "httpx2.Client"
    check: "Callable[[httpx2.Response], None]"
    url: str
    file: Any
    folder: Path
    progress: Callable[[int], None]
    tell: Callable[[str], None]
    force: bool = False

    def run(self) -> Path:
        """Download what is not there yet; gives the proven file. Raises CommandFailed."""
        fetching = Fetching(self.client, self.check, self.url, self.progress)
        offer = fetching.offer()
        target = self.folder / offer.name
        with alone(target, self.tell):
            return self._have(target, offer, fetching)

    def _have(self, target: Path, offer: Offer, fetching: Fetching) -> Path:
        if target.is_file() and self._is_it(target):
            self.progress(offer.size)
            return target
        if target.exists() and not self.force:
            raise CommandFailed(f"{target} is another file and stays as it is; --force replaces it")
        part = fetching.part_of(target, offer)
        fetching.fetch(part, offer)
        if not self._is_it(part):
            part.unlink()
            raise CommandFailed(f"{offer.name}: what arrives has another checksum than the order says; run it again")
        sync(part)
        part.replace(target)
        return target

    def _is_it(self, path: Path) -> bool:
        """Whether a file has the size and, where the API knows one, the checksum."""
        same = path.stat().st_size == self.file["size"]
        return same and self.file["sha256"] in {None, sha256_of(path)}
