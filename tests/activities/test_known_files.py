"""Files that an earlier read has proven: when they are read again, and when they are not."""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from activities.planning import PlanningActivities
from activities.staging import StagingActivities
from models.messages import OrderRef, StagedFiles
from models.tables import Order
from models.verify import Verify
from services.catalogue import ImportOptions, import_source
from tests.activities.builders import SCENES, Sessions, files_in, first_of, planned, run, staged
from tests.factories import add_order
from tests.services.catalogue_sources import rows

GIB = 1024**3
KNOWN = "SELECT c.href, k.size_bytes, k.modified_ns, k.sha256, k.crc32 FROM known_files k JOIN catalogue_files c \
    ON c.id = k.file_id ORDER BY c.href"


@pytest.fixture
async def order(sessions: Sessions, tmp_path: Path) -> Order:
    """Three files of 6,000 bytes in one sub-order, with no promise of the catalogue."""
    return await planned(sessions, tmp_path, checksums=False)


async def ordered_again(sessions: Sessions) -> Order:
    """Another order of the same, planned."""
    await rows(sessions, "UPDATE orders SET label = label || id RETURNING 1")
    order = await add_order(sessions, {"scenes": "all"})
    await run(PlanningActivities(sessions).plan_suborders, OrderRef(order_id=order.id))
    return order


async def staged_with(sessions: Sessions, order: Order, verify: Verify) -> StagedFiles:
    return await run(StagingActivities(sessions, verify=verify).stage_files, first_of(order))


async def proofs_of(sessions: Sessions, order: Order) -> list[Any]:
    columns = "state, failure_code, sha256, crc32, modified_ns"
    return await rows(sessions, f"SELECT {columns} FROM order_files WHERE order_id = '{order.id}' ORDER BY seq")


def falsify(root: Path) -> None:
    """Other contents under the same versions: who sees them has read the files."""
    for path in root.glob("*/*.tif"):
        was = path.stat()
        path.write_bytes(b"X" * was.st_size)
        os.utime(path, ns=(was.st_mtime_ns, was.st_mtime_ns))


async def test_what_staging_proves_is_known_from_then_on(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    await staged(sessions, order)
    assert await rows(sessions, KNOWN) == [
        (f"{name}/{file}", len(c), (tmp_path / name / file).stat().st_mtime_ns, sha256(c).digest(), crc32(c))
        for name, files in SCENES.items()
        for file, c in files.items()
    ]


@pytest.mark.parametrize("verify", [Verify.CHANGED, Verify.NEVER])
async def test_a_known_file_is_not_read_again(sessions: Sessions, tmp_path: Path, order: Order, verify: Verify) -> None:
    await staged(sessions, order)
    proofs = await proofs_of(sessions, order)
    falsify(tmp_path)
    again = await ordered_again(sessions)
    assert (await staged_with(sessions, again, verify)).available == 3
    assert await proofs_of(sessions, again) == proofs


async def test_the_pieces_of_a_large_file_are_known_as_long_as_its_checksum(
    sessions: Sessions, tmp_path: Path, order: Order
) -> None:
    async def pieces_of(table: str) -> list[Any]:
        return await rows(sessions, f"SELECT piece_bytes, pieces FROM {table} ORDER BY size_bytes DESC, 1 LIMIT 1")

    path, size = tmp_path / "s1" / "a.tif", 64 * 1024**2
    os.truncate(path, size)
    await import_source(sessions, tmp_path, ImportOptions(sku="scenes"))
    order = await ordered_again(sessions)
    await run(StagingActivities(sessions, pieces=True).stage_files, first_of(order))
    content = path.read_bytes()
    hashes = b"".join(sha256(content[at : at + size // 16]).digest() for at in range(0, size, size // 16))
    assert await pieces_of("order_files") == await pieces_of("known_files") == [(size // 16, hashes)]
    again = await ordered_again(sessions)
    # A worker that hashes no pieces has them from what is known.
    await staged(sessions, again)
    assert await pieces_of(f"order_files WHERE order_id = '{again.id}'") == [(size // 16, hashes)]
    os.utime(path, ns=(5, 5))
    third = await ordered_again(sessions)
    assert (await staged(sessions, third)).available == 3
    assert await pieces_of(f"order_files WHERE order_id = '{third.id}'") == await pieces_of("known_files")
    assert await pieces_of("known_files") == [(None, None)]


async def test_a_file_of_another_version_is_read_again(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    await staged(sessions, order)
    os.utime(tmp_path / "s1" / "a.tif", ns=(5, 5))
    again = await ordered_again(sessions)
    assert (await staged(sessions, again)).available == 3
    proof = ("available", None, sha256(b"a" * 1000).digest(), crc32(b"a" * 1000), 5)
    assert (await proofs_of(sessions, again))[0] == proof
    assert (await rows(sessions, KNOWN))[0][2:] == (5, *proof[2:4])


async def test_a_file_of_another_version_with_other_bytes_is_not_delivered_until_it_is_imported_again(
    sessions: Sessions, tmp_path: Path, order: Order
) -> None:
    await staged(sessions, order)
    path = tmp_path / "s1" / "a.tif"
    path.write_bytes(b"A" * 1000)
    os.utime(path, ns=(5, 5))
    again = await ordered_again(sessions)
    assert (await staged(sessions, again)).failed == 1
    await import_source(sessions, tmp_path, ImportOptions(sku="scenes"))
    third = await ordered_again(sessions)
    assert (await staged(sessions, third)).available == 3
    proof = ("available", None, sha256(b"A" * 1000).digest(), crc32(b"A" * 1000), 5)
    assert (await proofs_of(sessions, third))[0] == proof


async def test_a_promise_says_more_than_what_was_read_before(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    falsify(tmp_path)
    await staged(sessions, order)
    path = tmp_path / "s1" / "a.tif"
    was = path.stat().st_mtime_ns
    path.write_bytes(b"a" * 1000)
    os.utime(path, ns=(was, was))
    promised = "UPDATE catalogue_files SET sha256 = sha256(repeat('a', 1000)::bytea) WHERE name = 'a.tif' RETURNING 1"
    await rows(sessions, promised)
    again = await ordered_again(sessions)
    assert (await staged(sessions, again)).available == 3
    assert (await proofs_of(sessions, again))[0][2] == sha256(b"a" * 1000).digest()


async def test_always_reads_always_and_finds_what_has_rotted(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    await staged(sessions, order)
    falsify(tmp_path)
    again = await ordered_again(sessions)
    assert (await staged_with(sessions, again, Verify.ALWAYS)).failed == 3
    texts = await rows(sessions, f"SELECT failure_text FROM order_files WHERE order_id = '{again.id}'")
    assert all("other bytes than when it was read before" in text for text in texts)
    assert all("or touch it, import it again" in text for text in texts)


@pytest.mark.parametrize("verify", list(Verify))
async def test_a_doubted_file_is_read_whatever_the_setting(
    sessions: Sessions, tmp_path: Path, order: Order, verify: Verify
) -> None:
    await staged(sessions, order)
    doubt = "UPDATE known_files k SET doubted = true FROM catalogue_files c WHERE c.id = k.file_id AND c.name"
    await rows(sessions, f"{doubt} <> 'c.tif' RETURNING 1")
    rotten = tmp_path / "s1" / "a.tif"
    was = rotten.stat().st_mtime_ns
    rotten.write_bytes(b"X" * 1000)
    os.utime(rotten, ns=(was, was))
    again = await ordered_again(sessions)
    assert (await staged_with(sessions, again, verify)).available == 2
    assert [code for _, code, *_ in await proofs_of(sessions, again)] == ["checksum_mismatch", None, None]
    (text,) = await rows(sessions, "SELECT failure_text FROM order_files WHERE failure_text IS NOT NULL")
    assert "has other bytes than when it was read before" in text
    # Equal when read again: the doubt is over. Other bytes: it stays, for every order, until the file is another.
    doubted = "SELECT doubted FROM known_files k JOIN catalogue_files c ON c.id = k.file_id ORDER BY c.href"
    assert await rows(sessions, doubted) == [True, False, False]
    os.utime(rotten, ns=(7, 7))
    await import_source(sessions, tmp_path, ImportOptions(sku="scenes"))
    third = await ordered_again(sessions)
    assert (await staged_with(sessions, third, verify)).available == 3
    assert await rows(sessions, doubted) == [False, False, False]


async def test_never_does_not_even_ask_the_storage(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    await staged(sessions, order)
    proofs = await proofs_of(sessions, order)
    (tmp_path / "s1" / "a.tif").unlink()
    again = await ordered_again(sessions)
    assert (await staged_with(sessions, again, Verify.NEVER)).available == 3
    assert await proofs_of(sessions, again) == proofs


async def test_never_still_reads_what_is_not_known(sessions: Sessions, order: Order) -> None:
    assert (await staged_with(sessions, order, Verify.NEVER)).available == 3
    assert len(await rows(sessions, KNOWN)) == 3


async def test_a_promise_that_differs_from_what_is_known_is_a_mismatch(sessions: Sessions, order: Order) -> None:
    await staged(sessions, order)
    await rows(sessions, "UPDATE catalogue_files SET sha256 = sha256('x') WHERE name = 'a.tif' RETURNING 1")
    again = await ordered_again(sessions)
    result = await staged(sessions, again)
    assert (result.available, result.failed) == (2, 1)
    assert [code for _, code, *_ in await proofs_of(sessions, again)] == ["checksum_mismatch", None, None]


async def test_a_file_that_is_not_what_was_promised_is_not_remembered(sessions: Sessions, tmp_path: Path) -> None:
    order = await planned(sessions, tmp_path)
    falsify(tmp_path)
    assert (await staged(sessions, order)).failed == 3
    assert await rows(sessions, KNOWN) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE products SET location = '/elsewhere' RETURNING 1",
        "UPDATE catalogue_files SET href = 's2/c.tif' RETURNING 1",
        "DELETE FROM catalogue_files RETURNING 1",
    ],
)
async def test_what_the_catalogue_no_longer_means_is_not_remembered(
    sessions: Sessions, order: Order, change: str
) -> None:
    await rows(sessions, change)
    assert (await staged(sessions, order)).available == 3
    assert [href for href, *_ in await rows(sessions, KNOWN) if href != "s2/c.tif"] == []


async def test_known_files_of_any_size_are_proven_without_being_read(sessions: Sessions, tmp_path: Path) -> None:
    names = [f"{number}.tif" for number in range(50)]
    order = await planned(sessions, tmp_path, {"o": dict.fromkeys(names, b"")}, checksums=False)
    for name in names:
        os.truncate(tmp_path / "o" / name, 20 * GIB)
        stamp = (tmp_path / "o" / name).stat().st_mtime_ns
        await rows(
            sessions,
            "INSERT INTO known_files (file_id, size_bytes, modified_ns, sha256, crc32)"
            f" SELECT id, {20 * GIB}, {stamp}, sha256('all hole'), 7 FROM catalogue_files WHERE name = '{name}'"
            " RETURNING 1",
        )
    await rows(sessions, f"UPDATE order_files SET size_bytes = {20 * GIB} RETURNING 1")
    result = await staged(sessions, order)
    assert (result.available, result.failed, result.bytes) == (50, 0, 1000 * GIB)
    assert set(await files_in(sessions, "sha256, crc32")) == {(sha256(b"all hole").digest(), 7)}
