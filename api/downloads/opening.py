"""Opening archives and files: from their rows to an answer with their bytes."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import structlog
from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Services
from api.downloads import download_lookup, download_response
from api.downloads.download_response import Representation
from api.downloads.source_loss import lose
from api.downloads.tracking import Target
from api.http.ranges import Version
from api.orders.presenting import API
from models.archive import Entry, Layout
from models.coverage import Span
from models.links import metalink_path
from models.metalink import FILES_PER_DOCUMENT
from models.packaging import NS_PER_SECOND, PackedFile, delivered, layout_of
from models.queries import orders as queries
from models.tables import Order, OrderFile, SubOrder
from storage.archive.virtual import Member, MemberFailed, stream
from storage.sources.protocol import FileVersion
from storage.sources.registry import source_at

log = structlog.get_logger()


class Found(Protocol):
    """What may be downloaded, as the rows say, before its bytes are looked at."""

    def shown(self, services: Services) -> Representation:
        """How it is told of."""

    async def opened(self, services: Services, actor: str) -> "Opened":
        """Its bytes."""


@dataclass(frozen=True)
class FoundArchive:
    """The archive of a sub-order; `files` are left out where nobody asks for its bytes."""

    order: Order
    suborder: SubOrder
    files: Sequence[PackedFile]

    def shown(self, services: Services) -> Representation:
        """A zip of a length that is known before it exists."""
        part = self.suborder
        return Representation(
            Version(part.archive_etag or "", part.archive_bytes or 0, part.sealed_at),
            services.archive_name(self.order, part.number),
            "application/zip",
        )

    async def opened(self, services: Services, actor: str) -> "Opened":
        """Laid out as it was sealed, or it is not served."""
        order, part = self.order, self.suborder
        layout = await asyncio.to_thread(layout_of, order.number, part.number, self.files)
        if layout.etag != part.archive_etag:
            raise RuntimeError(f"archive {order.number}/{part.number} is not as it was sealed")
        there, source = delivered(self.files), source_at(part.location)
        members = [Member(source, f.href, FileVersion(f.size_bytes, f.modified_ns)) for f in there]
        target = Target(order.id, part.number, layout.etag, layout.total_bytes, actor)
        return Opened(services, target, layout, members, [f.seq for f in there])


@dataclass(frozen=True)
class FoundFile:
    """A single file: the inside of an archive that has nothing else in it."""

    file: OrderFile
    suborder: SubOrder

    def shown(self, services: Services) -> Representation:
        """The file with its proof, and where the Metalink is that has it."""
        file, digest = self.file, self.file.sha256 or b""
        part = (file.seq - 1) // FILES_PER_DOCUMENT + 1
        metalink = f"{services.public_url}{API}/{metalink_path(file.order_id)}"
        return Representation(
            Version(f'"{digest.hex()[:40]}"', file.size_bytes, datetime.fromtimestamp(file.modified_ns / 1e9, UTC)),
            file.path.rpartition("/")[2],
            download_response.media_type_of(file.media_type),
            digest,
            metalink if part == 1 else f"{metalink}?part={part}",
        )

    async def opened(self, services: Services, actor: str) -> "Opened":
        """Its bytes, checked as those of an archive's member are."""
        file, digest = self.file, self.file.sha256 or b""
        seconds = file.modified_ns // NS_PER_SECOND
        layout = Layout([Entry(file.path, file.size_bytes, file.crc32 or 0, seconds, digest)])
        version = FileVersion(file.size_bytes, file.modified_ns)
        member = Member(source_at(self.suborder.location), file.href, version)
        etag = self.shown(services).version.etag
        target = Target(file.order_id, self.suborder.number, etag, file.size_bytes, actor, file.seq)
        return Opened(services, target, layout, [member], [file.seq], offset=layout.data_offset(0))


async def archive(session: AsyncSession, order: Order, number: int, method: str) -> FoundArchive:
    """The archive of a sub-order. Raises NotFound, Gone or NotReady."""
    suborder = await download_lookup.archive(session, order, number)
    if method == "HEAD":
        return FoundArchive(order, suborder, ())
    files = [PackedFile(*row) for row in await session.execute(queries.packed_files(order.id, number))]
    return FoundArchive(order, suborder, files)


async def file(session: AsyncSession, order: Order, key: int | UUID) -> FoundFile:
    """A single file. Raises NotFound, Gone, FileFailed or NotReady."""
    return FoundFile(*await download_lookup.file(session, order, key))


async def answer(request: Request, services: Services, found: Found, actor: str) -> Response:
    """What a GET or a HEAD of it is answered; no transaction may be open, for this may take days."""
    shown = found.shown(services)
    if (short := download_response.response_without_body(request, shown)) is not None:
        return short
    opened = await found.opened(services, actor)
    return await download_response.answer(request, services, shown, opened.target, opened.read)


class Opened:
    """A layout with the members its bytes come from; the representation begins at `offset` of it."""

    def __init__(
        self,
        services: Services,
        target: Target,
        layout: Layout,
        members: Sequence[Member],
        seqs: Sequence[int],
        *,
        offset: int = 0,
    ) -> None:
        self._services, self.target, self._layout = services, target, layout
        self._members, self._seqs, self._offset = members, seqs, offset

    async def read(self, span: Span) -> AsyncGenerator[memoryview, None]:
        """The bytes of a span. A member that is not what was sealed ends them, and is recorded."""
        start, stop = span.start + self._offset, span.stop + self._offset
        blocks = stream(self._layout, self._members, self._services.readers, start, stop)
        try:
            async for block in blocks:
                yield block
        except MemberFailed as failed:
            # Raised on, so that the connection is cut: half a download must never look whole.
            log.warning("download cut", order=str(self.target.order_id), failure=failed.failure.text)
            await lose(self._services, self.target, self._members, self._seqs, failed.member, failed)
            raise
        finally:
            await blocks.aclose()
