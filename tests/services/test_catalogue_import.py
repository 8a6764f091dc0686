"""A plain folder becomes a product; importing it again says what has changed, and nothing else moves."""

import asyncio
import os
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from pydantic import ValidationError

from models.errors import Refusal
from services.catalogue import ImportOptions, ImportReport, import_source, precompute_checksums
from storage.sources.registry import Sources
from tests.services.catalogue_sources import Sessions, one_item, put, rows

FILES = (
    "SELECT o.name, f.name, f.href FROM catalogue_files f JOIN catalogue_objects o ON o.id = object_id ORDER BY f.id"
)
KNOWN = "FROM catalogue_files f LEFT JOIN known_files k ON k.file_id = f.id"
STAMPS = "SELECT name, changed_at FROM catalogue_objects"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "Winter Scenes"
    put(root / "a.csv", b"12345")
    put(root / "b" / "one.tif", b"1")
    put(root / "b" / "deep" / "two.tif", b"22")
    return root


async def imported(sessions: Sessions, source: Path, **options: Any) -> ImportReport:
    (report,) = await import_source(sessions, source, ImportOptions(**options))
    return report


def move(folder: Path, name: str) -> Path:
    return folder.rename(folder.with_name(name))


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.withdrawn


async def test_each_file_and_each_folder_is_an_object(sessions: Sessions, source: Path) -> None:
    report = await imported(sessions, source)
    assert (report.sku, report.name, report.location) == ("winter-scenes", "Winter Scenes", str(source))
    assert (report.product, report.objects, report.size_bytes, counts(report)) == ("added", 2, 8, (3, 0, 0, 0))
    assert await rows(sessions, FILES) == [
        ("a.csv", "a.csv", "a.csv"),
        ("b", "one.tif", "b/one.tif"),
        ("b", "deep/two.tif", "b/deep/two.tif"),
    ]


async def test_a_file_is_catalogued_with_all_that_is_known_of_it(sessions: Sessions, source: Path) -> None:
    await imported(sessions, source)
    columns = "size_bytes, media_type, kind, tier, modified_ns, sha256"
    (found,) = await rows(sessions, f"SELECT {columns} FROM catalogue_files WHERE name = 'a.csv'")
    assert found == (5, "text/csv", "data", "online", (source / "a.csv").stat().st_mtime_ns, None)


async def test_a_second_import_changes_nothing(sessions: Sessions, source: Path) -> None:
    await imported(sessions, source)
    everything = "SELECT * FROM catalogue_files f JOIN catalogue_objects o ON o.id = object_id"
    before = await rows(sessions, everything)
    report = await imported(sessions, source)
    assert (report.product, counts(report)) == ("unchanged", (0, 0, 3, 0))
    assert await rows(sessions, everything) == before


async def test_what_changes_in_the_source_moves_only_the_objects_it_touches(sessions: Sessions, source: Path) -> None:
    await imported(sessions, source)
    put(source / "c" / "kept")
    put(source / "c" / "gone")
    await imported(sessions, source)
    before = dict(await rows(sessions, STAMPS))
    os.utime(source / "b" / "one.tif", ns=(0, 7))
    (source / "c" / "gone").unlink()
    put(source / "new.csv")
    report = await imported(sessions, source)
    assert counts(report) == (1, 1, 3, 1)
    after = dict(await rows(sessions, STAMPS))
    assert {name for name in after if after[name] != before.get(name)} == {"b", "c", "new.csv"}


async def test_an_object_without_files_goes_with_its_last_one(sessions: Sessions, source: Path) -> None:
    await imported(sessions, source)
    (source / "a.csv").unlink()
    assert counts(await imported(sessions, source)) == (0, 0, 2, 1)
    assert await rows(sessions, "SELECT name FROM catalogue_objects") == ["b"]


async def test_a_changed_file_forgets_what_sealing_learned_and_the_others_keep_it(
    sessions: Sessions, source: Path
) -> None:
    await imported(sessions, source)
    await rows(sessions, "UPDATE catalogue_files SET sha256 = sha256('x') RETURNING 1")
    await precompute_checksums(sessions, Sources(), "winter-scenes")
    put(source / "a.csv", b"123456")
    assert counts(await imported(sessions, source)) == (0, 1, 2, 0)
    known = await rows(sessions, f"SELECT name, crc32, f.sha256 IS NOT NULL {KNOWN} ORDER BY name")
    assert known == [("a.csv", None, False), ("deep/two.tif", crc32(b"22"), True), ("one.tif", crc32(b"1"), True)]


async def test_a_withdrawn_file_is_forgotten_too(sessions: Sessions, source: Path) -> None:
    await imported(sessions, source)
    await precompute_checksums(sessions, Sources(), "winter-scenes")
    (source / "a.csv").unlink()
    assert counts(await imported(sessions, source)) == (0, 0, 2, 1)
    assert len(await rows(sessions, "SELECT file_id FROM known_files")) == 2


async def test_a_product_that_moved_says_so_and_trusts_nothing(sessions: Sessions, source: Path) -> None:
    await imported(sessions, source, sku="s")
    await precompute_checksums(sessions, Sources(), "s")
    elsewhere = move(source, "elsewhere")
    report = await imported(sessions, elsewhere, sku="s")
    assert (report.product, report.notes, counts(report)) == (
        "changed",
        (f"the product moved here from {source}",),
        (0, 3, 0, 0),
    )
    assert await rows(sessions, "SELECT crc32 FROM known_files") == []


async def test_a_source_that_is_empty_withdraws_nothing(sessions: Sessions, source: Path) -> None:
    await imported(sessions, source)
    move(source, "unmounted").with_name(source.name).mkdir()
    report = await imported(sessions, source)
    assert (report.product, report.files, counts(report)) == ("unchanged", 0, (0, 0, 0, 0))
    assert report.notes == ("no file of it was found; the catalogue was left as it is",)
    assert len(await rows(sessions, FILES)) == 3


async def test_an_empty_folder_makes_no_product(sessions: Sessions, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (await imported(sessions, tmp_path / "empty")).product == "absent"
    assert await rows(sessions, "SELECT sku FROM products") == []


async def test_what_the_operator_says_stays_until_he_says_otherwise(sessions: Sessions, source: Path) -> None:
    product = "SELECT sku, name, unit_price, currency FROM products"
    await imported(sessions, source, sku="w", name="Winter", price=Decimal("12.50"), currency="chf")
    assert await rows(sessions, product) == [("w", "Winter", Decimal("12.50"), "CHF")]
    assert (await imported(sessions, source, sku="w")).product == "unchanged"
    assert (await imported(sessions, source, sku="w", price=Decimal(0))).product == "changed"
    assert await rows(sessions, product) == [("w", "Winter", Decimal(0), "CHF")]


async def test_hidden_things_links_that_leave_and_odd_files_are_refused_with_the_reason(
    sessions: Sessions, source: Path, tmp_path: Path
) -> None:
    put(tmp_path / "secret")
    put(source / ".hidden")
    put(source / ".git" / "config")
    (source / "leaving").symlink_to(tmp_path / "secret")
    (source / "dangling").symlink_to("nowhere")
    (source / "staying").symlink_to("b/one.tif")
    (source / "folder").symlink_to("b")
    (source / "loop").symlink_to("loop")
    os.mkfifo(source / "fifo")
    report = await imported(sessions, source)
    hidden = "it is hidden, and so not taken from the top of a source; --hidden takes it"
    assert {refused.what: refused.why for refused in report.refused} == {
        ".git": hidden,
        ".hidden": hidden,
        "dangling": "it is not there",
        "fifo": "it is a FIFO",
        "folder": "it is a link to a folder",
        "leaving": "it leads out of the source",
        "loop": "it cannot be read: Too many levels of symbolic links",
    }
    assert ("staying", "staying", "staying") in await rows(sessions, FILES)
    assert report.files == 4


async def test_a_name_that_is_no_utf8_is_refused_and_shown_harmless(sessions: Sessions, source: Path) -> None:
    with open(os.fsencode(source) + b"/b/bad\xff.csv", "wb"):  # noqa: PTH123, ASYNC230 - pathlib takes no bytes
        pass
    put(source / "b" / "red\x1b[31m\n.csv")
    report = await imported(sessions, source)
    (refused,) = report.refused
    assert (refused.what, refused.why) == (r"b/bad\udcff.csv", "its name is not valid UTF-8")
    assert ("b", "red\x1b[31m\n.csv", "b/red\x1b[31m\n.csv") in await rows(sessions, FILES)


async def test_names_keep_what_copy_would_take_for_its_own(sessions: Sessions, source: Path) -> None:
    odd = ["tab\there", "back\\slash", "\\N", "\\.", "per%20cent", "Ω.csv"]
    for name in odd:
        put(source / "odd" / name)
    await imported(sessions, source)
    names = await rows(sessions, "SELECT href FROM catalogue_files WHERE href LIKE 'odd/%' ORDER BY href COLLATE \"C\"")
    assert names == sorted(f"odd/{name}" for name in odd)
    assert counts(await imported(sessions, source)) == (0, 0, 9, 0)


async def test_two_imports_at_once_follow_each_other(sessions: Sessions, source: Path) -> None:
    reports = await asyncio.gather(*(imported(sessions, source) for _ in range(4)))
    assert sorted(counts(report) for report in reports) == [(0, 0, 3, 0)] * 3 + [(3, 0, 0, 0)]


async def test_a_source_that_is_not_there_is_refused(sessions: Sessions, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="it is not there"):
        await imported(sessions, tmp_path / "nothing")


async def test_a_folder_whose_name_gives_no_sku_needs_one(sessions: Sessions, tmp_path: Path) -> None:
    put(tmp_path / "日本" / "a")
    with pytest.raises(Refusal, match="no SKU"):
        await imported(sessions, tmp_path / "日本")
    assert (await imported(sessions, tmp_path / "日本", sku="japan")).name == "日本"


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": "-1"},
        {"price": "1.00005"},
        {"price": "1.005", "currency": "EUR"},
        {"price": "1500.5", "currency": "jpy"},
        {"price": "NaN"},
        {"price": "Infinity"},
        {"price": "99999999999"},
        {"currency": "EURO"},
        {"currency": "12A"},
        {"currency": "ABC"},
        {"currency": "XAU"},
        {"sku": "  "},
        {"sku": "a\nb"},
        {"name": "x" * 201},
        {"discount": "1"},
    ],
)
def test_what_cannot_be_stored_is_no_option(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ImportOptions.model_validate(wrong)


async def test_price_and_currency_fit_each_other_whichever_is_given(sessions: Sessions, source: Path) -> None:
    product = "SELECT unit_price, currency FROM products"
    cannot = "not imported: {} cannot be paid: {} has {}; give a --price with {}, or the --currency it is in"
    new = await imported(sessions, source, sku="w", price="1.005")
    assert (new.product, new.incomplete) == ("absent", True)
    for given, becomes in (
        ({"price": "1.5", "currency": "KWD"}, ("1.5", "KWD")),
        ({"price": "1.505"}, ("1.505", "KWD")),
        ({"currency": "EUR"}, "1.505 EUR|EUR|2 decimals"),
        ({"price": "1500", "currency": "JPY"}, ("1500", "JPY")),
        ({"price": "12.50"}, "12.5 JPY|JPY|no decimals"),
        ({"price": "12.00"}, ("12", "JPY")),
        ({"currency": "EUR"}, ("12", "EUR")),
    ):
        before = await rows(sessions, product)
        report = await imported(sessions, source, sku="w", **given)
        if isinstance(becomes, str):
            what, currency, decimals = becomes.split("|")
            assert f"not imported: {report.refusal}" == cannot.format(what, currency, decimals, decimals)
            assert await rows(sessions, product) == before
        else:
            assert (report.product, report.refusal) in {("added", None), ("changed", None)}
            assert await rows(sessions, product) == [(Decimal(becomes[0]), becomes[1])]


async def test_a_product_is_for_its_groups_until_an_import_says_otherwise(sessions: Sessions, source: Path) -> None:
    groups = "SELECT access_groups FROM products"
    said = [(("b", "a", "b"), ["a", "b"]), (None, ["a", "b"]), (("c",), ["c"]), ((), [])]
    for given, kept in said:
        await imported(sessions, source, sku="w", groups=given)
        assert await rows(sessions, groups) == [kept]
    assert (await imported(sessions, source, sku="w", groups=())).product == "unchanged"


async def test_it_tells_of_each_file_and_each_document_that_it_has_looked_at(
    sessions: Sessions, source: Path, tmp_path: Path
) -> None:
    looks = list[str]()
    await import_source(sessions, source, looked=lambda: looks.append("file"))
    entry = one_item(tmp_path / "stac", {"a": {"href": "./a.tif"}})
    put(tmp_path / "stac" / "c" / "i" / "a.tif")
    await import_source(sessions, entry, looked=lambda: looks.append("document"))
    assert looks == ["file"] * 3 + ["document"] * 2
