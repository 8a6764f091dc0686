"""Withdrawn is what a complete look no longer shows; what nobody could look at stays, and what comes back is itself."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.catalogue import ImportOptions, ImportReport, import_source
from services.catalogue.messages import SkippedEntry
from tests.services.catalogue_sources import (
    Sessions,
    catalog,
    collection,
    item,
    put,
    put_json,
    rows,
)

FILES = (
    "SELECT o.name || ':' || f.name, o.id, f.id FROM catalogue_objects o JOIN catalogue_files f ON f.object_id = o.id"
)
OBJECTS = "SELECT name, id, changed_at FROM catalogue_objects"


async def imported(sessions: Sessions, source: Path, **options: Any) -> ImportReport:
    (report,) = await import_source(sessions, source, ImportOptions(**options))
    return report


async def known(sessions: Sessions, query: str = FILES) -> dict[str, Any]:
    """Rows by their first column."""
    return {row[0]: row[1:] for row in await rows(sessions, query)}


def unread(report: ImportReport) -> dict[str, str]:
    return {entry.what: entry.why for entry in report.refused if entry.unread}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "scenes"
    for name in ("a.csv", "b/one.tif", "b/deep/two.tif", "c/three.tif"):
        put(root / name, name.encode())
    return root


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    """A catalogue of two collections with three items each, of two files."""
    root = tmp_path / "stac"
    for name in ("first", "second"):
        for number in range(3):
            put(root / name / f"{number}.tif")
            put(root / name / f"{number}.xml")
            assets = {"data": {"href": f"{number}.tif"}, "more": {"href": f"{number}.xml"}}
            put_json(root / name / f"{number}.json", item(f"i{number}", assets))
        put_json(root / name / "collection.json", collection(name, [f"{number}.json" for number in range(3)]))
    return put_json(
        root / "catalog.json", catalog("root", children=["first/collection.json", "second/collection.json"])
    )


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def an_empty_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("instead", [a_loop, a_dangling_link, an_empty_folder])
async def test_a_folder_that_cannot_be_looked_at_keeps_what_is_known_of_it(
    sessions: Sessions, folder: Path, instead: Callable[[Path], None]
) -> None:
    await imported(sessions, folder)
    before = await known(sessions)
    (folder / "b").rename(folder.with_name("away"))
    instead(folder / "b")
    (folder / "c" / "three.tif").unlink()
    (folder / "c").rmdir()
    report = await imported(sessions, folder)
    assert (report.kept, report.kept_objects, report.withdrawn, report.unchanged) == (2, ("b",), 1, 1)
    assert report.incomplete
    assert [what.rstrip("/") for what in unread(report)] == ["b"]
    assert "2 files of 1 object could not be looked at and stay known: b" in report.notes
    del before["c:three.tif"]
    assert await known(sessions) == before


async def test_a_single_file_that_is_away_keeps_itself_only(sessions: Sessions, folder: Path) -> None:
    await imported(sessions, folder)
    before = await known(sessions)
    (folder / "b" / "one.tif").unlink()
    (folder / "b" / "one.tif").symlink_to("nowhere")
    (folder / "b" / "deep" / "two.tif").unlink()
    (folder / "b" / "deep").rmdir()
    report = await imported(sessions, folder)
    assert (report.kept, report.withdrawn) == (1, 1)
    del before["b:deep/two.tif"]
    assert await known(sessions) == before


async def test_an_empty_folder_is_believed_when_the_operator_says_so(sessions: Sessions, folder: Path) -> None:
    await imported(sessions, folder)
    shutil.rmtree(folder / "b")
    (folder / "b").mkdir()
    report = await imported(sessions, folder, allow_withdrawals=True)
    assert (report.kept, report.withdrawn, report.incomplete) == (0, 2, False)
    assert set(await known(sessions)) == {"a.csv:a.csv", "c:three.tif"}


async def test_a_folder_that_was_always_empty_is_no_fault(sessions: Sessions, folder: Path) -> None:
    (folder / "empty").mkdir()
    assert not (await imported(sessions, folder)).incomplete
    assert not (await imported(sessions, folder)).incomplete


async def test_what_comes_back_as_it_was_has_its_ids_and_has_not_changed(sessions: Sessions, folder: Path) -> None:
    await imported(sessions, folder)
    before, objects = await known(sessions), await known(sessions, OBJECTS)
    for name in ("a.csv", "b"):
        (folder / name).rename(folder.with_name(name))
    assert (await imported(sessions, folder)).withdrawn == 3
    for name in ("b", "a.csv"):
        folder.with_name(name).rename(folder / name)
        await imported(sessions, folder)
    assert (await known(sessions), await known(sessions, OBJECTS)) == (before, objects)
    assert await rows(sessions, "SELECT id FROM withdrawn_objects UNION ALL SELECT id FROM withdrawn_files") == []


@pytest.mark.parametrize("at_once", [True, False])
async def test_files_that_went_one_by_one_and_came_back_leave_their_object_unchanged(
    sessions: Sessions, folder: Path, *, at_once: bool
) -> None:
    await imported(sessions, folder)
    before, objects = await known(sessions), await known(sessions, OBJECTS)
    away = [
        (folder / "b" / "one.tif", folder.with_name("1")),
        (folder / "b" / "deep" / "two.tif", folder.with_name("2")),
    ]
    for here, there in away:
        here.rename(there)
        assert (await imported(sessions, folder, allow_withdrawals=True)).withdrawn == 1
    for here, there in away:
        there.rename(here)
        if not at_once:
            await imported(sessions, folder)
    await imported(sessions, folder)
    assert await known(sessions) == before
    # The first that came back alone found the other still away: the object is not what it was until both are there.
    assert (await known(sessions, OBJECTS) == objects) is at_once


async def test_what_comes_back_as_something_else_has_its_id_and_has_changed(sessions: Sessions, folder: Path) -> None:
    await imported(sessions, folder)
    before, objects = await known(sessions), await known(sessions, OBJECTS)
    content = (folder / "a.csv").read_bytes()
    (folder / "a.csv").unlink()
    await imported(sessions, folder)
    put(folder / "a.csv", content + b"!")
    await imported(sessions, folder)
    after = await known(sessions, OBJECTS)
    assert await known(sessions) == before
    assert after["a.csv"][0] == objects["a.csv"][0]
    assert after["a.csv"][1] > objects["a.csv"][1]


def many(folder: Path, count: int) -> None:
    for number in range(count):
        put(folder / f"{number:03}.csv")


@pytest.mark.parametrize(
    ("there", "gone", "refused"), [(120, 13, True), (120, 12, False), (11, 10, False), (12, 11, True)]
)
async def test_a_loss_of_more_than_a_tenth_and_more_than_ten_objects_is_not_believed(
    sessions: Sessions, tmp_path: Path, there: int, gone: int, *, refused: bool
) -> None:
    many(tmp_path / "many", there)
    await imported(sessions, tmp_path / "many")
    for number in range(gone):
        (tmp_path / "many" / f"{number:03}.csv").unlink()
    put(tmp_path / "many" / "new")
    report = await imported(sessions, tmp_path / "many", price=5)
    assert (report.refusal is not None, report.incomplete) == (refused, refused)
    left = await rows(sessions, "SELECT count(*) FROM catalogue_objects")
    assert left == [there if refused else there - gone + 1]
    if refused:
        assert "--allow-withdrawals" in (report.refusal or "")
        assert (report.kept, report.objects, report.product) == (there, there, "unchanged")
        assert await rows(sessions, "SELECT unit_price::int FROM products") == [0]
        assert (await imported(sessions, tmp_path / "many", allow_withdrawals=True)).withdrawn == gone


async def test_all_is_withdrawn_when_the_operator_says_so(sessions: Sessions, folder: Path) -> None:
    await imported(sessions, folder)
    before = await known(sessions)
    for name in ("a.csv", "b", "c"):
        (folder / name).rename(folder.with_name(name))
    assert (await imported(sessions, folder)).kept == 4
    assert await known(sessions) == before
    assert (await imported(sessions, folder, allow_withdrawals=True)).withdrawn == 4
    assert await known(sessions) == {}
    for name in ("a.csv", "b", "c"):
        folder.with_name(name).rename(folder / name)
    await imported(sessions, folder)
    assert await known(sessions) == before


async def test_another_folder_of_the_same_name_is_not_the_product(sessions: Sessions, folder: Path) -> None:
    await imported(sessions, folder)
    before = await known(sessions)
    other = folder.parent / "other" / "scenes"
    for name in ("a.csv", "b/one.tif", "x.csv", "y.csv", "z.csv"):
        put(other / name, b"of another size")
    report = await imported(sessions, other)
    assert "give it another --sku" in (report.refusal or "")
    assert "--moved" in (report.refusal or "")
    assert (await known(sessions), report.location) == (before, str(folder))
    assert (await imported(sessions, other, moved=True)).location == str(other)


# --- STAC


def broken(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def linked_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def other_json(path: Path) -> None:
    path.write_bytes(b"null")


@pytest.mark.parametrize("spoil", [broken, emptied, linked_nowhere, other_json, Path.unlink])
async def test_an_item_that_cannot_be_read_keeps_its_object_and_no_other(
    sessions: Sessions, collected: Path, spoil: Callable[[Path], None]
) -> None:
    source = collected.parent / "first"
    await imported(sessions, source)
    before, objects = await known(sessions), await known(sessions, OBJECTS)
    spoil(source / "0.json")
    put_json(source / "collection.json", collection("first", ["0.json", "2.json"]))
    report = await imported(sessions, source)
    assert (report.kept, report.kept_objects, report.withdrawn) == (2, ("i0",), 2)
    assert [entry.what for entry in report.refused] == ["0.json"]
    assert report.incomplete
    for gone in ("i1:1.tif", "i1:1.xml"):
        del before[gone]
    del objects["i1"]
    assert (await known(sessions), await known(sessions, OBJECTS)) == (before, objects)


async def test_objects_of_a_former_version_stay_while_any_item_cannot_be_read(
    sessions: Sessions, collected: Path
) -> None:
    source = collected.parent / "first"
    await imported(sessions, source)
    await rows(sessions, "UPDATE catalogue_objects SET document = NULL RETURNING 1")
    before = await known(sessions)
    broken(source / "0.json")
    put_json(source / "collection.json", collection("first", ["0.json", "2.json"]))
    assert (await imported(sessions, source)).kept_objects == ("i0", "i1")
    assert await known(sessions) == before


@pytest.mark.parametrize("spoil", [Path.unlink, linked_nowhere])
async def test_an_asset_that_is_away_keeps_its_file(
    sessions: Sessions, collected: Path, spoil: Callable[[Path], None]
) -> None:
    source = collected.parent / "first"
    await imported(sessions, source)
    before, objects = await known(sessions), await known(sessions, OBJECTS)
    spoil(source / "0.tif")
    put_json(source / "1.json", item("i1", {"data": {"href": "1.tif"}}))
    report = await imported(sessions, source)
    assert (report.kept, report.withdrawn, set(unread(report))) == (1, 1, {"i0/data"})
    del before["i1:1.xml"]
    after = await known(sessions, OBJECTS)
    assert await known(sessions) == before
    assert after["i0"] == objects["i0"]


async def test_files_keep_their_names_when_one_of_the_same_name_is_away(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "a" / "x.tif")
    put(tmp_path / "b" / "x.tif")
    put_json(tmp_path / "i.json", item("i", {"a": {"href": "a/x.tif"}, "b": {"href": "b/x.tif"}}))
    source = put_json(tmp_path / "collection.json", collection("c", ["i.json"]))
    await imported(sessions, source)
    before = await known(sessions)
    (tmp_path / "b" / "x.tif").unlink()
    report = await imported(sessions, source)
    assert (report.kept, report.withdrawn, report.added) == (1, 0, 0)
    assert await known(sessions) == before


async def test_what_lies_outside_of_the_collection_is_kept_from_there(sessions: Sessions, collected: Path) -> None:
    root = collected.parent
    put(root / "pool" / "p.tif")
    put_json(root / "first" / "0.json", item("i0", {"data": {"href": "../pool/p.tif"}}))
    await import_source(sessions, collected)
    where = "SELECT p.location || '/' || f.href, f.id FROM products p JOIN catalogue_objects o ON o.product_id = p.id"
    where += " JOIN catalogue_files f ON f.object_id = o.id"
    before = await known(sessions, where)
    broken(root / "first" / "0.json")
    first, _ = await import_source(sessions, collected)
    assert (first.kept, first.changed, first.notes[:-1]) == (1, 0, ())
    assert await known(sessions, where) == before


async def test_a_collection_that_cannot_be_read_stays_and_is_named(sessions: Sessions, collected: Path) -> None:
    await import_source(sessions, collected)
    before = await known(
        sessions, f"SELECT p.sku || {FILES.removeprefix('SELECT ')} JOIN products p ON p.id = product_id"
    )
    broken(collected.parent / "first" / "collection.json")
    root, second, first = await import_source(sessions, collected)
    assert (second.sku, second.incomplete, second.unchanged) == ("second", False, 6)
    assert (first.sku, first.incomplete, first.kept, first.product) == ("first", True, 6, "unchanged")
    assert "could not be looked at" in first.notes[0]
    assert [entry.what for entry in root.refused] == ["first/collection.json"]
    after = await known(
        sessions, f"SELECT p.sku || {FILES.removeprefix('SELECT ')} JOIN products p ON p.id = product_id"
    )
    assert after == before


async def test_a_collection_that_left_its_catalogue_is_named(sessions: Sessions, collected: Path) -> None:
    await import_source(sessions, collected)
    put_json(collected, catalog("root", children=["second/collection.json"]))
    second, first = await import_source(sessions, collected)
    assert (second.incomplete, first.incomplete) == (False, False)
    assert (first.sku, first.product, first.objects) == ("first", "left", 3)
    assert first.notes == (
        f"it has left {collected}; it stays in the catalogue until `consignor catalog remove first`",
    )


async def test_a_catalogue_in_between_that_cannot_be_read_keeps_all_that_may_lie_behind_it(
    sessions: Sessions, collected: Path
) -> None:
    root = collected.parent
    put_json(root / "years.json", catalog("years", children=["first/collection.json"], items=["loose.json"]))
    put_json(root / "loose.json", item("loose", {"data": {"href": "first/0.tif"}}))
    put_json(collected, catalog("root", children=["years.json", "second/collection.json"]))
    await import_source(sessions, collected)
    before = await known(sessions)
    broken(root / "years.json")
    reports = {report.sku: report for report in await import_source(sessions, collected)}
    assert {sku: report.kept for sku, report in reports.items()} == {"root": 1, "second": 0, "first": 6}
    assert await known(sessions) == before


async def test_a_collection_that_lists_no_items_any_more_is_left_alone(sessions: Sessions, collected: Path) -> None:
    await import_source(sessions, collected)
    put_json(collected.parent / "first" / "collection.json", collection("first", []))
    first, second = await import_source(sessions, collected)
    assert (first.kept, first.incomplete, second.incomplete) == (6, True, False)
    first, second = await import_source(sessions, collected, ImportOptions(allow_withdrawals=True))
    assert (first.withdrawn, first.incomplete, second.unchanged) == (6, False, 6)


def test_a_report_is_complete_when_all_was_looked_at() -> None:
    report = ImportReport(sku="s", name="s", location="/s", product="added")
    assert not report.incomplete
    refused = SkippedEntry(what="x", why="it is hidden")
    assert not report.model_copy(update={"refused": (refused,)}).incomplete
    assert report.model_copy(update={"refused": (refused.model_copy(update={"unread": True}),)}).incomplete


async def test_links_to_files_outside_are_refused_and_what_was_there_before_stays(
    sessions: Sessions, folder: Path
) -> None:
    await imported(sessions, folder)
    before = await known(sessions)
    (folder / "a.csv").rename(folder.with_name("a.csv"))
    (folder / "a.csv").symlink_to(folder.with_name("a.csv"))
    report = await imported(sessions, folder)
    assert (report.kept, report.refused[0].unread) == (1, False)
    assert await known(sessions) == before


@pytest.mark.parametrize("garbled", [None, 7, "1.json", [], {}, {"href": "./1.json"}, {"rel": 7, "href": "./1.json"}])
async def test_what_a_garbled_link_may_have_led_to_stays(sessions: Sessions, collected: Path, garbled: Any) -> None:
    source = collected.parent / "first" / "collection.json"
    await imported(sessions, source)
    before = await known(sessions)
    document = json.loads(source.read_bytes())
    document["links"][1] = garbled
    put_json(source, document)
    report = await imported(sessions, source)
    assert (report.kept, report.withdrawn, report.incomplete) == (2, 0, True)
    assert await known(sessions) == before
