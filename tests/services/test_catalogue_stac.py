"""A static STAC catalogue becomes products: each collection one, each item an object, each asset a file."""

import hashlib
from pathlib import Path

import pytest

from models.errors import Refusal
from services.catalogue import ImportOptions, ImportReport, import_source
from tests.services.catalogue_sources import Sessions, catalog, collection, item, one_item, put, put_json, rows

HREFS = "SELECT name, href FROM catalogue_files ORDER BY id"


async def imported(sessions: Sessions, source: Path) -> ImportReport:
    (report,) = await import_source(sessions, source)
    return report


async def test_an_asset_is_a_file_with_its_role_type_size_and_checksum(sessions: Sessions, tmp_path: Path) -> None:
    content = put(tmp_path / "c" / "i" / "x.tif", b"pixels").read_bytes()
    for name in ("t.png", "o.png", "m.xml", "plain.csv"):
        put(tmp_path / "c" / "i" / name)
    digest = hashlib.sha256(content).hexdigest()
    source = one_item(
        tmp_path,
        {
            "x": {"href": "./x.tif", "type": "image/tiff; application=geotiff", "roles": ["overview", "data"]}
            | {"file:size": 6, "file:checksum": "1220" + digest.upper()},
            "t": {"href": "t.png", "roles": ["thumbnail"]},
            "o": {"href": "o.png", "roles": ["overview"]},
            "m": {"href": "m.xml", "roles": ["metadata"]},
            "p": {"href": "plain.csv"},
        },
    )
    report = await imported(sessions, source)
    assert (report.sku, report.files, report.refused) == ("c", 5, ())
    assert await rows(
        sessions, "SELECT name, kind, media_type, encode(sha256, 'hex') FROM catalogue_files ORDER BY id"
    ) == [
        ("x.tif", "data", "image/tiff; application=geotiff", digest),
        ("t.png", "quicklook", "image/png", None),
        ("o.png", "quicklook", "image/png", None),
        ("m.xml", "metadata", "text/xml", None),
        ("plain.csv", "data", "text/csv", None),
    ]


async def test_a_checksum_of_another_kind_is_no_reason_to_refuse(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "c" / "i" / "x")
    put(tmp_path / "c" / "i" / "y")
    source = one_item(
        tmp_path,
        {
            "x": {"href": "x", "file:checksum": "1340" + "00" * 64},
            "y": {"href": "y", "file:checksum": "a0e40220" + "00" * 32},
        },
    )
    report = await imported(sessions, source)
    assert report.files == 2
    assert report.notes == (
        "1 of the checksums are BLAKE2b-256: not verified, only SHA-256 is",
        "1 of the checksums are SHA-512: not verified, only SHA-256 is",
    )
    assert await rows(sessions, "SELECT DISTINCT sha256 FROM catalogue_files") == [None]


async def test_a_changed_checksum_is_a_change_and_a_missing_one_is_none(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "c" / "i" / "x")
    said: list[tuple[dict[str, str], str]] = [
        ({}, "added"),
        ({"file:checksum": "1220" + "01" * 32}, "changed"),
        ({"file:checksum": "1220" + "02" * 32}, "changed"),
        ({}, "unchanged"),
    ]
    for checksum, outcome in said:
        report = await imported(sessions, one_item(tmp_path, {"x": {"href": "x"} | checksum}))
        assert getattr(report, outcome) == 1
    assert await rows(sessions, "SELECT sha256 FROM catalogue_files") == [b"\x02" * 32]


async def test_catalogues_nest_and_their_items_belong_to_the_nearest_collection(
    sessions: Sessions, tmp_path: Path
) -> None:
    for name in ("a", "b", "loose"):
        put(tmp_path / f"{name}.tif")
        put_json(tmp_path / f"{name}.json", item(name, {"data": {"href": f"{name}.tif"}}))
    put_json(tmp_path / "catalog.json", catalog("root", children=["years.json"], items=["loose.json"]))
    put_json(tmp_path / "years.json", catalog("years", children=["one.json", "catalog.json", "years.json"]))
    put_json(tmp_path / "one.json", collection("one", ["a.json"], title="The first") | {"title": "The first"})
    nested = collection("two", [])
    nested["links"] = [{"rel": "child", "href": "y2024.json"}, {"rel": "item", "href": "a.json"}]
    put_json(tmp_path / "y2024.json", catalog("y2024", items=["b.json"]))
    one = collection("one", ["a.json"], title="The first")
    one["links"].append({"rel": "child", "href": "two.json"})
    put_json(tmp_path / "one.json", one)
    put_json(tmp_path / "two.json", nested)
    reports = await import_source(sessions, tmp_path)
    assert {report.sku: (report.name, report.files) for report in reports} == {
        "root": ("root", 1),
        "one": ("The first", 1),
        "two": ("two", 1),
    }


async def test_files_of_one_name_in_an_object_keep_their_paths(sessions: Sessions, tmp_path: Path) -> None:
    for href in ("i/a/x.tif", "i/b/x.tif", "i/y.tif"):
        put(tmp_path / "c" / href)
    assets = {key: {"href": key} for key in ("a/x.tif", "./b/x.tif", "y.tif", "./y.tif")}
    report = await imported(sessions, one_item(tmp_path, assets))
    assert await rows(sessions, HREFS) == [
        ("i/a/x.tif", "i/a/x.tif"),
        ("i/b/x.tif", "i/b/x.tif"),
        ("y.tif", "i/y.tif"),
    ]
    assert report.notes == ("1 of the assets name a file that another asset of the item names too",)


async def test_assets_beside_the_collection_are_found_from_the_catalogues_folder(
    sessions: Sessions, tmp_path: Path
) -> None:
    put(tmp_path / "pool" / "x.tif")
    one_item(tmp_path, {"x": {"href": "../../pool/x.tif"}})
    source = put_json(tmp_path / "catalog.json", catalog("root", children=["c/collection.json"]))
    report = await imported(sessions, source)
    assert (report.sku, report.location) == ("c", str(tmp_path))
    assert await rows(sessions, HREFS) == [("x.tif", "pool/x.tif")]


async def test_a_link_inside_the_source_that_leaves_the_collection_moves_the_location_up(
    sessions: Sessions, tmp_path: Path
) -> None:
    put(tmp_path / "pool" / "x.tif")
    one_item(tmp_path, {"x": {"href": "x.tif"}})
    (tmp_path / "c" / "i" / "x.tif").symlink_to("../../pool/x.tif")
    source = put_json(tmp_path / "catalog.json", catalog("root", children=["c/collection.json"]))
    assert (await imported(sessions, source)).location == str(tmp_path)
    assert await rows(sessions, HREFS) == [("x.tif", "c/i/x.tif")]


async def test_hrefs_may_be_percent_encoded_and_literal_per_cents_win(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "c" / "i" / "two words.tif")
    put(tmp_path / "c" / "i" / "a%20b.tif")
    source = one_item(tmp_path, {"x": {"href": "two%20words.tif"}, "y": {"href": "a%20b.tif"}})
    assert (await imported(sessions, source)).refused == ()
    assert {name for name, _ in await rows(sessions, HREFS)} == {"two words.tif", "a%20b.tif"}


async def test_items_older_than_stac_1_keep_their_checksum(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "c" / "i" / "x")
    asset = {"href": "x", "checksum:multihash": "1220" + "05" * 32}
    source = one_item(tmp_path, {"x": asset}, stac_version="0.9.0", stac_extensions=["checksum"])
    assert (await imported(sessions, source)).refused == ()
    assert await rows(sessions, "SELECT sha256 FROM catalogue_files") == [b"\x05" * 32]


async def test_a_collections_own_assets_are_an_object_of_its_name(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "preview.png")
    assets = {"preview": {"href": "preview.png", "roles": ["thumbnail"]}}
    await imported(sessions, put_json(tmp_path / "collection.json", collection("c", [], assets=assets)))
    assert await rows(sessions, "SELECT name FROM catalogue_objects") == ["c"]


async def test_a_collections_own_assets_go_along_with_its_items(sessions: Sessions, tmp_path: Path) -> None:
    for name in ("license.txt", "x"):
        put(tmp_path / name)
    put_json(tmp_path / "i.json", item("i", {"x": {"href": "x"}}))
    document = collection("c", ["i.json"], assets={"license": {"href": "license.txt"}})
    source = put_json(tmp_path / "collection.json", document)
    along = "SELECT name, accompanies FROM catalogue_objects ORDER BY name"
    assert (await imported(sessions, source)).objects == 2
    assert await rows(sessions, along) == [("c", True), ("i", False)]
    assert (await imported(sessions, source)).unchanged == 2
    (tmp_path / "i.json").unlink()
    await imported(sessions, put_json(source, document))
    assert await rows(sessions, along) == [("c", True), ("i", False)]
    await import_source(sessions, put_json(source, document | {"links": []}), ImportOptions(allow_withdrawals=True))
    assert await rows(sessions, along) == [("c", False)]


async def test_sku_and_name_are_for_one_product_only(sessions: Sessions, tmp_path: Path) -> None:
    for name in ("one", "two"):
        put(tmp_path / name / "x")
        put_json(tmp_path / name / "i.json", item("i", {"x": {"href": "x"}}))
        put_json(tmp_path / name / "collection.json", collection(name, ["i.json"]))
    source = put_json(tmp_path / "catalog.json", catalog("r", children=["one/collection.json", "two/collection.json"]))
    with pytest.raises(Refusal, match="2 products"):
        await import_source(sessions, source, ImportOptions(sku="mine"))
    (report,) = await import_source(sessions, tmp_path / "two", ImportOptions(sku="mine", name="Mine"))
    assert (report.sku, report.name) == ("mine", "Mine")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"type": "Feature"}', b'{"type": "Catalog"}', b"\xff\xfe", b""])
async def test_a_file_that_is_no_catalogue_is_refused(sessions: Sessions, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Refusal, match="it is not"):
        await import_source(sessions, put(tmp_path / "catalog.json", content))


async def test_a_folder_with_another_catalog_json_is_a_plain_one(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "books" / "catalog.json", b'{"books": []}')
    assert (await imported(sessions, tmp_path / "books")).sku == "books"
