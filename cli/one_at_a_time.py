"""Keeps commands apart that write the same file: the second one waits for the first, and finds what it has made."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

_NO_LOCKS: Final = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
_NOT_TO_BE_WRITTEN: Final = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def alone(path: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Be the only command that writes a file for the length of the block; waiting is told.

    The lock is a file beside it that goes with the block; what a killed command left of it locks nothing.
    """
    marker, waited = path.with_name(f".{path.name}.lock"), False
    while True:
        try:
            lock = marker.open("ab")
        except OSError as error:
            if error.errno not in _NOT_TO_BE_WRITTEN:
                raise
            # Where nothing can be written there is nothing to keep apart, and what is there already may do.
            yield
            return
        with lock:
            if not _is_free(lock):
                if not waited:
                    tell(f"{path}: another command is at work on it; waiting for that to end")
                    waited = True
                fcntl.flock(lock, fcntl.LOCK_EX)
            # Who had it before has removed it, and another may hold a new one of the name.
            if _is(marker, lock):
                try:
                    yield
                finally:
                    marker.unlink(missing_ok=True)
                return


def _is_free(lock: IO[bytes]) -> bool:
    """Take a lock if nobody has it; a file system that knows no locks keeps nobody apart."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _is(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
