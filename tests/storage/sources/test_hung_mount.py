"""A mount that really hangs: what lies elsewhere is read all the same."""

import asyncio
import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.errors import Failed
from storage.bulkheads import Bulkhead
from storage.pool import StoragePool
from storage.sources.local import LocalSource

_DETACH = 2


@contextmanager
def hung(folder: Path) -> Iterator[None]:
    """A FUSE mount that nobody answers for: every look at it lasts until the end of the block.

    Its kernel lets go of all that wait as soon as the device is closed, also where this process is killed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        pytest.skip(f"needs FUSE: {error}")
    try:
        options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if libc.mount(b"nobody", os.fsencode(folder), b"fuse", 0, options.encode()):
            pytest.skip(f"may not mount: {os.strerror(ctypes.get_errno())}")
        yield
    finally:
        os.close(device)
        libc.umount2(os.fsencode(folder), _DETACH)


async def test_a_mount_that_hangs_keeps_nobody_from_what_lies_elsewhere(tmp_path: Path) -> None:
    for name in ("share", "share/scenes", "good"):
        (tmp_path / name).mkdir()
    (tmp_path / "good" / "a.tif").write_bytes(b"good")
    pool, location = StoragePool("reads", 4, patience=0.2), tmp_path / "share" / "scenes"
    with hung(tmp_path / "share"):
        storage = Bulkhead.of_source(str(location))
        assert storage.key == str(tmp_path / "share")
        source = LocalSource(location)
        for _ in range(pool.share):
            with pytest.raises(Failed, match="the storage share does not answer"):
                await pool.at(storage).call(lambda: source.stat("a.tif"))
        good = pool.at(Bulkhead.of_source(str(tmp_path / "good")))
        found = await good.call(lambda: LocalSource(tmp_path / "good").stat("a.tif"), within=30)
        assert found.size == 4
        assert pool.held()[storage].given_up == pool.share
    async with asyncio.timeout(30):
        while pool.held():  # noqa: ASYNC110 - the kernel's work
            await asyncio.sleep(0.01)
