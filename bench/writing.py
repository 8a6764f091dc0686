"""Writes an archive to a path: the very bytes of its stream, all of them or no file at all.

One thread reads and checks the CRC-32, the calling one writes, so that both cores work; where members are small one
does it all, for two would only wait for each other's turn with the interpreter. Everything blocks: call it in a worker
thread.
"""

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Final

from models.archive import Layout
from models.errors import Failed
from storage.archive.virtual import Blocks, Member
from storage.sources.protocol import failed_by

BUFFER_BYTES: Final = 512 * 1024
_SMALL_BYTES: Final = 64 * 1024
_AHEAD: Final = 2
_LOCK_RETRY: Final = 0.1
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class WritingStopped(Exception):
    """The caller's `cancelled` said so; there is no new file."""


def _ignore(_: int) -> None:
    pass


def _never() -> bool:
    return False


def write_archive(
    layout: Layout,
    members: Sequence[Member],
    path: Path,
    *,
    progress: Callable[[int], None] = _ignore,
    cancelled: Callable[[], bool] = _never,
) -> None:
    """Write an archive and make it durable; a file of that name is replaced at once or stays as it is.

    `progress` gets the bytes written since its last call; `cancelled` is asked before each buffer. Raises MemberFailed
    where a source is not what was sealed, Failed where the target takes no more (`disk_full` before the first byte).
    """
    part = path.with_name(f"{path.name}.part")
    with _translated(path), _locked(part, cancelled) as descriptor:
        try:
            os.ftruncate(descriptor, 0)  # what a killed attempt has left
            _reserve(descriptor, layout.total_bytes)
            copy_archive(layout, members, descriptor, progress=progress, cancelled=cancelled)
            os.fsync(descriptor)
            os.rename(part, path)  # noqa: PTH104 - the same words as its neighbours
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def copy_archive(
    layout: Layout,
    members: Sequence[Member],
    descriptor: int,
    *,
    progress: Callable[[int], None] = _ignore,
    cancelled: Callable[[], bool] = _never,
) -> None:
    """Write an archive's bytes to an open file, a pipe or a socket; raises OSError where that takes no more."""
    small = layout.total_bytes < _SMALL_BYTES * len(layout)
    reading = _read_here if small else _read_ahead
    with reading(Blocks(layout, members, block_bytes=BUFFER_BYTES)) as blocks:
        for block in blocks:
            if cancelled():
                raise WritingStopped
            _write(descriptor, block)
            progress(len(block))


def _write(descriptor: int, block: memoryview) -> None:
    done = os.write(descriptor, block)
    while done < len(block):
        done += os.write(descriptor, block[done:])


def _reserve(descriptor: int, size: int) -> None:
    """Have the room or fail at once, and without taking all that is left from others first."""
    disk = os.fstatvfs(descriptor)
    if disk.f_bavail * disk.f_frsize < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.posix_fallocate(descriptor, 0, size)


@contextmanager
def _read_here(blocks: Blocks) -> Iterator[Iterator[memoryview]]:
    with blocks:
        yield _each(blocks)


def _each(blocks: Blocks) -> Iterator[memoryview]:
    while (block := blocks.read()) is not None:
        yield block
        del block


@contextmanager
def _read_ahead(blocks: Blocks) -> Iterator[Iterator[memoryview]]:
    """The blocks, read by a thread of their own up to a few ahead; the thread is over when the context is."""
    ready: Queue[memoryview | BaseException | None] = Queue(_AHEAD)
    stopped = Event()
    thread = Thread(target=_read, args=(blocks, ready, stopped), name="archive-reader", daemon=True)
    thread.start()
    try:
        yield _taken(ready)
    finally:
        stopped.set()
        while thread.is_alive():  # it may stand before a full queue
            _drop_one(ready)
            thread.join(0.01)


def _read(blocks: Blocks, ready: "Queue[memoryview | BaseException | None]", stopped: Event) -> None:
    with blocks:
        try:
            while not stopped.is_set():
                block = blocks.read()
                ready.put(block)
                if block is None:
                    return
                del block  # or its buffer could not be filled again
        except BaseException as error:  # noqa: BLE001 - raised on in the thread that writes
            ready.put(error)


def _taken(ready: "Queue[memoryview | BaseException | None]") -> Iterator[memoryview]:
    while (block := ready.get()) is not None:
        if isinstance(block, BaseException):
            raise block
        yield block
        del block


def _drop_one(ready: "Queue[memoryview | BaseException | None]") -> None:
    try:
        ready.get_nowait()
    except Empty:
        return


@contextmanager
def _locked(part: Path, cancelled: Callable[[], bool]) -> Iterator[int]:
    """The unfinished file, ours alone: an attempt that was given up may still be writing the same archive."""
    while True:
        if cancelled():
            raise WritingStopped
        descriptor = os.open(part, _FLAGS, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(part, descriptor):
                yield descriptor
                return
        except BlockingIOError:
            time.sleep(_LOCK_RETRY)
        finally:
            os.close(descriptor)


def _is_still(part: Path, descriptor: int) -> bool:
    """Whether the name still means the file that was locked: its last owner may have published or removed it."""
    try:
        return os.path.samestat(part.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Errors of the target as failures; those of sources are failures already."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise Failed(failed_by(error, "").failure.code, f"{path.name} could not be written ({name})") from error
