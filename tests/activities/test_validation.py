"""Validation: every fault of an order at once, and a storage that is away is no fault."""

import os
from pathlib import Path

import pytest

from activities.validation import MAX_FAULTS, ValidationActivities, find_deliverable
from models.errors import Failed, FailureCode
from models.messages import OrderRef, ValidationResult
from models.queries.selections import SelectedFile, selected_files_after
from models.queries.users import upsert_user
from models.tables import Order, User
from services.catalogue import precompute_checksums
from storage.sources.registry import Sources
from tests.activities.builders import Sessions, everything, placed, run
from tests.factories import add_order, add_product
from tests.services.catalogue_sources import rows

OBJECTS = {f"o{n}": {"f.bin": b"content"} for n in range(1, 8)}


@pytest.fixture
async def order(sessions: Sessions, tmp_path: Path) -> Order:
    """An order whose catalogue knows no checksums."""
    return await placed(sessions, tmp_path / "root", OBJECTS, checksums=False)


async def validate(sessions: Sessions, order: Order) -> ValidationResult:
    return await run(ValidationActivities(sessions).validate_order, OrderRef(order_id=order.id))


def faults(verdict: ValidationResult) -> dict[str, str]:
    return {fault.field: fault.code for fault in verdict.faults}


def touch(path: Path) -> None:
    """Write to a file without changing it."""
    now = path.stat().st_mtime_ns
    os.utime(path, ns=(now, now + 1))


async def vanish(sessions: Sessions, name: str) -> None:
    found = f"SELECT id FROM catalogue_objects WHERE name = '{name}'"
    await rows(sessions, f"DELETE FROM catalogue_files WHERE object_id IN ({found}) RETURNING id")
    await rows(sessions, f"DELETE FROM catalogue_objects WHERE name = '{name}' RETURNING id")


async def test_a_sound_order_has_no_fault_however_often_it_is_asked(sessions: Sessions, order: Order) -> None:
    before = await everything(sessions)
    for _ in range(2):
        assert await validate(sessions, order) == ValidationResult(refused=False)
    assert await everything(sessions) == before


@pytest.mark.parametrize(
    ("roles", "groups", "expected"),
    [
        (["customer"], ["partners", "x"], {}),
        (["customer"], ["x"], {"archive": "unknown_id"}),
        (["customer"], [], {"archive": "unknown_id"}),
        (["support"], [], {}),
        (None, [], {"archive": "unknown_id"}),
    ],
)
async def test_a_product_that_is_closed_to_its_customer_is_a_fault(
    sessions: Sessions, order: Order, roles: list[str] | None, groups: list[str], expected: dict[str, str]
) -> None:
    await rows(sessions, "UPDATE products SET access_groups = '{partners}' RETURNING id")
    if roles is not None:
        person = User(
            id=order.customer, issuer="i", subject="s", roles=roles, groups=groups, asserted_at=order.created_at
        )
        async with sessions.begin() as session:
            await session.execute(upsert_user(person))
    found = faults(await validate(sessions, order))
    assert list(found.values()) == list(expected.values())


async def test_every_fault_is_told_at_once(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    await vanish(sessions, "o1")
    changed = "UPDATE catalogue_objects SET changed_at = now() + interval '1 s' WHERE name = 'o2' RETURNING id"
    assert len(await rows(sessions, changed)) == 1
    root = tmp_path / "root"
    (root / "o3" / "f.bin").unlink()
    (root / "o4" / "f.bin").write_bytes(b"longer than it was")
    touch(root / "o5" / "f.bin")
    (root / "o6" / "f.bin").unlink()
    (root / "o6" / "f.bin").symlink_to("/etc/passwd")
    for _ in range(2):
        verdict = await validate(sessions, order)
        assert faults(verdict) == {
            "scenes/o1": "unknown_id",
            "o2": "catalogue_changed",
            "o3/f.bin": "source_missing",
            "o4/f.bin": "size_mismatch",
            "o5/f.bin": "source_changed",
            "o6/f.bin": "source_forbidden",
        }
        assert verdict.faults_total == 6


@pytest.mark.parametrize(
    ("policy", "refused", "failure"),
    [
        ("on_missing = 'deliver_the_rest'", False, None),
        ("on_missing = 'refuse'", True, None),
        ("max_failed_percent = 28.58", False, None),
        ("max_failed_percent = 28.57", True, "2 of 7 files (28.58 %) cannot be delivered; the order allows 28.57 %"),
    ],
)
async def test_an_order_is_refused_for_as_much_as_it_does_not_allow(
    sessions: Sessions, tmp_path: Path, order: Order, policy: str, refused: bool, failure: str | None
) -> None:
    await rows(sessions, f"UPDATE orders SET {policy} RETURNING id")
    await vanish(sessions, "o1")
    (tmp_path / "root" / "o3" / "f.bin").unlink()
    verdict = await validate(sessions, order)
    assert faults(verdict) == {"scenes/o1": "unknown_id", "o3/f.bin": "source_missing"}
    assert verdict.refused == refused
    assert (verdict.failure is None) == (failure is None)
    assert verdict.failure is None or verdict.failure.text == f"{failure} at most"


async def test_files_are_looked_at_page_by_page_and_each_once(sessions: Sessions, tmp_path: Path) -> None:
    order = await placed(sessions, tmp_path, {f"o{n}": {f"{m}": b"" for m in range(n)} for n in range(1, 6)})
    seq, name, seen = 0, "", []
    async with sessions() as session:
        deliverable = await find_deliverable(session, order.id)
        while page := (await session.execute(selected_files_after(order.id, deliverable, seq, name, limit=4))).all():
            assert len(page) <= 4
            files = [SelectedFile(*row[:-1]) for row in page]
            seen += [(file.object_name, file.name) for file in files]
            seq, name = page[-1].seq, files[-1].name
    assert seen == [(f"o{n}", f"{m}") for n in range(1, 6) for m in range(n)]


async def test_a_withdrawn_file_that_was_ordered_by_itself_is_a_fault(sessions: Sessions, order: Order) -> None:
    by_file = "UPDATE order_selections s SET file_id = f.id FROM catalogue_files f WHERE f.object_id = s.object_id"
    await rows(sessions, f"{by_file} RETURNING f.id")
    object_ids = "SELECT id FROM catalogue_objects WHERE name = 'o1'"
    await rows(sessions, f"UPDATE catalogue_files SET id = uuidv7() WHERE object_id IN ({object_ids}) RETURNING id")
    assert faults(await validate(sessions, order)) == {"scenes/o1": "unknown_id"}


async def test_a_fault_says_what_is_wrong_with_what(sessions: Sessions, tmp_path: Path, order: Order) -> None:
    (tmp_path / "root" / "o4" / "f.bin").write_bytes(b"longer than it was")
    (fault,) = (await validate(sessions, order)).faults
    assert fault.text == "o4/f.bin has 18 bytes where the catalogue says 7"


async def test_a_file_written_to_is_no_fault_where_a_checksum_will_prove_it(sessions: Sessions, tmp_path: Path) -> None:
    order = await placed(sessions, tmp_path, OBJECTS, checksums=True)
    touch(tmp_path / "o5" / "f.bin")
    assert await validate(sessions, order) == ValidationResult(refused=False)


async def test_a_file_written_to_is_no_fault_where_an_earlier_read_will_prove_it(
    sessions: Sessions, tmp_path: Path, order: Order
) -> None:
    await precompute_checksums(sessions, Sources(), "scenes")
    unread = "DELETE FROM known_files k USING catalogue_files f, catalogue_objects o WHERE k.file_id = f.id"
    await rows(sessions, f"{unread} AND f.object_id = o.id AND o.name = 'o2' RETURNING 1")
    for name in ("o2", "o5"):
        touch(tmp_path / "root" / name / "f.bin")
    assert faults(await validate(sessions, order)) == {"o2/f.bin": "source_changed"}


async def test_an_unmounted_storage_is_away_and_its_files_are_not_lost(
    sessions: Sessions, tmp_path: Path, order: Order
) -> None:
    (tmp_path / "root").rename(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(Failed, match="does not answer") as caught:
            await validate(sessions, order)
        assert caught.value.failure.code is FailureCode.SOURCE_UNAVAILABLE
        assert caught.value.failure.retryable
    (tmp_path / "elsewhere").rename(tmp_path / "root")
    assert await validate(sessions, order) == ValidationResult(refused=False)


async def test_one_storage_of_two_away_is_enough_to_wait(sessions: Sessions, tmp_path: Path) -> None:
    await add_product(sessions, tmp_path / "a", "a", {"x": {"1": b"1"}})
    await add_product(sessions, tmp_path / "b", "b", {"y": {"2": b"2"}})
    order = await add_order(sessions, {"a": "all", "b": "all"})
    (tmp_path / "a" / "x" / "1").unlink()
    (tmp_path / "b").rename(tmp_path / "away")
    with pytest.raises(Failed, match="the storage b does not answer"):
        await validate(sessions, order)


async def test_an_order_of_nothing_left_is_told_so(sessions: Sessions, order: Order) -> None:
    for name in OBJECTS:
        await vanish(sessions, name)
    verdict = await validate(sessions, order)
    assert [fault.code for fault in verdict.faults] == ["unknown_id"] * 7 + ["nothing_to_order"]


async def test_of_very_many_faults_the_first_are_listed_and_all_are_counted(sessions: Sessions, tmp_path: Path) -> None:
    many = {f"o{n:04}": {"f": b""} for n in range(MAX_FAULTS // 10)}
    files = {name: {f"{n}": b"" for n in range(11)} for name in many}
    order = await placed(sessions, tmp_path, files)
    for name in many:
        (tmp_path / name).rename(tmp_path / f"{name}-away")
    verdict = await validate(sessions, order)
    assert (len(verdict.faults), verdict.faults_total) == (MAX_FAULTS, MAX_FAULTS * 11 // 10)
