"""Archives and files to be downloaded: from their rows to an answer with their bytes."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol
from uuid import UUID

import structlog
from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Services
from api.downloads import download_response
from api.downloads.download_response import Representation
from api.http.lasting import LastingRight
from api.http.ranges import Version
from models.archive import Entry, Layout
from models.coverage import Span
from models.errors import Failed
from models.links import API
from models.metalink import part_of
from models.packaging import NS_PER_SECOND, Contents, delivered, layout_of
from models.tables import Order, OrderFile, SubOrder
from services.archive_contents import contents_of
from services.download_lookup import downloadable_archive, downloadable_file
from services.download_tracking import DownloadTarget
from services.source_loss import changed_members, record_source_loss
from storage.archive.members import members_of
from storage.archive.virtual import Member, MemberFailed, stream
from storage.bulkheads import Bulkhead
from storage.sources.protocol import FileVersion
from temporal.outbox import deliver_event

LINK_ACTOR = "link"
"""Who downloads by a signed link; the timeline knows no more of them."""

log = structlog.get_logger()


class Downloadable(Protocol):
    """What may be downloaded, by its rows, before its bytes are read."""

    def representation(self, services: Services) -> Representation:
        """What its headers say."""

    async def open(self, services: Services, actor: str) -> "DownloadContent":
        """Its bytes."""


@dataclass(frozen=True)
class ArchiveDownload:
    """The archive of a sub-order; its contents are left out where no bytes are asked for."""

    order: Order
    suborder: SubOrder
    contents: Contents

    def representation(self, services: Services) -> Representation:
        """A zip of a length that is known before it exists."""
        part = self.suborder
        return Representation(
            Version(part.archive_etag or "", part.archive_bytes or 0, part.sealed_at),
            services.archive_name(self.order, part.number),
            "application/zip",
        )

    async def open(self, services: Services, actor: str) -> "DownloadContent":
        """Laid out as it was sealed, or it is not served."""
        order, part = self.order, self.suborder
        layout = await asyncio.to_thread(layout_of, order.number, part.number, *self.contents)
        if layout.etag != part.archive_etag:
            raise RuntimeError(f"archive {order.number}/{part.number} is not as it was sealed")
        members = members_of(services.sources.at(part.location), self.contents.files)
        target = DownloadTarget(order.id, part.number, layout.etag, layout.total_bytes, actor, order.customer)
        seqs = [f.seq for f in delivered(self.contents.files)]
        return DownloadContent(services, target, layout, members, seqs, location=part.location)


@dataclass(frozen=True)
class FileDownload:
    """A single file: the inside of an archive that has nothing else in it."""

    order: Order
    file: OrderFile
    suborder: SubOrder

    def representation(self, services: Services) -> Representation:
        """The file with its proof, and where the Metalink is that has it."""
        file, digest = self.file, self.file.sha256 or b""
        part = part_of(file.seq, services.files_per_metalink)
        return Representation(
            Version(f'"{digest.hex()[:40]}"', file.size_bytes, datetime.fromtimestamp(file.modified_ns / 1e9, UTC)),
            file.path.rpartition("/")[2],
            download_response.media_type_of(file.media_type),
            digest,
            f"{services.public_url}{API}/{services.metalink_path(self.order, 4, part)}",
        )

    async def open(self, services: Services, actor: str) -> "DownloadContent":
        """Its bytes, checked as those of an archive's member are."""
        file, digest = self.file, self.file.sha256 or b""
        seconds = file.modified_ns // NS_PER_SECOND
        layout = Layout([Entry(file.path, file.size_bytes, file.crc32 or 0, seconds, digest)])
        version = FileVersion.dated(file.size_bytes, file.modified_ns, file.etag)
        location, offset = self.suborder.location, layout.data_offset(0)
        member = Member(services.sources.at(location), file.href, version)
        etag = self.representation(services).version.etag
        owner, part = self.order.customer, self.suborder.number
        target = DownloadTarget(file.order_id, part, etag, file.size_bytes, actor, owner, file.seq)
        return DownloadContent(services, target, layout, [member], [file.seq], location=location, offset=offset)


async def find_archive(session: AsyncSession, order: Order, number: int, method: str) -> ArchiveDownload:
    """The archive of a sub-order. Raises NotFound, Gone or NotReady."""
    suborder = await downloadable_archive(session, order, number)
    if method == "HEAD":
        return ArchiveDownload(order, suborder, Contents(()))
    return ArchiveDownload(order, suborder, await contents_of(session, order.id, number))


async def find_file(session: AsyncSession, order: Order, key: int | UUID) -> FileDownload:
    """A single file. Raises NotFound, Gone, FileFailed or NotReady."""
    return FileDownload(order, *await downloadable_file(session, order, key))


async def answer(
    request: Request, services: Services, found: Downloadable, actor: str, right: LastingRight
) -> Response:
    """What a GET or a HEAD of it is answered; no transaction may be open, for this may take days."""
    representation = found.representation(services)
    if (short := download_response.response_without_body(request, representation, services.now())) is not None:
        return short
    content = await found.open(services, actor)
    return await download_response.answer(request, services, representation, content.target, content.read, right)


class DownloadContent:
    """A layout with the members its bytes come from; the representation begins at `offset` of it."""

    def __init__(
        self,
        services: Services,
        target: DownloadTarget,
        layout: Layout,
        members: Sequence[Member],
        seqs: Sequence[int],
        *,
        location: str,
        offset: int = 0,
    ) -> None:
        self._services, self.target, self._layout = services, target, layout
        self._storage = Bulkhead.of_source(location)
        self._members, self._seqs, self._offset = members, seqs, offset

    async def read(self, span: Span) -> AsyncGenerator[memoryview, None]:
        """The bytes of a span. A member that is not what was sealed ends them, and is recorded."""
        start, stop = span.start + self._offset, span.stop + self._offset
        blocks = stream(self._layout, self._members, self._services.readers.at(self._storage), start, stop)
        try:
            async for block in blocks:
                yield block
        except Failed as failed:
            # Raised on, so that the connection is cut: half a download must never look whole.
            log.warning("download cut", order=str(self.target.order_id), failure=failed.failure.text)
            if isinstance(failed, MemberFailed):
                await self._record_loss(failed)
            raise
        finally:
            await blocks.aclose()

    async def _record_loss(self, failed: MemberFailed) -> None:
        """Record every member that is not what was sealed, unless it may come back, as with an unavailable storage."""
        if failed.failure.retryable:
            return
        services = self._services
        lost = await services.checks.at(self._storage).call(partial(changed_members, self._members))
        lost[failed.member] = failed.failure
        by_seq = {self._seqs[index]: failure for index, failure in lost.items()}
        async with services.sessions.begin() as session:
            event = await record_source_loss(session, self.target, by_seq, failed.failure, services.now())
        await deliver_event(services.temporal, services.sessions, event)
