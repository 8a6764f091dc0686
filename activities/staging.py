"""Staging: reads every pending file of a sub-order once, proves it, and writes down what it found."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities.settling import SettledFile, claim, settle_files
from activities.troubles import Whose, noted
from models.errors import Failed, Failure, FailureCode
from models.labels import size_in_words
from models.messages import StagedFiles, SubOrderFailed, SubOrderInput
from models.queries import suborders as queries
from storage.digest import Digest, DigestStopped, Wanted, digests
from storage.places import check_answers, source_at
from storage.source import FileVersion, Source

WRITE_EVERY = 0.5
"""Seconds between two writes of progress: the most that is read again after a crash, beside the file in hand."""


class PendingFile(NamedTuple):
    """A file that has yet to be read, and what the catalogue says of it."""

    seq: int
    name: str
    href: str
    size_bytes: int
    sha256: bytes | None


@dataclass(frozen=True)
class StagingActivities:
    """Reads the files of sub-orders."""

    sessions: async_sessionmaker[AsyncSession]

    @activity.defn
    async def stage_files(self, suborder: SubOrderInput) -> StagedFiles:
        """Verify every pending file of a sub-order; what an earlier attempt has settled is not read again.

        A file that is wrong is recorded as failed. One that cannot be read just now is left for the next attempt,
        and recorded as failed by the last.
        """
        async with self.sessions.begin() as session:
            mine = await claim(session, suborder.order_id, suborder.number)
            rows = await session.execute(queries.pending_files(suborder.order_id, suborder.number))
            files = [PendingFile(*row) for row in rows]
        whose = Whose(suborder.order_id, suborder.number, mine.attempt)
        async with noted(self.sessions, whose):
            await asyncio.to_thread(check_answers, mine.location)
        reading = _Reading(source_at(mine.location), files)
        task = asyncio.create_task(asyncio.to_thread(reading.run))
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=WRITE_EVERY)
                await self._write(suborder, mine.attempt, reading)
        finally:
            # Also when paused or cancelled: what has been read is written down and never read again.
            reading.stop.set()
            with suppress(DigestStopped):
                await task
            await self._write(suborder, mine.attempt, reading)
        if reading.postponed:
            async with noted(self.sessions, whose):
                await self._give_up_or_raise(suborder, mine.attempt, reading.postponed)
        return await self._result(suborder, mine.attempt)

    @activity.defn
    async def give_up_files(self, failed: SubOrderFailed) -> StagedFiles:
        """Record every file that is still pending as failed; attempts that may still be alive are fenced off."""
        async with self.sessions.begin() as session:
            mine = await claim(session, failed.order_id, failed.number)
            rows = await session.execute(queries.pending_files(failed.order_id, failed.number))
            files = [SettledFile.failed(seq, size, failed.failure) for seq, _, _, size, _ in rows]
            await settle_files(session, failed.order_id, failed.number, mine.attempt, files)
        return await self._result(SubOrderInput(order_id=failed.order_id, number=failed.number), mine.attempt)

    async def _write(self, suborder: SubOrderInput, attempt: int, reading: "_Reading") -> None:
        """Write what has settled since, and tell Temporal that the work is alive and where it is."""
        if settled := reading.take():
            async with self.sessions.begin() as session:
                await settle_files(session, suborder.order_id, suborder.number, attempt, settled)
        activity.heartbeat(reading.position())

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

    async def _result(self, suborder: SubOrderInput, attempt: int) -> StagedFiles:
        async with self.sessions.begin() as session:
            query: sa.Select[int, int, int] = queries.settled_counts(suborder.order_id, suborder.number)
            available, failed, size = (await session.execute(query)).one()
        return StagedFiles(attempt=attempt, available=available, failed=failed, bytes=size)


class _Reading:
    """The reading of files in a worker thread; the event loop takes what has settled."""

    def __init__(self, source: Source, files: Sequence[PendingFile]) -> None:
        self._source, self._files = source, files
        self._settled: deque[SettledFile] = deque()
        self._now: tuple[PendingFile, FileVersion] | None = None
        self._bytes = 0
        self.postponed: list[tuple[PendingFile, Failure]] = []
        self.stop = Event()

    def run(self) -> None:
        """Read all files; returns early, with DigestStopped, when told to stop."""
        for found in digests(self._source, self._wanted(), progress=self._progress, cancelled=self.stop.is_set):
            if self._now is None:
                raise RuntimeError("a digest without a file")
            file, version = self._now
            if isinstance(found, Failed):
                self._fail(file, found)
            else:
                self._settled.append(_proven(file, version, found))

    def take(self) -> list[SettledFile]:
        """What has settled since the last call."""
        return [self._settled.popleft() for _ in range(len(self._settled))]

    def position(self) -> str:
        """Where the reading is, in words for the Temporal UI."""
        name = self._now[0].name if self._now else "…"
        return f"{name} · {size_in_words(self._bytes)} read"

    def _wanted(self) -> Iterator[Wanted]:
        for file in self._files:
            if self.stop.is_set():
                raise DigestStopped
            try:
                version = self._source.stat(file.href)
            except Failed as failed:
                self._fail(file, failed)
                continue
            if version.size != file.size_bytes:
                text = f"{file.name} has {version.size} bytes where the catalogue says {file.size_bytes}"
                self._fail(file, Failed(FailureCode.SIZE_MISMATCH, text))
                continue
            self._now = file, version
            yield Wanted(file.href, version)

    def _fail(self, file: PendingFile, failed: Failed) -> None:
        if failed.failure.retryable:
            self.postponed.append((file, failed.failure))
        else:
            self._settled.append(SettledFile.failed(file.seq, file.size_bytes, failed.failure))

    def _progress(self, count: int) -> None:
        self._bytes += count


def _proven(file: PendingFile, version: FileVersion, found: Digest) -> SettledFile:
    """The file as read, or its failure where the catalogue knows better."""
    if file.sha256 is not None and file.sha256 != found.sha256:
        text = (
            f"{file.name} is not what the catalogue promises: its SHA-256 is {found.sha256.hex()},"
            f" expected {file.sha256.hex()}"
        )
        return SettledFile.failed(file.seq, file.size_bytes, Failure(code=FailureCode.CHECKSUM_MISMATCH, text=text))
    return SettledFile(file.seq, found.size, version.mtime_ns, found.sha256, found.crc32, None)
