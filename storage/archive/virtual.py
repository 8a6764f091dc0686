"""Any byte range of an archive, streamed from the files it consists of: the archive itself is never written.

A source must have the version it was sealed with when it is opened and after every read (after it alone where that
takes the whole file), and a member that is read whole must have its CRC-32; otherwise the stream breaks before the
doubtful bytes are given, and never ends cleanly.
"""

from collections.abc import AsyncGenerator, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

from isal.isal_zlib import crc32

from models.archive import FileSlice, Layout
from models.errors import Failed, FailureCode
from storage.pool import Share
from storage.sources.protocol import FileVersion, Reader, Source, check_version

BLOCK_BYTES: Final = 1024 * 1024
_KEPT_BUFFERS: Final = 4


class Member(NamedTuple):
    """Where the bytes of an entry come from, and the version they were sealed with."""

    source: Source
    href: str
    version: FileVersion


class MemberFailed(Failed):
    """The stream broke at this member of the layout."""

    def __init__(self, member: int, failed: Failed) -> None:
        super().__init__(failed.failure.code, failed.failure.text)
        self.member = member


async def stream(
    layout: Layout, members: Sequence[Member], threads: Share, start: int = 0, stop: int | None = None
) -> AsyncGenerator[memoryview, None]:
    """The bytes from `start` up to, not including, `stop`, read in threads one block ahead of the consumer.

    Ask for the first block before answering: until then a failure can still be told politely. Raises Failed where
    there is no byte for as long as the pool of the threads has patience.
    """
    blocks = Blocks(layout, members, start, stop)
    ahead = threads.submit(blocks.read)
    try:
        while (block := await threads.answer(ahead)) is not None:
            ahead = threads.submit(blocks.read)
            yield block
    finally:
        # A read may still be under way in its thread; only when it is over may its file be closed.
        ahead.add_done_callback(lambda _: blocks.close())
        ahead.place.leave()


class Blocks:
    """The same bytes for one thread at a time, block by block; small members share a block."""

    def __init__(
        self,
        layout: Layout,
        members: Sequence[Member],
        start: int = 0,
        stop: int | None = None,
        *,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._layout, self._members, self._block_bytes = layout, members, block_bytes
        self._left = (layout.total_bytes if stop is None else stop) - start
        self._segments = layout.segments(start, stop)
        self._rest: bytes | FileSlice | None = None
        self._reader: Reader | None = None
        self._crc: int | None = None
        self._buffers: list[bytearray] = []

    def read(self) -> memoryview | None:
        """The next block, or None after the last one; after a failure there is nothing more to be had."""
        if not self._left:
            self.close()
            return None
        size = min(self._block_bytes, self._left)
        try:
            block = memoryview(self._buffer(size))[:size]
            self._fill(block)
        except BaseException:
            self.close()
            raise
        self._left -= size
        return block.toreadonly()

    def close(self) -> None:
        """Give the open file back and end the stream."""
        self._left = 0
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _buffer(self, size: int) -> bytearray:
        """A buffer that nobody looks at any more, else a new one.

        A server may keep a view of a block long after it asked for the next, and a bytearray that is viewed
        refuses to change its length: so it tells by itself whether it can be filled again.
        """
        for buffer in self._buffers:
            try:
                buffer.pop()
            except BufferError:
                continue
            buffer.append(0)
            return buffer
        fresh = bytearray(size)
        if len(self._buffers) < _KEPT_BUFFERS:
            self._buffers.append(fresh)
        return fresh

    def _fill(self, block: memoryview) -> None:
        done, size = 0, len(block)
        while done < size:
            piece = self._rest if self._rest is not None else next(self._segments)
            self._rest = None
            if isinstance(piece, bytes):
                count = min(len(piece), size - done)
                block[done : done + count] = piece[:count]
                if count < len(piece):
                    self._rest = piece[count:]
            else:
                member, offset, length = piece
                count = min(length, size - done)
                self._copy(piece, block[done : done + count])
                if count < length:
                    self._rest = FileSlice(member, offset + count, length - count)
            done += count

    def _copy(self, piece: FileSlice, view: memoryview) -> None:
        """Fill the view with the beginning of a piece, and end the member with the piece."""
        member, offset, length = piece
        source, href, version = self._members[member]
        try:
            reader = self._reader
            if reader is None and len(view) == length == self._layout.size(member):
                source.read_whole(href, version, view)
                self._check_crc(member, href, crc32(view))
                return
            if reader is None:
                reader = self._reader = source.open(href, version)
                self._crc = 0 if length == self._layout.size(member) else None
            if reader.read_into(view, offset) != len(view):
                raise Failed(FailureCode.SOURCE_CHANGED, f"{href} has changed: it has become shorter")
            check_version(href, version, reader.version())
            if self._crc is not None:
                self._crc = crc32(view, self._crc)
            if len(view) == length:
                if self._crc is not None:
                    self._check_crc(member, href, self._crc)
                reader.close()
                self._reader = None
        except Failed as failed:
            raise MemberFailed(member, failed) from failed

    def _check_crc(self, member: int, href: str, found: int) -> None:
        if found != self._layout.crc32(member):
            text = f"{href} has changed: its checksum is not the one it was sealed with"
            raise Failed(FailureCode.CHECKSUM_MISMATCH, text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
