"""Objects are catalogued as they are: with hidden files, with empty folders, with whole folders as assets."""

import os
from pathlib import Path
from typing import Any

import pytest

from services.catalogue import ImportOptions, ImportReport, import_source
from tests.services.catalogue_sources import Sessions, one_item, put, rows


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A plain folder."""
    return tmp_path / "source"


async def imported(sessions: Sessions, source: Path, **options: Any) -> ImportReport:
    """What an import of one product says."""
    (report,) = await import_source(sessions, source, ImportOptions(**options))
    return report


async def test_hidden_files_inside_of_an_object_belong_to_it_and_those_at_the_top_do_not(
    sessions: Sessions, source: Path
) -> None:
    store = ["ndvi.zarr/.zattrs", "ndvi.zarr/.zgroup", "ndvi.zarr/.zmetadata", "ndvi.zarr/t/.zarray", "ndvi.zarr/t/0.0"]
    for name in [*store, ".DS_Store", ".snapshot/x"]:
        put(source / name)
    report = await imported(sessions, source)
    found = "SELECT f.href FROM catalogue_files f WHERE f.href LIKE 'ndvi%' ORDER BY f.href"
    assert await rows(sessions, found) == sorted(store)
    hidden = "it is hidden, and so not taken from the top of a source; --hidden takes it"
    assert {refused.what: refused.why for refused in report.refused} == {".DS_Store": hidden, ".snapshot": hidden}
    assert not report.incomplete
    report = await imported(sessions, source, hidden=True)
    assert (report.added, report.refused) == (2, ())
    objects = "SELECT name FROM catalogue_objects WHERE name LIKE '.%' ORDER BY name"
    assert await rows(sessions, objects) == [".DS_Store", ".snapshot"]


EMPTY = "SELECT name, empty_folders FROM catalogue_objects WHERE empty_folders <> '{}' ORDER BY name"


async def test_folders_that_no_file_is_in_are_kept_with_their_object(sessions: Sessions, source: Path) -> None:
    safe = source / "S1.SAFE"
    put(safe / "manifest.safe")
    for folder in ("rep_info", "annotation/calibration", "annotation/deep/er"):
        (safe / folder).mkdir(parents=True)
    (safe / "odd").mkdir()
    os.mkfifo(safe / "odd" / "fifo")
    (source / "nothing" / "inside").mkdir(parents=True)
    report = await imported(sessions, source)
    empty = ["annotation/calibration/", "annotation/deep/er/", "odd/", "rep_info/"]
    assert await rows(sessions, EMPTY) == [("S1.SAFE", empty)]
    assert {refused.what: refused.why for refused in report.refused} == {
        "S1.SAFE/odd/fifo": "it is a FIFO",
        "nothing/": "no file is in it, and an object has at least one",
    }
    changed = "SELECT changed_at FROM catalogue_objects WHERE name = 'S1.SAFE'"
    before = await rows(sessions, changed)
    await imported(sessions, source)
    assert await rows(sessions, changed) == before
    put(safe / "rep_info" / "schema.xsd")
    await imported(sessions, source)
    assert await rows(sessions, EMPTY) == [("S1.SAFE", empty[:-1])]
    assert await rows(sessions, changed) != before


async def test_empty_folders_stay_as_they_were_while_part_of_their_object_cannot_be_looked_at(
    sessions: Sessions, source: Path
) -> None:
    safe = source / "S1.SAFE"
    put(safe / "x" / "data")
    (safe / "rep_info").mkdir()
    await imported(sessions, source)
    before = await rows(sessions, EMPTY)
    put(safe / "manifest.safe")
    (safe / "x" / "data").unlink()
    report = await imported(sessions, source)
    assert report.incomplete
    assert await rows(sessions, EMPTY) == before == [("S1.SAFE", ["rep_info/"])]


FILES = "SELECT f.name, f.href, f.kind, f.media_type FROM catalogue_files f ORDER BY f.href"


async def test_an_asset_that_is_a_folder_is_all_files_below_it(sessions: Sessions, tmp_path: Path) -> None:
    assets = {
        "store": {"href": "./ndvi.zarr/", "type": "application/vnd+zarr", "roles": ["data"]},
        "meta": {"href": "./ndvi.zarr/meta.json", "roles": ["metadata"]},
        "inner": {"href": "./ndvi.zarr/t"},
        "look": {"href": "./look.png", "roles": ["thumbnail"]},
    }
    one_item(tmp_path, assets)
    for name in ("ndvi.zarr/.zgroup", "ndvi.zarr/meta.json", "ndvi.zarr/t/.zarray", "ndvi.zarr/t/0.0", "look.png"):
        put(tmp_path / "c" / "i" / name)
    (tmp_path / "c" / "i" / "ndvi.zarr" / "aux").mkdir()
    report = await imported(sessions, tmp_path / "c")
    assert report.refused == ()
    plain = "application/octet-stream"
    assert await rows(sessions, FILES) == [
        ("look.png", "i/look.png", "quicklook", "image/png"),
        ("ndvi.zarr/.zgroup", "i/ndvi.zarr/.zgroup", "data", plain),
        ("ndvi.zarr/meta.json", "i/ndvi.zarr/meta.json", "metadata", "application/json"),
        ("ndvi.zarr/t/.zarray", "i/ndvi.zarr/t/.zarray", "data", plain),
        ("ndvi.zarr/t/0.0", "i/ndvi.zarr/t/0.0", "data", plain),
    ]
    assert await rows(sessions, EMPTY) == [("i", ["ndvi.zarr/aux/"])]


async def test_folders_of_one_name_keep_all_of_their_paths(sessions: Sessions, tmp_path: Path) -> None:
    one_item(tmp_path, {"a": {"href": "./a/data"}, "b": {"href": "./b/data"}, "x": {"href": "./x.tif"}})
    for name in ("a/data/1", "b/data/2", "x.tif"):
        put(tmp_path / "c" / "i" / name)
    (tmp_path / "c" / "i" / "a" / "data" / "empty").mkdir()
    await imported(sessions, tmp_path / "c")
    names = await rows(sessions, "SELECT name FROM catalogue_files ORDER BY name")
    assert names == ["i/a/data/1", "i/b/data/2", "x.tif"]
    assert await rows(sessions, EMPTY) == [("i", ["i/a/data/empty/"])]


async def test_what_is_left_out_of_a_folder_is_named_and_the_rest_is_taken(sessions: Sessions, tmp_path: Path) -> None:
    one_item(tmp_path, {"s": {"href": "./S1.SAFE"}, "none": {"href": "./empty"}, "out": {"href": "./out"}})
    inside = tmp_path / "c" / "i"
    put(inside / "S1.SAFE" / "manifest.safe")
    os.mkfifo(inside / "S1.SAFE" / "fifo")
    (inside / "S1.SAFE" / "leaving").symlink_to("/etc/hostname")
    (inside / "empty").mkdir()
    (inside / "out").symlink_to(tmp_path)
    report = await imported(sessions, tmp_path / "c")
    assert {refused.what: refused.why for refused in report.refused} == {
        "i/s: i/S1.SAFE/fifo": "it is a FIFO",
        "i/s: i/S1.SAFE/leaving": "it leads out of the source",
        "i/out": "it leads out of the source",
    }
    assert await rows(sessions, "SELECT name FROM catalogue_files") == ["S1.SAFE/manifest.safe"]
    assert await rows(sessions, EMPTY) == [("i", ["empty/"])]


async def test_a_folder_that_is_away_keeps_its_files(sessions: Sessions, tmp_path: Path) -> None:
    one_item(tmp_path, {"s": {"href": "./S1.SAFE"}, "x": {"href": "./x.tif"}})
    put(tmp_path / "c" / "i" / "S1.SAFE" / "measurement" / "1.tiff")
    put(tmp_path / "c" / "i" / "x.tif")
    await imported(sessions, tmp_path / "c")
    before = await rows(sessions, "SELECT id, name FROM catalogue_files ORDER BY id")
    (tmp_path / "c" / "i" / "S1.SAFE").rename(tmp_path / "away")
    report = await imported(sessions, tmp_path / "c")
    assert (report.withdrawn, report.kept, report.incomplete) == (0, 1, True)
    assert await rows(sessions, "SELECT id, name FROM catalogue_files ORDER BY id") == before
