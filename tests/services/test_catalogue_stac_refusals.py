"""What a STAC catalogue gets wrong is refused by name and with the reason, and everything else comes in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from services.catalogue import ImportReport, import_source
from tests.services.catalogue_sources import Sessions, collection, item, one_item, put, put_json, rows

HREFS = "SELECT name, href FROM catalogue_files ORDER BY id"


async def imported(sessions: Sessions, source: Path) -> ImportReport:
    (report,) = await import_source(sessions, source)
    return report


def reasons(report: ImportReport) -> dict[str, str]:
    return {refused.what: refused.why for refused in report.refused}


def put_all(folder: Path, documents: Mapping[str, Any]) -> None:
    for name, document in documents.items():
        put_json(folder / f"{name}.json", document)


@pytest.mark.parametrize(
    ("asset", "why"),
    [
        ({"href": "https://example.com/x.tif"}, "is not a file of this disk (https:)"),
        ({"href": "s3://bucket/x.tif"}, "is not a file of this disk (s3:)"),
        ({"href": "../../../secret"}, "leads out of the source"),
        ({"href": "/etc/passwd"}, "leads out of the source"),
        ({"href": "..%2F..%2F..%2Fsecret"}, "leads out of the source"),
        ({"href": "link"}, "it leads out of the source"),
        ({"href": "folder/secret"}, "it leads out of the source"),
        ({"href": "missing.tif"}, "it is not there"),
        ({"href": "here.tif/below"}, "it is not there"),
        ({"href": "x" * 5000}, "it cannot be read: File name too long"),
        ({"href": "nul\0.tif"}, "NUL"),
        ({"href": "here.tif", "file:size": 8}, "its file:size says 8 bytes, the file has 7"),
        ({"href": "here.tif", "file:size": "8"}, "its file:size says 8 bytes, the file has 7"),
        ({"href": "here.tif", "file:size": 10**30}, "the file has 7"),
        ({"href": ""}, "it has no href"),
        ({"href": 3}, "it has no href"),
        ("here.tif", "it has no href"),
    ],
)
async def test_an_asset_that_cannot_be_taken_is_refused_and_the_others_come_in(
    sessions: Sessions, tmp_path: Path, asset: Any, why: str
) -> None:
    put(tmp_path / "secret")
    source = one_item(tmp_path / "tree", {"good": {"href": "here.tif"}, "bad": asset})
    put(tmp_path / "tree" / "c" / "i" / "here.tif")
    (tmp_path / "tree" / "c" / "i" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "tree" / "c" / "i" / "folder").symlink_to(tmp_path)
    report = await imported(sessions, source)
    assert why in reasons(report)["i/bad"]
    assert await rows(sessions, HREFS) == [("here.tif", "i/here.tif")]


async def test_broken_documents_are_named_and_the_rest_comes_in(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "x")
    good = {"data": {"href": "x"}}
    documents: dict[str, Any] = {
        "good": item("good", good),
        "twin": item("good", good),
        "none": item("none", {}),
        "list": item("list", ["x"]),
        "noid": item(None, good),
        "textless": item(["a"], good),
        "dots": item("..", good),
        "nul": item("a\0b", good),
        "long": item("x" * 201, good),
        "kind": item("kind", good) | {"type": "Catalog"},
        "array": [1],
    }
    put_all(tmp_path, documents)
    put(tmp_path / "half.json", b'{"type": "Feature", ')
    put(tmp_path / "surrogate.json", b'{"type": "Feature", "id": "\\ud800"}')
    names = [*documents, "half", "surrogate", "absent"]
    root = collection("c", [f"{name}.json" for name in names])
    root["links"].append({"rel": "child", "href": "https://example.com/collection.json"})
    root["links"].append({"rel": "child", "href": "x"})
    report = await imported(sessions, put_json(tmp_path / "collection.json", root))
    found = reasons(report)
    assert report.files == 1
    assert set(found) == {f"{name}.json" for name in names[1:]} | {"x", "https://example.com/collection.json"}
    assert found["twin.json"] == "good.json is called good too"
    assert found["none.json"] == found["list.json"] == "it has no assets"
    assert found["noid.json"] == "it has no id"
    assert found["textless.json"] == "its id is no text"
    assert found["dots.json"].startswith("its id is '..', which no URL can lead to")
    assert found["half.json"].startswith("it is not valid JSON")
    assert "character 1 is U+D800 (SURROGATE)" in found["surrogate.json"]
    assert found["absent.json"] == "it is not there"
