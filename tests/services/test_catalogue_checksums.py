"""Files read ahead of any order: each once, as long as it is what was catalogued."""

import asyncio
import os
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import pytest
import sqlalchemy as sa

from models.errors import Failed
from services.catalogue import import_source, precompute_checksums, unknown_of
from storage.sources.registry import Sources
from tests.activities.builders import moved, no_further_file
from tests.services.catalogue_sources import Sessions, put, rows

KNOWN = """
    SELECT f.name, k.size_bytes, k.modified_ns, k.sha256, k.crc32
    FROM known_files k JOIN catalogue_files f ON f.id = k.file_id ORDER BY f.name
"""
CONTENTS = {"a.csv": b"12345", "b/one.tif": b"1", "b/two.tif": b""}
GIB = 1024**3


@pytest.fixture
async def root(sessions: Sessions, tmp_path: Path) -> Path:
    folder = tmp_path / "scenes"
    for name, content in CONTENTS.items():
        put(folder / name, content)
    await import_source(sessions, folder)
    return folder


async def test_every_file_is_known_afterwards_with_its_version(sessions: Sessions, root: Path) -> None:
    assert await unknown_of(sessions, "scenes") == (3, 6)
    told: list[tuple[int, int]] = []
    report = await precompute_checksums(sessions, Sources(), "scenes", lambda files, size: told.append((files, size)))
    assert (report.files, report.size_bytes, report.refused) == (3, 6, ())
    assert (sum(files for files, _ in told), sum(size for _, size in told)) == (3, 6)
    assert await rows(sessions, KNOWN) == [
        (Path(n).name, len(c), (root / n).stat().st_mtime_ns, sha256(c).digest(), crc32(c)) for n, c in CONTENTS.items()
    ]


async def test_what_is_known_is_not_read_again(sessions: Sessions, root: Path) -> None:
    await precompute_checksums(sessions, Sources(), "scenes")
    before = await rows(sessions, "SELECT * FROM known_files ORDER BY file_id")
    with no_further_file():
        assert (await precompute_checksums(sessions, Sources(), "scenes")).files == 0
    put(root / "a.csv", b"other")
    os.utime(root / "a.csv", ns=(7, 7))
    await import_source(sessions, root)
    assert await unknown_of(sessions, "scenes") == (1, 5)
    assert (await precompute_checksums(sessions, Sources(), "scenes")).files == 1
    after = await rows(sessions, "SELECT * FROM known_files ORDER BY file_id")
    assert len(set(after) - set(before)) == 1


async def test_a_file_that_is_not_what_was_catalogued_is_refused(sessions: Sessions, root: Path) -> None:
    put(root / "a.csv", b"longer than before")
    (root / "b/one.tif").unlink()
    report = await precompute_checksums(sessions, Sources(), "scenes")
    assert report.files == 1
    assert {refused.what for refused in report.refused} == {"a.csv/a.csv", "b/one.tif"}
    assert [name for name, *_ in await rows(sessions, KNOWN)] == ["two.tif"]


async def test_a_broken_promise_is_told_and_known(sessions: Sessions, root: Path) -> None:
    await rows(sessions, "UPDATE catalogue_files SET sha256 = sha256('x') WHERE name = 'a.csv' RETURNING 1")
    report = await precompute_checksums(sessions, Sources(), "scenes")
    (refused,) = report.refused
    assert (report.files, refused.what) == (3, "a.csv/a.csv")
    assert sha256(b"x").hexdigest() in refused.why


async def test_a_storage_in_trouble_refuses_no_file(sessions: Sessions, root: Path) -> None:
    with no_further_file(), pytest.raises(Failed, match="too many files"):
        await precompute_checksums(sessions, Sources(), "scenes")
    moved(root, "away")
    with pytest.raises(Failed, match="does not answer"):
        await precompute_checksums(sessions, Sources(), "scenes")
    assert await rows(sessions, KNOWN) == []


async def test_nothing_is_remembered_of_a_product_that_is_being_imported(sessions: Sessions, root: Path) -> None:
    async with sessions.begin() as session:
        await session.execute(sa.text("UPDATE products SET name = name"))
        assert (await precompute_checksums(sessions, Sources(), "scenes")).files == 0
    assert (await precompute_checksums(sessions, Sources(), "scenes")).files == 3


async def test_one_that_is_interrupted_goes_on_where_it_was(sessions: Sessions, root: Path) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(100 * GIB)
    await import_source(sessions, root)
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(_: int, size: int) -> None:
        if size > 10:
            loop.call_soon_threadsafe(begun.set)

    reading = asyncio.create_task(precompute_checksums(sessions, Sources(), "scenes", tell))
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert len(await rows(sessions, KNOWN)) == 3
