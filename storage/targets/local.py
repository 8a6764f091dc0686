"""Archives into a folder of this machine: written next to their name, synced, and renamed when they are whole."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import Final
from uuid import uuid1

from models.errors import Failed
from storage.archive.recognition import is_version_of
from storage.targets.protocol import ArchiveUpload, full, refused, unavailable

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED: Final = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EISDIR}
_NO_PREALLOCATION: Final = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
_NO_FOLDER_SYNC: Final = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS}
_PROBE: Final = b"written by Consignor to see whether archives can be delivered here\n"


class LocalTarget:
    """A folder below a root that the operator allows; no symbolic link leads out of it."""

    def __init__(self, folder: str, root: str) -> None:
        self._root, self._below = root, PurePosixPath(folder).relative_to(root).parts

    def deliver(self, upload: ArchiveUpload, blocks: Iterator[memoryview]) -> str:
        """Write an archive; a reader sees all of it under its name, or nothing. Raises Failed."""
        *folders, _ = upload.key.split("/")
        with _translated(), self._opened((*self._below, *folders)) as folder:
            key = next(key for key in upload.keys() if _gives_way(folder, key.rpartition("/")[2], upload))  # noqa: SIM118
            name = key.rpartition("/")[2]
            _clear(folder, name)
            self._write(folder, name, upload.size, blocks)
        return key

    def probe(self) -> None:
        """Write, read back and delete a small file."""
        name = f".consignor-{uuid1().hex}"
        with _translated(), self._opened(self._below) as folder:
            self._write(folder, name, len(_PROBE), iter([memoryview(_PROBE)]))
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                same = os.read(descriptor, 2 * len(_PROBE)) == _PROBE
            finally:
                os.close(descriptor)
                os.unlink(name, dir_fd=folder)
            if not same:
                raise unavailable("the folder gives back something other than was written")

    def _write(self, folder: int, name: str, size: int, blocks: Iterator[memoryview]) -> None:
        # A name of its own: of two attempts at once each writes its own file, and both have the same bytes.
        part = _part(name, uuid1().hex)
        descriptor = os.open(part, _NEW, 0o666, dir_fd=folder)
        try:
            try:
                _reserve(descriptor, size)
                written = sum(_write_all(descriptor, block) for block in blocks)
                os.fsync(descriptor)
                if not written == size == os.fstat(descriptor).st_size:
                    raise unavailable("the folder holds something other than was written")
            finally:
                os.close(descriptor)
            os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(part, dir_fd=folder)
            raise
        sync_folder(folder)

    @contextmanager
    def _opened(self, folders: tuple[str, ...]) -> Iterator[int]:
        """A folder below the root, step by step: what is missing is made, and a link on the way is refused."""
        if not Path(self._root).is_dir():
            # Perhaps not mounted; a root is never made by us, or the copy would land below its mount point.
            raise unavailable("the folder's storage does not answer")
        current = os.open(self._root, _DIRECTORY & ~os.O_NOFOLLOW)
        try:
            for name in folders:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=current)
                    sync_folder(current)
                below = os.open(name, _DIRECTORY, dir_fd=current)
                os.close(current)
                current = below
            yield current
        finally:
            os.close(current)


def sync_folder(folder: int) -> None:
    """Have the names in a folder survive a loss of power, where its file system can promise that.

    Some FUSE, NFS and CIFS mounts sync files but no folders. What was written is there all the same.
    """
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def _gives_way(folder: int, name: str, upload: ArchiveUpload) -> bool:
    """Whether a name is free, or has an archive of the same sub-order; anything else is somebody else's."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return True
    if not S_ISREG(found.st_mode):
        return False
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except PermissionError:
        return False
    with open(descriptor, "rb") as file:  # noqa: PTH123 - it is open already
        return is_version_of(file, upload.number, upload.suborder)


def _part(name: str, key: str) -> str:
    return f".{name[:180]}.{key}.part"


def _clear(folder: int, name: str) -> None:
    """Remove what attempts left that were killed; one that still lives cannot rename any more, and is tried again."""
    for found in os.listdir(folder):
        if found.startswith(f".{name[:180]}.") and found.endswith(".part"):
            with suppress(FileNotFoundError):
                os.unlink(found, dir_fd=folder)


def _reserve(descriptor: int, size: int) -> None:
    """Take the room at once, so that a full disk tells before hours of writing; not every file system can."""
    if not size:
        return
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in _NO_PREALLOCATION:
            raise


def _write_all(descriptor: int, block: memoryview) -> int:
    left = block
    while left:
        left = left[os.write(descriptor, left) :]
    return len(block)


@contextmanager
def _translated() -> Iterator[None]:
    """The operating system's errors as failures of the destination."""
    try:
        yield
    except Failed:
        raise
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        if error.errno in _FULL:
            raise full(f"the folder has no room for it ({name})") from error
        if error.errno in _REFUSED:
            raise refused(f"the folder may not be written to, or a link leads out of it ({name})") from error
        raise unavailable(f"the folder could not be written to ({name})") from error
