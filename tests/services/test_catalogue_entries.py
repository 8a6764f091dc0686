"""What kind of source a folder is: a STAC catalogue that cannot be read is an error, and never a plain folder."""

import codecs
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import Refusal
from services.catalogue import ImportOptions, import_source
from tests.services.catalogue_sources import Sessions, catalog, collection, item, put, put_json, rows


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A catalogue of one collection of two items."""
    for name in ("one", "two"):
        put(tmp_path / "c" / f"{name}.tif")
        put_json(tmp_path / "c" / f"{name}.json", item(name, {"data": {"href": f"{name}.tif"}}))
    put_json(tmp_path / "c" / "collection.json", collection("c", ["one.json", "two.json"]))
    put_json(tmp_path / "catalog.json", catalog("root", children=["c/collection.json"]))
    return tmp_path


ODD: dict[str, Callable[[str], str]] = {
    "trailing comma": lambda text: text[:-1] + ",}",
    "empty": lambda _: "",
    "blank": lambda _: " \n",
    "cut off": lambda text: text[: len(text) // 2],
    "a page": lambda _: "<!DOCTYPE html><title>502 Bad Gateway</title>",
}


@pytest.mark.parametrize("name", ["catalog.json", "collection.json"])
@pytest.mark.parametrize("fault", [*ODD, "UTF-16", "a link to nowhere", "a link that leaves", "a loop"])
async def test_an_entry_that_nobody_can_read_is_an_error(
    sessions: Sessions, source: Path, fault: str, name: str
) -> None:
    folder = source if name == "catalog.json" else source / "c"
    entry, text = folder / name, (folder / name).read_text()
    entry.unlink()
    if fault == "UTF-16":
        entry.write_text(text, "utf-16")
    elif fault.startswith("a l"):
        put(source.with_name(f"{source.name}.json"), text.encode())
        targets = {"a link to nowhere": "nowhere", "a link that leaves": f"{source}.json", "a loop": name}
        entry.symlink_to(targets[fault])
    else:
        entry.write_text(ODD[fault](text))
    with pytest.raises(Refusal, match=f"{name}: it .*--plain"):
        await import_source(sessions, folder)
    assert await rows(sessions, "SELECT sku FROM products") == []
    (report,) = await import_source(sessions, folder, ImportOptions(plain=True, sku="plain"))
    assert report.product == "added"


@pytest.mark.parametrize("name", ["catalog.json", "c/collection.json", "c/two.json"])
async def test_a_byte_order_mark_is_skipped(sessions: Sessions, source: Path, name: str) -> None:
    (source / name).write_bytes(codecs.BOM_UTF8 + (source / name).read_bytes())
    (report,) = await import_source(sessions, source)
    assert (report.sku, report.objects, report.refused) == ("c", 2, ())


async def test_a_catalogue_older_than_stac_1_is_one(sessions: Sessions, source: Path) -> None:
    old = json.loads((source / "catalog.json").read_text()) | {"stac_version": "0.9.0"}
    del old["type"]
    put_json(source / "catalog.json", old)
    (report,) = await import_source(sessions, source)
    assert (report.sku, report.objects) == ("c", 2)


@pytest.mark.parametrize("content", [b'{"books": []}', b"[]", b'{"type": "library"}'])
async def test_another_catalog_json_that_can_be_read_leaves_a_folder_plain(
    sessions: Sessions, tmp_path: Path, content: bytes
) -> None:
    put(tmp_path / "books" / "catalog.json", content)
    (report,) = await import_source(sessions, tmp_path / "books")
    assert report.sku == "books"


async def test_a_collection_is_the_entry_where_catalog_json_is_something_else(sessions: Sessions, source: Path) -> None:
    put(source / "c" / "catalog.json", b'{"books": []}')
    (report,) = await import_source(sessions, source / "c")
    assert (report.sku, report.objects) == ("c", 2)


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("below", ["c", "deep/down"])
async def test_a_folder_of_collections_is_not_sold_as_files(
    sessions: Sessions, source: Path, below: str, *, broken: bool
) -> None:
    (source / "catalog.json").unlink()
    if broken:
        put(source / "c" / "collection.json", b'{"type": "Collection"')
    if below != "c":
        (source / "deep").mkdir()
        (source / "c").rename(source / below)
    with pytest.raises(Refusal, match=f"holds {below}/collection.json, .*--plain"):
        await import_source(sessions, source)
    (report,) = await import_source(sessions, source, ImportOptions(plain=True))
    assert report.files == 5


async def test_a_single_item_is_no_source_and_says_what_is(sessions: Sessions, source: Path) -> None:
    with pytest.raises(Refusal, match="a STAC item; import the collection"):
        await import_source(sessions, source / "c" / "one.json")
    features = {"type": "FeatureCollection", "features": [item("i", {"data": {"href": "one.tif"}})]}
    with pytest.raises(Refusal, match="a FeatureCollection; import the collection"):
        await import_source(sessions, put_json(source / "c" / "all.json", features))
    (source / "c" / "collection.json").unlink()
    (report,) = await import_source(sessions, source / "c")
    assert "one.json is a STAC item" in report.notes[0]
    with pytest.raises(Refusal, match="it is not valid JSON"):
        await import_source(sessions, source / "c" / "one.tif")


async def test_a_folder_whose_entry_has_gone_is_not_plain_all_at_once(sessions: Sessions, source: Path) -> None:
    await import_source(sessions, source / "c")
    (source / "c" / "collection.json").unlink()
    with pytest.raises(Refusal, match=r"collection.json: it is not there, and .*--plain"):
        await import_source(sessions, source / "c")
    (report,) = await import_source(sessions, source / "c", ImportOptions(plain=True, sku="plain"))
    assert report.files == 4
