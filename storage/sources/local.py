"""The source `file`: a folder of this machine, local or mounted."""

import os
from pathlib import Path
from stat import S_ISREG
from types import TracebackType
from typing import Final, Self
from urllib.parse import unquote_to_bytes, urlsplit

from models.errors import Failed, FailureCode
from storage.sources.protocol import FileVersion, check_version, failed_by

# Without O_NONBLOCK opening a FIFO waits for a writer for ever.
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class LocalSource:
    """The files below a root; an href is a path relative to it, and nothing outside can be reached.

    Files mostly come folder by folder. The folder that was opened last and found to lie inside is kept open: what is
    opened in it by its bare name, following no link, lies inside too, which saves asking the kernel for each file.
    """

    def __init__(self, root: Path) -> None:
        self._given = root
        self._found: str | None = None
        self._last: str | None = None
        self._folder: _Folder | None = None

    # Not before the first file is wanted, and so in that reader's thread: a mount that hangs would hold up whoever
    # only makes the source, and in the facade that is everybody. No `cached_property`, for before Python 3.12 that has
    # one lock for all instances: whoever hangs in it holds up the readers of every other root.
    @property
    def _root(self) -> str:
        if self._found is None:
            self._found = os.path.realpath(self._given)
        return self._found

    @property
    def _inside(self) -> str:
        return self._root.rstrip("/") + "/"

    @classmethod
    def at(cls, uri: str) -> Self:
        """The source at a `file:` URI."""
        return cls(Path(os.fsdecode(unquote_to_bytes(urlsplit(uri).path))))

    def check_available(self) -> None:
        """Raise `source_unavailable` where nothing is mounted at the root."""
        if not is_mounted(self._given):
            raise Failed(FailureCode.SOURCE_UNAVAILABLE, f"the storage {self._given.name} does not answer")

    def stat(self, href: str) -> FileVersion:
        """The present version of a file."""
        with self.open(href) as reader:
            return reader.version()

    def open(self, href: str, expected: FileVersion | None = None) -> "LocalReader":
        """Open a regular file below the root; refused with `source_changed` where it is not the expected version."""
        reader = self._reader(href)
        try:
            found = reader.version()
            if expected is not None:
                check_version(href, expected, found)
        except BaseException:
            reader.close()
            raise
        return reader

    def read_whole(self, href: str, expected: FileVersion, buffer: memoryview) -> None:
        """Fill the buffer with all of a file; refused with `source_changed` where it was not the expected version."""
        with self._reader(href) as reader:
            count = reader.read_into(buffer, 0)
            # Asked only now: a version that still stands after the read has stood all the time.
            check_version(href, expected, reader.version())
        if count != len(buffer):
            raise Failed(FailureCode.SOURCE_CHANGED, f"{href} has changed: it has become shorter")

    def _reader(self, href: str) -> "LocalReader":
        if not href or href[0] == "/" or (".." in href and ".." in href.split("/")):
            raise Failed(FailureCode.SOURCE_FORBIDDEN, f"{href!r} does not name a file of this storage")
        try:
            descriptor = self._open_in_folder(href)
            return LocalReader(self._open_by_path(href) if descriptor is None else descriptor, href)
        except ValueError as error:  # a NUL or a lone surrogate, which no name on a disk can have
            raise Failed(FailureCode.SOURCE_MISSING, f"{href!r} is not there") from error

    def _open_in_folder(self, href: str) -> int | None:
        """The file opened in the folder at hand; None where it is not that folder or anything is unusual."""
        href, _, name = href.rpartition("/")
        folder = self._folder
        if folder is None or folder.href != href:
            if href != self._last:  # a folder with one file is not worth it
                self._last = href
                return None
            folder = self._folder = self._enter(href)
        if folder is None:
            return None
        try:
            return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=folder.descriptor)
        except OSError:
            return None

    def _enter(self, href: str) -> "_Folder | None":
        path = self._inside + href
        try:
            folder = _Folder(href, os.open(path, _FLAGS | os.O_DIRECTORY))
        except OSError:
            return None
        return folder if self._is_inside(folder.descriptor, path) else None

    def _open_by_path(self, href: str) -> int:
        path = self._inside + href
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            raise self._not_opened(error, href) from error
        if not self._is_inside(descriptor, path):
            os.close(descriptor)
            raise Failed(FailureCode.SOURCE_FORBIDDEN, f"{href} leads out of its storage")
        return descriptor

    def _is_inside(self, descriptor: int, path: str) -> bool:
        """Whether no symbolic link led out; asks what was opened, so that nobody can swap the path meanwhile."""
        try:
            real = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - the hot path of small files
        except OSError:
            real = os.path.realpath(path)
        return real.startswith(self._inside) or real == self._root

    def _not_opened(self, error: OSError, href: str) -> Failed:
        failed = failed_by(error, href)
        if failed.failure.code is FailureCode.SOURCE_MISSING and not is_mounted(self._root):
            return Failed(FailureCode.SOURCE_UNAVAILABLE, f"{href} cannot be reached: its storage is not mounted")
        return failed


def is_mounted(root: str | Path) -> bool:
    """Whether a folder is there and has anything in it: a mount point without its mount is an empty folder."""
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is not None
    except OSError:  # one that may be entered and not listed can have files all the same
        return Path(root).is_dir()


class _Folder:
    """An open folder; closed when nobody uses it any more."""

    __slots__ = ("descriptor", "href")

    def __init__(self, href: str, descriptor: int) -> None:
        self.href, self.descriptor = href, descriptor

    def __del__(self) -> None:
        os.close(self.descriptor)


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
        return FileVersion.dated(found.st_size, found.st_mtime_ns)

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
