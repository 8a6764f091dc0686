"""Computes the checksums of a product's files ahead of any order, so that its orders need not read them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from threading import Event
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import col

from models.errors import Failed
from models.queries import known_checksums
from models.tables import Product
from models.text import shown
from services.catalogue.messages import ChecksumReport, SkippedEntry
from storage.archive.digest import Digest, DigestStopped, Wanted, digests
from storage.sources.protocol import FileVersion, Source, check_version
from storage.sources.registry import Sources

_BATCH_FILES: Final = 2_000
_BATCH_BYTES: Final = 1024**3
"""What is read between two writes, and again after a crash; a file of any size counts as one."""

_NIL: Final = UUID(int=0)

Progress = Callable[[int, int], None]
"""Gets the files and the bytes that were read since its last call, in any thread."""


class UnknownFile(NamedTuple):
    """A catalogue file nothing is known of, and the SHA-256 its source promised."""

    id: UUID
    name: str
    href: str
    size_bytes: int
    modified_ns: int
    promised: bytes | None


class _Read(NamedTuple):
    file: UnknownFile
    version: FileVersion
    digest: Digest


async def unknown_of(sessions: async_sessionmaker[AsyncSession], sku: str) -> tuple[int, int]:
    """How many files of a product have yet to be read, and their bytes."""
    async with sessions.begin() as session:
        product, _ = await _product(session, sku)
        files, size = (await session.execute(known_checksums.MISSING_OF_PRODUCT, {"product": product})).one()
        return files, size


async def precompute_checksums(
    sessions: async_sessionmaker[AsyncSession],
    sources: Sources,
    sku: str,
    progress: Progress = lambda _files, _bytes: None,
    *,
    pieces: bool = False,
) -> ChecksumReport:
    """Compute the checksums of a product's files that are not known yet; those that are keep theirs.

    What was read is written down as it goes, and never read again by another run. A file that cannot be read or is no
    longer what was catalogued is refused with the reason. Raises Failed where the storage does not answer.
    """
    async with sessions.begin() as session:
        product, location = await _product(session, sku)
    source, refused = sources.at(location), list[SkippedEntry]()
    await asyncio.to_thread(source.check_available)
    files = size = 0
    async for batch in _batches(sessions, product):
        done = await _read(_ChecksumBatch(source, batch, progress, pieces))
        refused += done.refused
        async with sessions.begin() as session:
            values = {"product": product, "location": location, **_columns(done.read)}
            kept = await session.execute(known_checksums.UPSERT_READ, values)
        files, size = files + len(kept.all()), size + sum(one.digest.size for one in done.read)
    return ChecksumReport(sku=sku, files=files, size_bytes=size, refused=tuple(refused))


async def _product(session: AsyncSession, sku: str) -> tuple[int, str]:
    query = sa.select(col(Product.id), col(Product.location)).where(col(Product.sku) == sku)
    key, location = (await session.execute(query)).one()
    return key, location


async def _batches(sessions: async_sessionmaker[AsyncSession], product: int) -> AsyncIterator[list[UnknownFile]]:
    """Files nothing is known of, cut to what is read in one go."""
    after: UUID = _NIL
    while True:
        async with sessions.begin() as session:
            values = {"product": product, "after": after, "limit": _BATCH_FILES}
            page = [UnknownFile(*row) for row in await session.execute(known_checksums.MISSING_PAGE, values)]
        if not page:
            return
        after = page[-1].id
        for batch in _cut(page):
            yield batch


def _cut(files: Sequence[UnknownFile]) -> Iterator[list[UnknownFile]]:
    batch: list[UnknownFile] = []
    size = 0
    for file in files:
        if batch and size + file.size_bytes > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size_bytes
    yield batch


async def _read(batch: "_ChecksumBatch") -> "_ChecksumBatch":
    """Read a batch in a thread; one that is cancelled leaves none behind that reads on."""
    task = asyncio.create_task(asyncio.to_thread(batch.run))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        batch.stop.set()
        with suppress(DigestStopped):
            await task
        raise
    return batch


class _ChecksumBatch:
    """The reading of a batch in a worker thread."""

    def __init__(self, source: Source, files: Sequence[UnknownFile], progress: Progress, pieces: bool) -> None:
        self._source, self._files, self._progress, self._pieces = source, files, progress, pieces
        self._now: list[tuple[UnknownFile, FileVersion]] = []
        self.read: list[_Read] = []
        self.refused: list[SkippedEntry] = []
        self.stop = Event()

    def run(self) -> None:
        """Read all files. Raises Failed where the storage is in trouble, for the files are not."""
        told, stop = partial(self._progress, 0), self.stop.is_set
        for found in digests(self._source, self._wanted(), progress=told, cancelled=stop, pieces=self._pieces):
            file, version = self._now.pop()
            if isinstance(found, Failed):
                self._refuse(file, found)
                continue
            self.read.append(_Read(file, version, found))
            if file.promised not in {None, found.sha256}:
                text = f"its SHA-256 is {found.sha256.hex()}, where its source promises {(file.promised or b'').hex()}"
                self.refused.append(SkippedEntry(what=shown(file.name), why=text))

    def _wanted(self) -> Iterator[Wanted]:
        for file in self._files:
            self._progress(1, 0)
            try:
                version = self._source.stat(file.href)
                # The catalogue keeps no ETag.
                found = FileVersion.dated(version.size, version.modified_ns)
                check_version(file.name, FileVersion.dated(file.size_bytes, file.modified_ns), found)
            except Failed as failed:
                self._refuse(file, failed)
            else:
                self._now.append((file, version))
                yield Wanted(file.href, version)

    def _refuse(self, file: UnknownFile, failed: Failed) -> None:
        if failed.failure.retryable:
            raise failed
        self.refused.append(SkippedEntry(what=shown(file.name), why=shown(failed.failure.text)))


def _columns(read: Sequence[_Read]) -> dict[str, list[Any]]:
    return {
        "ids": [one.file.id for one in read],
        "hrefs": [one.file.href for one in read],
        "sizes": [one.digest.size for one in read],
        "modified": [one.version.modified_ns for one in read],
        "etags": [one.version.etag for one in read],
        "sha256s": [one.digest.sha256 for one in read],
        "crcs": [one.digest.crc32 for one in read],
        "piece_bytes": [one.digest.pieces and one.digest.pieces.length for one in read],
        "pieces": [one.digest.pieces and one.digest.pieces.hashes for one in read],
    }
