"""A mount that really hangs, as an NFS share whose server is away."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DETACH = 2


@contextmanager
def hung(folder: Path) -> Iterator[None]:
    """A FUSE mount that nobody answers for: every look at it lasts until the end of the block.

    Its kernel lets go of all that wait as soon as the device is closed, also where this process is killed. Raises
    OSError where this machine has no FUSE, or does not let this user mount.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    try:
        options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if libc.mount(b"nobody", os.fsencode(folder), b"fuse", 0, options.encode()):
            raise OSError(ctypes.get_errno(), f"may not mount: {os.strerror(ctypes.get_errno())}")
        yield
    finally:
        os.close(device)
        libc.umount2(os.fsencode(folder), _DETACH)
