"""What STAC says of an object besides its files is kept at import: where, when, plain properties; all of it bounded."""

from pathlib import Path
from typing import Any

import pytest

from services.catalogue import ImportReport, import_source
from services.catalogue.stac_metadata import MAX_PROPERTIES
from tests.services.catalogue_sources import Sessions, one_item, put, put_json, rows

SQUARE = {"type": "Polygon", "coordinates": [[[1, 2], [3, 2], [3, 4], [1, 4], [1, 2]]]}
RANGE = {"start_datetime": "2024-06-01T00:00:00Z", "end_datetime": "2024-06-03T00:00:00Z"}
BOX = "SELECT west, south, east, north FROM catalogue_objects"
TIME = "SELECT begins_at::text, ends_at::text FROM catalogue_objects"
PROPERTIES = "SELECT properties FROM catalogue_objects"


async def imported(sessions: Sessions, root: Path, properties: Any = None, **more: Any) -> ImportReport:
    if not (root / "c").exists():
        put(root / "c" / "i" / "x.tif", b"pixels")
    said = {"datetime": "2024-06-01T00:00:00Z"} | (properties or {})
    (report,) = await import_source(sessions, one_item(root, {"x": {"href": "x.tif"}}, properties=said, **more))
    return report


async def test_a_geometry_is_kept_with_its_box(sessions: Sessions, tmp_path: Path) -> None:
    report = await imported(sessions, tmp_path, geometry=SQUARE)
    assert report.notes == ()
    assert await rows(sessions, BOX) == [(1, 2, 3, 4)]
    assert await rows(sessions, "SELECT geometry FROM catalogue_objects") == [SQUARE]


async def test_a_box_across_the_antimeridian_goes_on_beyond_180(sessions: Sessions, tmp_path: Path) -> None:
    across = {"type": "LineString", "coordinates": [[170, -5], [185, 5]]}
    await imported(sessions, tmp_path, geometry=across)
    assert await rows(sessions, BOX) == [(170, -5, 185, 5)]


async def test_an_object_without_a_place_comes_without_one(sessions: Sessions, tmp_path: Path) -> None:
    report = await imported(sessions, tmp_path, geometry="everywhere")
    assert report.files == 1
    assert report.notes == ("1 of the items have a geometry that is no GeoJSON in degrees: kept without it (i)",)
    assert await rows(sessions, BOX) == [(None,) * 4]


@pytest.mark.parametrize(
    ("properties", "begins", "ends", "kept"),
    [
        ({"datetime": "2024-06-01T12:00:00+02:00"}, "2024-06-01 10:00:00+00", "2024-06-01 10:00:00+00", {}),
        (
            {"datetime": None} | RANGE,
            "2024-06-01 00:00:00+00", "2024-06-03 00:00:00+00", {},
        ),
        (
            {"datetime": "2024-06-02T00:00:00Z"} | RANGE,
            "2024-06-01 00:00:00+00", "2024-06-03 00:00:00+00", {"datetime": "2024-06-02T00:00:00Z"},
        ),
    ],
)  # fmt: skip
async def test_a_time_is_kept_as_an_instant_or_a_range(
    sessions: Sessions, tmp_path: Path, properties: Any, begins: str, ends: str, kept: Any
) -> None:
    await imported(sessions, tmp_path, properties)
    query = "SELECT (begins_at AT TIME ZONE 'UTC')::text || '+00', (ends_at AT TIME ZONE 'UTC')::text || '+00'"
    assert await rows(sessions, f"{query} FROM catalogue_objects") == [(begins, ends)]
    assert await rows(sessions, PROPERTIES) == [kept]


@pytest.mark.parametrize(
    "properties",
    [
        {"datetime": "yesterday"},
        {"datetime": 5},
        {"datetime": None},
        {"datetime": "0001-01-01T00:00:00+14:00"},
        {"start_datetime": "2024-06-03T00:00:00Z", "end_datetime": "2024-06-01T00:00:00Z"},
    ],
)
async def test_an_object_without_a_time_has_that_of_its_newest_file(
    sessions: Sessions, tmp_path: Path, properties: Any
) -> None:
    report = await imported(sessions, tmp_path, properties)
    assert report.notes == ("1 of the items have no time that can be read: their newest file's is taken (i)",)
    newest = "SELECT modified_ns / 1000 = extract(epoch FROM o.begins_at) * 1000000 AND begins_at = ends_at"
    assert await rows(sessions, f"{newest} FROM catalogue_objects o JOIN catalogue_files ON object_id = o.id") == [True]


async def test_plain_properties_are_kept_and_others_left_out(sessions: Sessions, tmp_path: Path) -> None:
    kept = {"eo:cloud_cover": 12.5, "platform": "landsat-8", "gsd": 30, "good": True, "title": "Ä"}
    left_out = {"order:status": "succeeded", "consignor:object": "x", "deep": {"a": 1}, "many": [1, 2], "none": None}
    await imported(sessions, tmp_path, kept | left_out | {"long": "x" * 1001, "nul": "a\0b"})
    assert await rows(sessions, PROPERTIES) == [kept]


async def test_no_object_has_more_properties_than_a_page_can_hold(sessions: Sessions, tmp_path: Path) -> None:
    report = await imported(sessions, tmp_path, {f"p{n}": n for n in range(MAX_PROPERTIES + 5)})
    assert await rows(sessions, "SELECT count(*) FROM catalogue_objects, jsonb_object_keys(properties)") == [100]
    assert report.notes == (f"1 of the items have more than {MAX_PROPERTIES} properties: the others are left out (i)",)


async def test_importing_again_changes_what_is_said_anew_and_nothing_else(sessions: Sessions, tmp_path: Path) -> None:
    first = await imported(sessions, tmp_path, {"gsd": 30}, geometry=SQUARE)
    again = await imported(sessions, tmp_path, {"gsd": 30}, geometry=SQUARE)
    assert (first.objects_changed, again.objects_changed, again.unchanged) == (0, 0, 1)
    before = await rows(sessions, "SELECT id, changed_at FROM catalogue_objects")
    moved = await imported(sessions, tmp_path, {"gsd": 30}, geometry={"type": "Point", "coordinates": [5, 6]})
    assert moved.objects_changed == 1
    assert "have another description" in moved.notes[-1]
    ((key, changed_at),) = await rows(sessions, "SELECT id, changed_at FROM catalogue_objects")
    assert (key, changed_at > before[0][1]) == (before[0][0], True)
    assert await rows(sessions, BOX) == [(5, 6, 5, 6)]


async def test_a_collection_is_kept_with_its_words_and_extent(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "c" / "i" / "x.tif")
    entry = one_item(tmp_path, {"x": {"href": "x.tif"}})
    words = {"description": " What it is. ", "license": "CC-BY-4.0", "title": "The scenes"}
    extent = {"spatial": {"bbox": [[1, 2, 0, 3, 4, 9]]}, "temporal": {"interval": [["2013-06-01T00:00:00Z", None]]}}
    put_json(entry, {**_read(entry), **words, "extent": extent})
    await import_source(sessions, entry)
    assert await rows(sessions, "SELECT name, description, license, extent FROM products") == [
        ("The scenes", "What it is.", "CC-BY-4.0", {"bbox": [1, 2, 3, 4], "interval": ["2013-06-01T00:00:00Z", None]})
    ]


async def test_the_extent_of_a_source_that_says_none_is_that_of_its_objects(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "c" / "i" / "x.tif")
    entry = one_item(tmp_path, {"x": {"href": "x.tif"}}, geometry=SQUARE)
    put_json(entry, {**_read(entry), "extent": {"spatial": {"bbox": [[1]]}, "temporal": {"interval": [[None, None]]}}})
    await import_source(sessions, entry)
    assert await rows(sessions, "SELECT extent FROM products") == [
        {"bbox": [1, 2, 3, 4], "interval": ["2024-06-01T00:00:00Z", "2024-06-01T00:00:00Z"]}
    ]


def _read(path: Path) -> Any:
    import json

    return json.loads(path.read_text())
