"""The bench of the archive engine: it measures what it says, and what it measures is right. No figure is judged."""

import zipfile
from hashlib import sha256
from io import StringIO
from pathlib import Path
from zlib import crc32

import pytest
from rich.console import Console

from bench.archives import CAT, DURABLE, SEAL, WRITE, Case, case_aims, case_rows, contenders, made, run_case, show
from bench.measuring import Failed, Measured, Series, program, task
from bench.tasks import read_known

FEW = Case("few", 3, 200_000, "few", peers=False)


def test_every_contender_is_measured_and_the_table_shows_it(tmp_path: Path) -> None:
    found = run_case(FEW, tmp_path, 2, lambda _: None)
    assert {SEAL, WRITE, DURABLE, CAT} <= set(found)
    assert all(series is None or len(series.runs) == 2 for series in found.values())
    console = Console(width=140, record=True, file=StringIO())
    show(console, case_rows(FEW, found), case_aims(FEW, found))
    text = console.export_text()
    assert all(name in text for name in found)
    assert "memory few, MiB" in text
    assert not (tmp_path / "3x200000").exists()


def test_what_is_not_installed_is_said(tmp_path: Path) -> None:
    rows = case_rows(FEW, {"nothing of the kind": None})
    assert rows[0][1:3] == ("nothing of the kind", "not installed")


def test_the_engine_writes_the_archive_of_the_files_it_sealed(tmp_path: Path) -> None:
    place = made(FEW, tmp_path)
    for name in (SEAL, DURABLE):
        run = contenders(FEW)[name]
        assert run is not None
        measured = run(place)
        assert measured.seconds > 0
        assert measured.peak_bytes > 0
    contents = {path.relative_to(place.folder).as_posix(): path.read_bytes() for path in place.folder.glob("*/*")}
    known = {s.href: (s.digest.crc32, s.digest.sha256) for s in read_known(str(place.known))}
    assert known == {href: (crc32(c), sha256(c).digest()) for href, c in contents.items()}
    with zipfile.ZipFile(place.target) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents


def test_the_layout_of_many_files_can_be_measured() -> None:
    _, found = task("layout", count=1_000)
    assert found["bytes"] > 100 * 1_000


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="no such thing"):
        program(["sh", "-c", "echo no such thing >&2; exit 3"], tmp_path)


def test_ratios_are_taken_round_by_round() -> None:
    ours, theirs = Series(), Series()
    ours.runs = [Measured(1, 1, 1), Measured(10, 1, 2), Measured(2, 1, 3)]
    theirs.runs = [Measured(2, 1, 1), Measured(20, 1, 1), Measured(4, 1, 1)]
    assert ours.times_as_fast_as(theirs) == 2
    assert ours.peak_bytes == 3
