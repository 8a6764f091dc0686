"""Staging: proves every pending file of a sub-order by one read, or by what an earlier read has proven."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Any, NamedTuple, Self

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities.meters import count_staged
from activities.settling import SettledFile, claim, settle_files
from activities.storage_work import StorageWork, WorkerPools
from models.errors import Failed, Failure, FailureCode
from models.labels import size_in_words
from models.messages import StagedFiles, SubOrderFailed, SubOrderInput
from models.pieces import Pieces
from models.queries import suborders as queries
from models.verify import Verify
from storage.archive.digest import Digest, DigestStopped, Wanted, digests
from storage.bulkheads import Bulkhead
from storage.pool import StoragePool
from storage.sources.protocol import FileVersion, Source, written_to
from storage.sources.registry import Sources
from temporal.heartbeat import heartbeating


class Known(NamedTuple):
    """What an earlier read has proven, and the version it read."""

    version: FileVersion
    digest: Digest
    doubted: bool = False
    """Whether a download has found other bytes under this version since."""


class PendingFile(NamedTuple):
    """A file that has yet to be proven, what the catalogue says of it, and what an earlier read has proven."""

    seq: int
    name: str
    href: str
    size_bytes: int
    modified_ns: int
    sha256: bytes | None
    known: Known | None

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """A row of the query `pending_files`."""
        seq, name, href, size, modified, sha256, known_size, known_modified, etag, crc, known_sha256, *more = row
        if known_size != size:
            return cls(seq, name, href, size, modified, sha256, None)
        *pieces, doubted = more
        version = FileVersion.dated(size, known_modified, etag)
        digest = Digest(size, crc, known_sha256, Pieces.kept(*pieces))
        return cls(seq, name, href, size, modified, sha256, Known(version, digest, doubted))

    @property
    def trusted(self) -> Known | None:
        """What is known, as far as nothing has contradicted it: no download, and no promise."""
        if self.known is None or self.known.doubted or self.sha256 not in {None, self.known.digest.sha256}:
            return None
        return self.known


@dataclass(frozen=True)
class StagingActivities:
    """Reads the files of sub-orders."""

    sessions: async_sessionmaker[AsyncSession]
    sources: Sources = field(default_factory=Sources)
    verify: Verify = Verify.CHANGED
    pool: StoragePool = field(default_factory=lambda: WorkerPools().staging)
    pieces: bool = False

    @activity.defn
    async def stage_files(self, suborder: SubOrderInput) -> StagedFiles:
        """Verify every pending file of a sub-order; what an earlier attempt has settled is not read again.

        Nor, as the setting has it, what was read for another order or at the import and has not changed since.
        A file that is wrong is recorded as failed. One that cannot be read just now is left for the next attempt,
        and recorded as failed by the last.
        """
        async with self.sessions.begin() as session:
            mine = await claim(session, suborder.order_id, suborder.number)
        storage, work = Bulkhead.of_source(mine.location), StorageWork(self.pool, self.sessions)
        async with work.turn(suborder, storage) as place:
            async with self.sessions.begin() as session:
                rows = await session.execute(queries.pending_files(suborder.order_id, suborder.number))
                files = [PendingFile.of(row) for row in rows]
            reading = _StagingRun(self.sources.at(mine.location), files, self.verify, self.pieces, place.moved)
            call = place.start(reading.run)
            try:
                await work.attend(call, partial(self._write, suborder, mine.attempt, reading), storage)
            finally:
                # Also when paused or cancelled: what has been read is written down and never read again.
                reading.stop.set()
                await work.stopped(call, reading.tell, storage)
                await self._write(suborder, mine.attempt, reading)
        if reading.postponed:
            await self._give_up_or_raise(suborder, mine.attempt, reading.postponed)
        return await self._result(suborder, mine.attempt)

    @activity.defn
    @heartbeating()
    async def give_up_files(self, failed: SubOrderFailed) -> StagedFiles:
        """Record every file that is still pending as failed; attempts that may still be alive are fenced off."""
        async with self.sessions.begin() as session:
            mine = await claim(session, failed.order_id, failed.number)
            rows = await session.execute(queries.pending_files(failed.order_id, failed.number))
            files = [SettledFile.failed(row.seq, row.size_bytes, failed.failure) for row in map(PendingFile.of, rows)]
            await settle_files(session, failed.order_id, failed.number, mine.attempt, files)
        count_staged(files)
        return await self._result(SubOrderInput(order_id=failed.order_id, number=failed.number), mine.attempt)

    async def _write(self, suborder: SubOrderInput, attempt: int, reading: "_StagingRun") -> None:
        """Write what has settled since, and tell Temporal that the work is alive and where it is."""
        if settled := reading.take():
            async with self.sessions.begin() as session:
                await settle_files(session, suborder.order_id, suborder.number, attempt, settled)
            count_staged(settled)
        await reading.tell()

    async def _give_up_or_raise(
        self, suborder: SubOrderInput, attempt: int, postponed: Sequence[tuple[PendingFile, Failure]]
    ) -> None:
        info = activity.info()
        attempts = info.retry_policy.maximum_attempts if info.retry_policy else 0
        if not attempts or info.attempt < attempts:
            raise Failed(postponed[0][1].code, postponed[0][1].text)
        files = [SettledFile.failed(file.seq, file.size_bytes, failure) for file, failure in postponed]
        async with self.sessions.begin() as session:
            await settle_files(session, suborder.order_id, suborder.number, attempt, files)
        count_staged(files)

    async def _result(self, suborder: SubOrderInput, attempt: int) -> StagedFiles:
        async with self.sessions.begin() as session:
            query: sa.Select[int, int, int] = queries.settled_counts(suborder.order_id, suborder.number)
            available, failed, size = (await session.execute(query)).one()
        return StagedFiles(attempt=attempt, available=available, failed=failed, bytes=size)


class _StagingRun:
    """The reading of files in a worker thread; the event loop takes what has settled."""

    def __init__(
        self, source: Source, files: Sequence[PendingFile], verify: Verify, pieces: bool, moved: Callable[[], None]
    ) -> None:
        self._source, self._files, self._verify, self._pieces, self._moved = source, files, verify, pieces, moved
        self._settled: deque[SettledFile] = deque()
        self._now: tuple[PendingFile, FileVersion] | None = None
        self._bytes = 0
        self.postponed: list[tuple[PendingFile, Failure]] = []
        self.stop = Event()

    def run(self) -> None:
        """Read all files; returns early, with DigestStopped, when told to stop. Raises Failed without its storage."""
        self._source.check_available()
        stop = self.stop.is_set
        for found in digests(
            self._source, self._wanted(), progress=self._progress, cancelled=stop, pieces=self._pieces
        ):
            if self._now is None:
                raise RuntimeError("a digest without a file")
            file, version = self._now
            if isinstance(found, Failed):
                self._fail(file, found)
            else:
                self._settled.append(_proven(file, version, found, was_read=True))

    def take(self) -> list[SettledFile]:
        """What has settled since the last call."""
        return [self._settled.popleft() for _ in range(len(self._settled))]

    async def tell(self) -> None:
        """Tell Temporal that the work is alive, and in the words of its UI where it is."""
        name = self._now[0].name if self._now else "…"
        activity.heartbeat(f"{name} · {size_in_words(self._bytes)} read")

    def _wanted(self) -> Iterator[Wanted]:
        for file in self._files:
            if self.stop.is_set():
                raise DigestStopped
            self._moved()
            known = file.trusted if self._verify is not Verify.ALWAYS else None
            if known and self._verify is Verify.NEVER:
                self._settled.append(_proven(file, known.version, known.digest, was_read=False))
                continue
            try:
                version = self._source.stat(file.href)
            except Failed as failed:
                self._fail(file, failed)
                continue
            if version.size != file.size_bytes:
                text = f"{file.name} has {version.size} bytes where the catalogue says {file.size_bytes}"
                self._fail(file, Failed(FailureCode.SIZE_MISMATCH, text))
                continue
            if known and version == known.version:
                self._settled.append(_proven(file, version, known.digest, was_read=False))
                continue
            if version.modified_ns != file.modified_ns and file.sha256 is None and file.known is None:
                self._fail(file, written_to(file.name))
                continue
            self._now = file, version
            yield Wanted(file.href, version)

    def _fail(self, file: PendingFile, failed: Failed) -> None:
        if failed.failure.retryable:
            self.postponed.append((file, failed.failure))
        else:
            self._settled.append(SettledFile.failed(file.seq, file.size_bytes, failed.failure))

    def _progress(self, count: int) -> None:
        self._moved()
        self._bytes += count


def _proven(file: PendingFile, version: FileVersion, found: Digest, *, was_read: bool) -> SettledFile:
    """The file as read now or earlier, or its failure where it is not what was promised or read before."""
    if why := _other_bytes(file, version, found, was_read=was_read):
        failure = Failure(code=FailureCode.CHECKSUM_MISMATCH, text=f"{file.name} {why}")
        return SettledFile.failed(file.seq, file.size_bytes, failure)
    return SettledFile(
        file.seq,
        found.size,
        version.modified_ns,
        found.sha256,
        found.crc32,
        None,
        version.etag,
        found.pieces,
        was_read,
    )


def _other_bytes(file: PendingFile, version: FileVersion, found: Digest, *, was_read: bool) -> str | None:
    """What is wrong with the bytes of a file; a promise counts for more than an earlier read.

    A promise that an earlier read has found kept is broken since: then that is what is told.
    """
    promised, known = file.sha256, file.known.digest.sha256 if file.known else None
    if found.sha256 == promised:
        return None
    if promised is not None and promised != known:
        return f"is not what the catalogue promises: its SHA-256 is {found.sha256.hex()}, expected {promised.hex()}"
    if not was_read or file.known is None or known == found.sha256:
        return None
    if file.known.version == version:
        return (
            "has other bytes than when it was read before, though its size and time are the same;"
            " have it restored from a copy and retry, or touch it, import it again and"
            " order it again if it is right as it is now"
        )
    return (
        f"was written to and has other bytes than when it was read before: its SHA-256 is {found.sha256.hex()},"
        f" it was {file.known.digest.sha256.hex()}; have it restored from a copy and retry, or import it again and"
        " order it again if it is right as it is now"
    )
