"""One read of a file gives both its CRC-32 and its SHA-256, with bounded memory, in the thread that calls.

A large file is hashed by a second thread while this one reads and counts the CRC, so that both cores work, and the
pieces of a very large one by a third; small ones are not worth the hand-over. Everything blocks: call it in a worker
thread.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256, sha512
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self

from isal.isal_zlib import crc32

from models.errors import Failed, FailureCode
from models.pieces import Pieces, piece_length
from storage.sources.protocol import FileVersion, Reader, Source, check_version

BUFFER_BYTES: Final = 512 * 1024
_BUFFERS: Final = 6


class Digest(NamedTuple):
    """What sealing wants to know of a file; `sha256` are the 32 raw bytes."""

    size: int
    crc32: int
    sha256: bytes
    pieces: Pieces | None = None


class Wanted(NamedTuple):
    """A file to read, and the version it must have before and after."""

    href: str
    expected: FileVersion


class DigestStopped(Exception):
    """The caller's `cancelled` said so; nothing is known of the file that was being read."""


class _Hash(Protocol):
    def update(self, data: memoryview, /) -> None: ...


class _PieceHashes:
    """The hash of each piece, counted as the bytes come; no buffer reaches over the end of one."""

    def __init__(self, length: int) -> None:
        self._length, self._filled, self._hash, self._done = length, 0, sha256(), bytearray()

    def update(self, data: memoryview, /) -> None:
        self._hash.update(data)
        self._filled += len(data)
        if self._filled == self._length:
            self._end_piece()

    def ended(self) -> Pieces:
        if self._filled:
            self._end_piece()
        return Pieces(self._length, bytes(self._done))

    def _end_piece(self) -> None:
        self._done += self._hash.digest()
        self._hash, self._filled = sha256(), 0


def digest(
    source: Source,
    href: str,
    *,
    expected: FileVersion,
    progress: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> Digest:
    """Read one file. `progress` gets the bytes read since its last call; `cancelled` is asked before each buffer."""
    with _Digester(progress, cancelled) as digester:
        return digester.digest(source, href, expected)


def digests(
    source: Source,
    wanted: Iterable[Wanted],
    *,
    progress: Callable[[int], None],
    cancelled: Callable[[], bool],
    pieces: bool = False,
) -> Iterator[Digest | Failed]:
    """Read many files, in order, with the same buffers: for each its digest, or why there is none.

    With `pieces` those of large files are hashed too, which costs as much as their SHA-256 once more.
    """
    with _Digester(progress, cancelled, pieces) as digester:
        for href, expected in wanted:
            try:
                found: Digest | Failed = digester.digest(source, href, expected)
            except Failed as failed:
                found = failed
            yield found


class _Work(NamedTuple):
    buffer: memoryview
    length: int
    hashes: Sequence[_Hash]
    """One for each thread that the buffer goes through."""


class _Digester(AbstractContextManager["_Digester"]):
    """The buffers, and the hashing threads once a large file needs them.

    The first thread hands a buffer on to the second, where there is one, and the last gives it back.
    """

    def __init__(self, progress: Callable[[int], None], cancelled: Callable[[], bool], pieces: bool = False) -> None:
        self._progress, self._cancelled, self._pieces = progress, cancelled, pieces
        self._small = memoryview(bytearray())
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._threads: list[tuple[Thread, SimpleQueue[_Work | None]]] = []

    def digest(self, source: Source, href: str, expected: FileVersion) -> Digest:
        """Read one file."""
        size = expected.size
        if size <= BUFFER_BYTES:
            return self._inline(source, href, expected)
        reader = source.open(href, expected)
        try:
            found = self._shared(reader, size)
            check_version(href, expected, reader.version())
        except EOFError as error:
            text = f"{href} has changed: it ended before its {size} bytes were read"
            raise Failed(FailureCode.SOURCE_CHANGED, text) from error
        finally:
            reader.close()
        return found

    def _inline(self, source: Source, href: str, expected: FileVersion) -> Digest:
        size = expected.size
        if len(self._small) < size:
            self._small = memoryview(bytearray(size))
        if self._cancelled():
            raise DigestStopped
        view = self._small[:size]
        source.read_whole(href, expected, view)
        self._progress(size)
        hashed = sha256(view).digest()
        crc = crc32(view)
        _settle()
        return Digest(size, crc, hashed)

    def _shared(self, reader: Reader, size: int) -> Digest:
        """Read and count the CRC here, hash there; a buffer comes back when it is hashed."""
        pieces = _PieceHashes(length) if self._pieces and (length := piece_length(size)) else None
        crc, hashed, offset = 0, sha256(), 0
        hashes: list[_Hash] = [hashed, pieces] if pieces else [hashed]
        self._start(len(hashes))
        while offset < size:
            buffer = self._free.get()
            try:
                view = self._read(reader, buffer[: size - offset], offset)
            except BaseException:
                self._free.put(buffer)
                raise
            self._threads[0][1].put(_Work(buffer, len(view), hashes))
            crc = crc32(view, crc)
            offset += len(view)
        for buffer in [self._free.get() for _ in range(_BUFFERS)]:  # all back: the hash is complete
            self._free.put(buffer)
        _settle()
        return Digest(size, crc, hashed.digest(), pieces.ended() if pieces else None)

    def _read(self, reader: Reader, view: memoryview, offset: int) -> memoryview:
        if self._cancelled():
            raise DigestStopped
        if reader.read_into(view, offset) != len(view):
            raise EOFError
        self._progress(len(view))
        return view

    def _start(self, threads: int) -> None:
        if not self._threads:
            for _ in range(_BUFFERS):
                self._free.put(memoryview(bytearray(BUFFER_BYTES)))
        for number in range(len(self._threads), threads):
            queue: SimpleQueue[_Work | None] = SimpleQueue()
            thread = Thread(target=self._hash, args=(number, queue), name="sha256", daemon=True)
            self._threads.append((thread, queue))
            thread.start()

    def _hash(self, number: int, queue: SimpleQueue[_Work | None]) -> None:
        _settle()
        while (work := queue.get()) is not None:
            work.hashes[number].update(work.buffer[: work.length])
            if number + 1 < len(work.hashes):
                self._threads[number + 1][1].put(work)
            else:
                self._free.put(work.buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for thread, queue in self._threads:
            queue.put(None)
            thread.join()


def _settle() -> None:
    """Undo what isal's CRC does to the thread: it leaves the AVX registers' upper halves in use.

    OpenSSL's SHA-256 is then a quarter slower in that thread and in those it starts, for good (1.34 for 1.81 GB/s);
    SHA-512 of nothing ends with the instruction that clears them, in half a microsecond.
    """
    sha512(b"").digest()
