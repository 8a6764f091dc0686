"""Names of archive members, archives and the header that carries a name."""

import re
from unicodedata import is_normalized, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.naming import (
    MAX_COMPONENT_BYTES,
    MAX_NAME_BYTES,
    RESERVED_NAMES,
    archive_filename,
    content_disposition,
    entry_names,
)

NASTY = st.sampled_from(
    [
        "a",
        "A",
        "a.tif",
        "A.TIF",
        "a (1).tif",
        "é",
        "e\u0301",
        "ß",
        "SS",
        "..",
        ".",
        "",
        "/",
        "\\",
        "con",
        "NUL.txt",
        "C:",
    ]
)
CHARACTERS = st.characters(codec=None)
NAMES = st.lists(NASTY | st.text(CHARACTERS, max_size=8), min_size=1, max_size=4).map("/".join)
PAIRS = st.lists(st.tuples(NASTY | st.text(CHARACTERS, max_size=6), NAMES), max_size=30)


def folded(name: str) -> str:
    return normalize("NFC", name).casefold()


@given(PAIRS)
def test_every_name_is_safe_to_extract(pairs: list[tuple[str, str]]) -> None:
    for name in entry_names(pairs):
        raw = name.encode()
        assert len(raw) <= MAX_NAME_BYTES
        assert is_normalized("NFC", name)
        assert not re.search('[\x00-\x1f\x7f\\\\:*?"<>|]', name)
        components = name.split("/")
        assert len(components) >= 2
        for component in components:
            assert component not in {"", ".", ".."}
            assert component == component.rstrip(". ")
            assert len(component.encode()) <= MAX_COMPONENT_BYTES
            assert component.split(".")[0].rstrip().lower() not in {"con", "nul", "aux", "prn", "com1", "lpt9"}


@given(PAIRS)
def test_names_are_unique_without_case_and_no_file_is_also_a_folder(pairs: list[tuple[str, str]]) -> None:
    names = entry_names(pairs)
    files = {folded(name) for name in names}
    assert len(files) == len(pairs)
    folders = {folded(name).rsplit("/", depth)[0] for name in names for depth in range(1, name.count("/") + 1)}
    assert not files & folders
    assert not (files | folders) & {folded(name) for name in RESERVED_NAMES}


@given(PAIRS)
def test_files_share_the_top_folder_exactly_when_they_share_the_object(pairs: list[tuple[str, str]]) -> None:
    tops = [folded(name.split("/")[0]) for name in entry_names(pairs)]
    folder_of = dict(zip((obj for obj, _ in pairs), tops, strict=True))
    assert tops == [folder_of[obj] for obj, _ in pairs]
    assert len(set(folder_of.values())) == len(folder_of)


@given(PAIRS)
def test_the_same_pairs_give_the_same_names(pairs: list[tuple[str, str]]) -> None:
    assert entry_names(pairs) == entry_names(iter(pairs))


def test_a_plain_name_stays_as_it_is() -> None:
    pairs = [("S2A_MSIL1C", "GRANULE/IMG/B02.jp2"), ("S2A_MSIL1C", "été (2).tar.gz")]
    assert entry_names(pairs) == ["S2A_MSIL1C/GRANULE/IMG/B02.jp2", "S2A_MSIL1C/été (2).tar.gz"]


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        ([("a", "x.tif"), ("a", "X.TIF"), ("a", "x.tif")], ["a/x.tif", "a/X (1).TIF", "a/x (2).tif"]),
        ([("a", "x.tar.gz"), ("a", "x.tar.gz")], ["a/x.tar.gz", "a/x (1).tar.gz"]),
        ([("a", "x"), ("A", "x"), ("a", "y")], ["a/x", "A (1)/x", "a/y"]),
        ([("a", "x"), ("a", "x/y"), ("a", "x/z")], ["a/x", "a/x (1)/y", "a/x (1)/z"]),
        ([("a", "x/y"), ("a", "x")], ["a/x/y", "a/x (1)"]),
        ([("a", "D/x"), ("a", "d/x")], ["a/D/x", "a/D/x (1)"]),
        ([("manifest.json", "x"), ("sha256sums", "y")], ["manifest (1).json/x", "sha256sums (1)/y"]),
        ([("..", "../../etc/passwd"), ("C:\\", "\\\\host\\x")], ["_/etc/passwd", "C__/__host_x"]),
        ([("aux", "NUL.txt"), ("b", "com1")], ["_aux/_NUL.txt", "b/_com1"]),
        ([("a", "x\0.exe"), ("a", "x\r\n.tif"), ("a", "\ud800")], ["a/x_.exe", "a/x__.tif", "a/_"]),
        ([("a", "e\u0301.tif"), ("a", "é.tif")], ["a/é.tif", "a/é (1).tif"]),
        ([("a", "x\u200d"), ("a", "x")], ["a/x\u200d", "a/x (1)"]),
        ([("a", "x. . "), ("a/b", "c")], ["a/x", "a_b/c"]),
        ([("", ""), ("a", "///")], ["_/_", "a/_"]),
    ],
)
def test_odd_names_are_cleaned(pairs: list[tuple[str, str]], names: list[str]) -> None:
    assert entry_names(pairs) == names


def test_long_names_keep_their_extension() -> None:
    first, second = entry_names([("a", "é" * 300 + ".tif"), ("a", "é" * 300 + ".tif")])
    assert first.endswith("é.tif")
    assert second.endswith("é (1).tif")
    assert len(second.encode()) <= MAX_COMPONENT_BYTES + 2


def test_a_device_name_does_not_come_back_when_a_name_is_cut() -> None:
    (name,) = entry_names([("a", "con" + " " * 300 + "x.txt")])
    assert name.startswith("a/_con")
    assert len(name.encode()) <= MAX_COMPONENT_BYTES + 2


def test_a_hundred_thousand_twins_are_named_in_a_blink() -> None:
    names = entry_names([("a", "x.tif")] * 100_000)
    assert names[-1] == "a/x (99999).tif"
    assert len(set(names)) == 100_000


@given(st.text(CHARACTERS))
def test_a_content_disposition_is_one_line_of_ascii(filename: str) -> None:
    header = content_disposition(filename)
    assert re.fullmatch(r"attachment; filename=\"[ -!#-\[\]-~]+\"(?:; filename\*=UTF-8''[!#-~]+)?", header)


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("a.zip", 'attachment; filename="a.zip"'),
        ("été.zip", "attachment; filename=\"ete.zip\"; filename*=UTF-8''%C3%A9t%C3%A9.zip"),
        ("写真.zip", "attachment; filename=\"_.zip\"; filename*=UTF-8''%E5%86%99%E7%9C%9F.zip"),
        ('a"\r\nX: y', 'attachment; filename="a___X_ y"'),
        ("../etc/passwd", 'attachment; filename="passwd"'),
    ],
)
def test_a_content_disposition_carries_the_name(filename: str, header: str) -> None:
    assert content_disposition(filename) == header


def test_an_archive_is_called_after_its_order() -> None:
    assert archive_filename("CO-2026-000042", "Wïnter  scenes/1", 3) == "CO-2026-000042_Winter-scenes-1_3.zip"
    assert archive_filename("CO-2026-000042", "冬", 1) == "CO-2026-000042_1.zip"
    assert archive_filename("CO-1", '"\r\n../..', 1) == "CO-1_1.zip"
