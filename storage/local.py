"""Files in a folder of this machine, local or mounted."""

import os
from pathlib import Path
from stat import S_ISREG
from types import TracebackType
from typing import Final, Self

from models.errors import Failed, FailureCode
from storage.source import FileVersion, check_version, failed_by

# Without O_NONBLOCK opening a FIFO waits for a writer for ever.
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class LocalSource:
    """The files below a root; an href is a path relative to it, and nothing outside can be reached."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._inside = self._root.rstrip("/") + "/"

    def stat(self, href: str) -> FileVersion:
        """The present version of a file."""
        with self.open(href) as reader:
            return reader.version()

    def open(self, href: str, expected: FileVersion | None = None) -> "LocalReader":
        """Open a regular file below the root; refused with `source_changed` where it is not the expected version."""
        if not href or href[0] == "/" or (".." in href and ".." in href.split("/")):
            raise Failed(FailureCode.SOURCE_FORBIDDEN, f"{href!r} does not name a file of this storage")
        path = self._inside + href
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            raise self._not_opened(error, href) from error
        except ValueError as error:  # a NUL or a lone surrogate, which no name on a disk can have
            raise Failed(FailureCode.SOURCE_MISSING, f"{href!r} is not there") from error
        reader = LocalReader(descriptor, href)
        try:
            if not self._is_inside(descriptor, path):
                raise Failed(FailureCode.SOURCE_FORBIDDEN, f"{href} leads out of its storage")
            found = reader.version()
            if expected is not None and found != expected:
                check_version(href, expected, found)
        except BaseException:
            reader.close()
            raise
        return reader

    def _is_inside(self, descriptor: int, path: str) -> bool:
        """Whether no symbolic link led out; asks what was opened, so that nobody can swap the path meanwhile."""
        try:
            real = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - the hot path of small files
        except OSError:
            real = os.path.realpath(path)
        return real.startswith(self._inside)

    def _not_opened(self, error: OSError, href: str) -> Failed:
        failed = failed_by(error, href)
        if failed.failure.code is FailureCode.SOURCE_MISSING and not Path(self._root).is_dir():
            return Failed(FailureCode.SOURCE_UNAVAILABLE, f"{href} cannot be reached: its storage is not mounted")
        return failed


class LocalReader:
    """An open regular file."""

    __slots__ = ("_descriptor", "_href")

    def __init__(self, descriptor: int, href: str) -> None:
        self._descriptor, self._href = descriptor, href

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer with what stands at `offset`; gives the bytes read, fewer only at the end of the file."""
        done, wanted = 0, len(buffer)
        try:
            while done < wanted:
                target = buffer[done:] if done else buffer
                count = os.preadv(self._descriptor, [target], offset + done)
                if not count:
                    break
                done += count
        except OSError as error:
            raise failed_by(error, self._href) from error
        return done

    def version(self) -> FileVersion:
        """The version as it is now."""
        try:
            found = os.fstat(self._descriptor)
        except OSError as error:
            raise failed_by(error, self._href) from error
        if not S_ISREG(found.st_mode):
            raise Failed(FailureCode.SOURCE_FORBIDDEN, f"{self._href} is not a regular file")
        return FileVersion(found.st_size, found.st_mtime_ns)

    def close(self) -> None:
        """Give the handle back; closing twice is fine."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
