"""One read of a file gives both its CRC-32 and its SHA-256, with bounded memory, in the thread that calls.

A large file is hashed by a second thread while this one reads and counts the CRC, so that both cores work; small
ones are not worth the hand-over. Everything blocks: call it in a worker thread.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from hashlib import sha256, sha512
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self

from isal.isal_zlib import crc32

from models.errors import Failed, FailureCode
from storage.sources.protocol import FileVersion, Reader, Source, check_version

BUFFER_BYTES: Final = 512 * 1024
_BUFFERS: Final = 4


class Digest(NamedTuple):
    """What sealing wants to know of a file; `sha256` are the 32 raw bytes."""

    size: int
    crc32: int
    sha256: bytes


class Wanted(NamedTuple):
    """A file to read, and the version it must have before and after."""

    href: str
    expected: FileVersion


class DigestStopped(Exception):
    """The caller's `cancelled` said so; nothing is known of the file that was being read."""


class _Hash(Protocol):
    def update(self, data: memoryview, /) -> None: ...


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
) -> Iterator[Digest | Failed]:
    """Read many files, in order, with the same buffers: for each its digest, or why there is none."""
    with _Digester(progress, cancelled) as digester:
        for href, expected in wanted:
            try:
                found: Digest | Failed = digester.digest(source, href, expected)
            except Failed as failed:
                found = failed
            yield found


class _Digester(AbstractContextManager["_Digester"]):
    """The buffers, and the hashing thread once a large file needs it."""

    def __init__(self, progress: Callable[[int], None], cancelled: Callable[[], bool]) -> None:
        self._progress, self._cancelled = progress, cancelled
        self._small = memoryview(bytearray())
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._work: SimpleQueue[tuple[_Hash, memoryview, int] | None] = SimpleQueue()
        self._thread: Thread | None = None

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
        self._start()
        crc, hashed, offset = 0, sha256(), 0
        while offset < size:
            buffer = self._free.get()
            try:
                view = self._read(reader, buffer[: size - offset], offset)
            except BaseException:
                self._free.put(buffer)
                raise
            self._work.put((hashed, buffer, len(view)))
            crc = crc32(view, crc)
            offset += len(view)
        for buffer in [self._free.get() for _ in range(_BUFFERS)]:  # all back: the hash is complete
            self._free.put(buffer)
        _settle()
        return Digest(size, crc, hashed.digest())

    def _read(self, reader: Reader, view: memoryview, offset: int) -> memoryview:
        if self._cancelled():
            raise DigestStopped
        if reader.read_into(view, offset) != len(view):
            raise EOFError
        self._progress(len(view))
        return view

    def _start(self) -> None:
        if self._thread is not None:
            return
        for _ in range(_BUFFERS):
            self._free.put(memoryview(bytearray(BUFFER_BYTES)))
        self._thread = Thread(target=self._hash, name="sha256", daemon=True)
        self._thread.start()

    def _hash(self) -> None:
        _settle()
        while (work := self._work.get()) is not None:
            hashed, buffer, length = work
            hashed.update(buffer[:length])
            self._free.put(buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._work.put(None)
            self._thread.join()


def _settle() -> None:
    """Undo what isal's CRC does to the thread: it leaves the AVX registers' upper halves in use.

    OpenSSL's SHA-256 is then a quarter slower in that thread and in those it starts, for good (1.34 for 1.81 GB/s);
    SHA-512 of nothing ends with the instruction that clears them, in half a microsecond.
    """
    sha512(b"").digest()
