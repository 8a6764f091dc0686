"""One flaw costs one thing: never the collection's items, never its siblings, never the import."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import Refusal
from services.catalogue import import_source
from services.catalogue.json_documents import MAX_DOCUMENT_BYTES
from services.catalogue.source_contents import MAX_FILE_BYTES, FoundProduct
from services.catalogue.stac import read_stac
from storage.sources.registry import Sources
from tests.services.catalogue_sources import Sessions, catalog, collection, item, put, put_json, rows

SQUARE = {"type": "Polygon", "coordinates": [[[1, 2], [3, 2], [3, 4], [1, 4], [1, 2]]]}
PROVIDER = {"name": "n", "roles": ["host"], "url": "https://example.org"}
SUMMARIES = {"gsd": {"minimum": 1, "maximum": 3}, "platform": ["a"]}
WHOLE_COLLECTION = collection("c", ["one.json", "two.json"]) | {
    "title": "The scenes", "keywords": ["k"], "stac_extensions": ["https://example.org/e.json"], "summaries": SUMMARIES,
    "providers": [PROVIDER], "assets": {"own": {"href": "own.png", "roles": ["thumbnail"], "title": "own"}},
    "item_assets": {"data": {"roles": ["data"]}},
}  # fmt: skip
WHOLE_ITEM = item(
    "two",
    {"data": {"href": "two.tif", "type": "image/tiff", "roles": ["data"], "file:size": 7, "title": "d",
              "file:checksum": "1220" + "01" * 32}},
    geometry=SQUARE, bbox=[1, 2, 3, 4], collection="c", stac_extensions=[],
    properties={"datetime": None, "start_datetime": "2024-06-01T00:00:00Z", "end_datetime": "2024-06-02T00:00:00Z",
                "gsd": 30, "providers": [PROVIDER]},
)  # fmt: skip


def put_catalogue(root: Path, flawed: Any, two: Any = WHOLE_ITEM) -> Path:
    """A flawed collection between two good ones; all of them have the item `one`, and the flawed one `two`."""
    folders = {"first": collection("first", ["one.json"]), "flawed": flawed, "last": collection("last", ["one.json"])}
    for name, document in folders.items():
        put_json(root / name / "collection.json", document)
        put_json(root / name / "one.json", item("one", {"data": {"href": "one.tif"}}))
        put(root / name / "one.tif")
    put_json(root / "flawed" / "two.json", two)
    for name in ("two.tif", "own.png"):
        put(root / "flawed" / name)
    return put_json(root / "catalog.json", catalog("root", children=[f"{name}/collection.json" for name in folders]))


def objects(products: list[FoundProduct]) -> dict[str, set[str]]:
    return {product.sku: {file.object_name for file in product.files} for product in products}


def without(document: Any, *path: Any) -> Any:
    """A copy of a document without one of its members."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return copy


def paths_in(document: Any) -> list[tuple[Any, ...]]:
    """Every place of a document, the outermost first."""
    steps: list[tuple[Any, Any]] = list(document.items() if isinstance(document, dict) else enumerate(document))
    found: list[tuple[Any, ...]] = []
    for step, inner in steps:
        found.append((step,))
        if isinstance(inner, dict | list):
            found += [(step, *path) for path in paths_in(inner)]
    return found


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("flawed", "note"),
    [
        (without(WHOLE_COLLECTION, "license"), "flawed/collection.json has no license"),
        (without(WHOLE_COLLECTION, "extent"), "flawed/collection.json has no extent"),
        (WHOLE_COLLECTION | {"extent": None}, "flawed/collection.json has no extent"),
        (WHOLE_COLLECTION | {"license": 7}, "flawed/collection.json has a license that is no text, no license"),
        (without(WHOLE_COLLECTION, "id"),
         "flawed/collection.json cannot give the product its SKU, for it has no id: it has that of its folder, flawed"),
        (replaced(WHOLE_COLLECTION, ("extent", "temporal", "interval"), [["2020-01-01T00:00:00Z"]]),
         "flawed/collection.json has an interval with one end in its extent: open"),
        (replaced(WHOLE_COLLECTION, ("extent", "temporal"), None),
         "flawed/collection.json has no interval in its extent that can be read"),
        (replaced(WHOLE_COLLECTION, ("extent", "temporal", "interval"), [["2021-01-01T00:00:00Z", "2020-01-01"]]),
         "flawed/collection.json has no interval in its extent that can be read"),
        (WHOLE_COLLECTION | {"assets": "own.png"},
         "flawed/collection.json has assets that are no JSON object: left out"),
    ],
)  # fmt: skip
def test_what_a_collection_lacks_is_told_and_its_items_come_in(tmp_path: Path, flawed: Any, note: str) -> None:
    found = read_stac(str(put_catalogue(tmp_path, flawed)))
    (product,) = (product for product in found if product.sku not in {"first", "last"})
    assert note in product.all_notes()
    assert product.refused == []
    assert {"one", "two"} <= {file.object_name for file in product.files}
    assert set(objects(found)) == {"first", product.sku, "last"}


@pytest.mark.parametrize(
    "flawed",
    [
        without(WHOLE_COLLECTION, "type"),
        without(WHOLE_COLLECTION, "stac_version"),
        replaced(WHOLE_COLLECTION, ("summaries",), {"gsd": {"minimum": 1}}),
        replaced(WHOLE_COLLECTION, ("providers",), [{"roles": ["host"]}]),
        replaced(WHOLE_COLLECTION, ("extent", "temporal", "interval"), ["2020-01-01T00:00:00Z", None]),
        *(WHOLE_COLLECTION | {name: None} for name in ("keywords", "summaries", "providers", "stac_extensions")),
        WHOLE_COLLECTION | {"assets": None},
        WHOLE_COLLECTION | {"stac_version": "1.0.0-rc.9"},
        WHOLE_COLLECTION | {"links": [{"rel": "license"}, 7, None, *WHOLE_COLLECTION["links"]]},
    ],
)  # fmt: skip
def test_what_is_not_needed_may_be_as_it_likes(tmp_path: Path, flawed: Any) -> None:
    found = read_stac(str(put_catalogue(tmp_path, flawed)))
    assert objects(found)["c"] >= {"one", "two"}
    assert [(product.refused, product.all_notes()) for product in found] == [([], [])] * 3


def test_an_item_of_the_collections_own_name_comes_in_beside_its_assets(tmp_path: Path) -> None:
    found = read_stac(str(put_catalogue(tmp_path, WHOLE_COLLECTION, WHOLE_ITEM | {"id": "c"})))
    assert objects(found)["c"] == {"one", "c", "c (collection)"}


ODD: list[Any] = [
    None, True, 0, -1, 10**30, 1e308, float("nan"), float("inf"), "", " ", "x" * 3000, "a\0b", "\ud800", "\x1b[31m",
    "..", "/", "https://example.org/x", "file:///etc/passwd", "%00", "?", "9999-12-31T23:59:60Z",
    "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", [], {}, [None], [[]], {"": None}, [{}], {"a": {"b": [1]}},
    ["\ud800", 10**400],
]  # fmt: skip
UNSTORABLE = [None, 10**30, 1e308, "a\0b", "\ud800", "x" * 3000, "0001-01-01T00:00:00Z", ["\ud800", {"\0": 10**30}]]
ANY = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue whose second collection and its second item are written again by each example."""
    return put_catalogue(tmp_path_factory.mktemp("flawed"), WHOLE_COLLECTION)


@settings(max_examples=60)
@given(
    in_collection=st.sampled_from(paths_in(WHOLE_COLLECTION)),
    in_item=st.sampled_from(paths_in(WHOLE_ITEM)),
    values=st.tuples(ANY, ANY),
)
def test_nothing_a_document_can_hold_costs_more_than_its_entry(
    flawed: Path, in_collection: tuple[Any, ...], in_item: tuple[Any, ...], values: tuple[Any, Any]
) -> None:
    put_json(flawed.parent / "flawed" / "collection.json", replaced(WHOLE_COLLECTION, in_collection, values[0]))
    put_json(flawed.parent / "flawed" / "two.json", replaced(WHOLE_ITEM, in_item, values[1]))
    found = read_stac(str(flawed))
    assert {"first": {"one"}, "last": {"one"}}.items() <= objects(found).items()
    if in_collection[0] not in {"links", "type"}:
        (product,) = (product for product in found if product.sku not in {"first", "last"})
        assert "one" in {file.object_name for file in product.files}


async def test_every_member_of_an_item_may_hold_anything_and_the_database_takes_the_rest(
    sessions: Sessions, tmp_path: Path
) -> None:
    names = []
    for n, path in enumerate(paths_in(WHOLE_ITEM)):
        for m, value in enumerate(UNSTORABLE):
            names.append(f"{n}-{m}.json")
            odd = WHOLE_ITEM | {"id": f"{n}-{m}"}
            put_json(tmp_path / names[-1], replaced(odd, path, value))
    put(tmp_path / "two.tif")
    put_json(tmp_path / "good.json", item("good", {"data": {"href": "two.tif"}}))
    entry = put_json(tmp_path / "collection.json", collection("c", [*names, "good.json"]))
    (report,) = await import_source(sessions, entry)
    assert "good" in await rows(sessions, "SELECT name FROM catalogue_objects")
    told = {refused.what.partition("/")[0] for refused in report.refused}
    assert report.objects + len(told) == len(names) + 1
    assert report.objects > len(names) / 2
    properties = await rows(sessions, "SELECT properties FROM catalogue_objects")
    assert {"gsd": 1e308} in properties
    assert orjson.loads(orjson.dumps(properties)) == properties, "the facade can send it"
    again = await import_source(sessions, entry)
    assert (again[0].unchanged, again[0].objects_changed) == (report.files, 0)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("latin1", json.dumps(WHOLE_ITEM, ensure_ascii=False).replace('"d"', '"d\xe9"').encode("latin-1"), None),
        ("mark", b"\xef\xbb\xbf" + json.dumps(WHOLE_ITEM).encode(), None),
        ("newline", json.dumps(WHOLE_ITEM).replace('"d"', '"d\n"').encode(), None),
        ("utf16", json.dumps(WHOLE_ITEM).encode("utf-16"), "it is not valid JSON: it is UTF-16; save it as UTF-8"),
        ("deep", b"[" * 100_000, "it is not valid JSON: it is nested too deep"),
        ("deeper", b'{"id": ' + b'{"a":' * 2_000 + b"1" + b"}" * 2_001, "it is not valid JSON: it is nested too deep"),
        ("digits", json.dumps(WHOLE_ITEM).replace("30", "9" * 5_000).encode(), None),
        ("comma", json.dumps(WHOLE_ITEM).replace("}", ",}").encode(), "it is not valid JSON: "),
        ("empty", b"", "it is not valid JSON: "),
        ("list", b"[]", "it is not a JSON object"),
    ],
)  # fmt: skip
def test_documents_are_read_as_people_write_them(tmp_path: Path, name: str, content: bytes, why: str | None) -> None:
    entry = put_catalogue(tmp_path, WHOLE_COLLECTION)
    put(tmp_path / "flawed" / "two.json", content)
    (_, product, _) = read_stac(str(entry))
    assert objects([product]) == {"c": {"one", "c"} | (set() if why else {"two"})}
    assert [entry.why.startswith(why or "?") for entry in product.refused] == ([True] if why else [])


def test_a_link_to_a_file_of_any_size_is_refused_unread(tmp_path: Path) -> None:
    entry = put_catalogue(tmp_path, WHOLE_COLLECTION)
    with (tmp_path / "flawed" / "two.json").open("wb") as file:
        file.truncate(MAX_DOCUMENT_BYTES + 1)
    (_, product, _) = read_stac(str(entry))
    assert [(entry.what, "more than any STAC document" in entry.why) for entry in product.refused] == [
        ("flawed/two.json", True)
    ]


def test_a_folder_that_leads_back_to_itself_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(".")
    children = ["loop/catalog.json", "./loop/loop/catalog.json", "catalog.json"]
    put_json(tmp_path / "catalog.json", catalog("root", children=children, items=["i.json", "loop/i.json"]))
    put_json(tmp_path / "i.json", item("i", {"data": {"href": "x"}}))
    put(tmp_path / "x")
    (product,) = read_stac(str(tmp_path / "catalog.json"))
    assert ([file.object_name for file in product.files], product.refused) == (["i"], [])


def test_a_catalogue_that_was_saved_for_the_web_is_told_what_to_do(tmp_path: Path) -> None:
    web = "https://example.org/c"
    put_json(tmp_path / "i.json", item("i", {"data": {"href": f"{web}/x.tif"}}))
    entry = put_json(tmp_path / "collection.json", collection("c", ["i.json", f"{web}/j.json"]))
    (product,) = read_stac(str(entry))
    assert {entry.what for entry in product.refused} == {"i/data", f"{web}/j.json"}
    (note,) = product.all_notes()
    assert "2 of the references lead to the web" in note
    assert "SELF_CONTAINED" in note


@pytest.mark.parametrize("stac", [True, False])
async def test_a_file_of_a_year_that_cannot_be_kept_comes_in_with_the_nearest(
    sessions: Sessions, tmp_path: Path, stac: bool
) -> None:
    seconds = {"2446.tif": 15_032_385_535, "1901.tif": -(2**31)}
    for name, at in seconds.items():
        os.utime(put(tmp_path / "c" / name), (at, at))
    put_json(tmp_path / "i.json", item("i", {name: {"href": f"c/{name}"} for name in seconds}, properties={}))
    root = put_json(tmp_path / "collection.json", collection("c", ["i.json"]))
    (report,) = await import_source(sessions, root if stac else tmp_path / "c")
    found = dict(await rows(sessions, "SELECT name, modified_ns FROM catalogue_files"))
    assert found == {"2446.tif": 2**63 - 1, "1901.tif": -(2**31) * 10**9}
    assert any("2262 is taken (" in note and "/2446.tif)" in note for note in report.notes)
    source = Sources().at(report.location)
    for name, kept in found.items():
        assert source.stat(f"c/{name}" if stac else name).modified_ns == kept
    assert (await import_source(sessions, root if stac else tmp_path / "c"))[0].unchanged == 2


async def test_names_and_sizes_that_the_catalogue_cannot_hold_are_refused_by_name(
    sessions: Sessions, tmp_path: Path
) -> None:
    deep = "/".join(hashlib.sha512(str(n).encode()).hexdigest() for n in range(20))
    put(tmp_path / deep / "x")
    put(tmp_path / "y" / "x")
    put_json(tmp_path / "i.json", item("i", {key: {"href": key} for key in (f"{deep}/x", "y/x")}))
    (report,) = await import_source(sessions, put_json(tmp_path / "collection.json", collection("c", ["i.json"])))
    assert await rows(sessions, "SELECT name FROM catalogue_files") == ["y/x"]
    assert [entry.why for entry in report.refused] == ["its name has more than 2,000 bytes"]
    huge = os.stat_result((0o100644, 0, 0, 1, 0, 0, MAX_FILE_BYTES + 1, 0, 0, 0))
    with pytest.raises(Refusal, match="more than can be kept"):
        FoundProduct("c", "c", "/").file("i", "x", "x", huge, "image/tiff")
