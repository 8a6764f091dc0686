"""A mount that really hangs: what lies elsewhere is read all the same."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bench.hung_mount import hung
from models.errors import Failed
from storage.bulkheads import Bulkhead
from storage.pool import StoragePool
from storage.sources.local import LocalSource


@contextmanager
def hung_or_skipped(folder: Path) -> Iterator[None]:
    """A mount that hangs; skips the test where this machine has none."""
    with ExitStack() as stack:
        try:
            stack.enter_context(hung(folder))
        except OSError as error:
            pytest.skip(f"needs a FUSE mount: {error}")
        yield


async def test_a_mount_that_hangs_keeps_nobody_from_what_lies_elsewhere(tmp_path: Path) -> None:
    for name in ("share", "share/scenes", "good"):
        (tmp_path / name).mkdir()
    (tmp_path / "good" / "a.tif").write_bytes(b"good")
    pool, location = StoragePool("reads", 4, patience=0.2), tmp_path / "share" / "scenes"
    with hung_or_skipped(tmp_path / "share"):
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
