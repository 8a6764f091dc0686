"""The archive engine beside the programs people would use instead, interleaved in one run and printed as one table.

`python -m bench.archives [--small] [--rounds N] [--only SECTION] [--programs NAME…] [--data FOLDER [--keep]]
[--results FILE]`. Programs that are not there are named as such. Nothing here passes or fails: figures of a noisy
machine are to be read beside their neighbours'. All of it takes a quarter of an hour and more; with `--keep` and
`--results` it can be run a section or some programs at a time, and the last slice shows the whole table.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from bench.measuring import Measured, Series, program, task

MB: Final = 1_000_000
_FOLDER_FILES: Final = 1_000


class Case(NamedTuple):
    """So many files of the same size. `peers`: also run what is no part of ours."""

    name: str
    files: int
    size: int
    section: str
    peers: bool = True

    @property
    def gigabytes(self) -> float:
        """What there is to read."""
        return self.files * self.size / 1e9


FULL: Final = (
    Case("10 × 400 MB", 10, 400 * MB, "large"),
    Case("1,000 × 4 MB", 1_000, 4 * MB, "medium"),
    Case("100,000 × 10 KB", 100_000, 10_000, "little"),
    Case("1,000,000 × 1 KB", 1_000_000, 1_000, "tiny"),
)
SMALL: Final = (
    Case("5 × 100 MB", 5, 100 * MB, "large"),
    Case("100 × 4 MB", 100, 4 * MB, "medium"),
    Case("10,000 × 10 KB", 10_000, 10_000, "little"),
)
SECTIONS: Final = ("files", *(case.section for case in FULL), "layout", "serving")

SEAL, WRITE, DURABLE, CP, CAT, OPENSSL = "seal", "write", "write, fsync", "cp -r", "cat", "openssl sha256"


class Place(NamedTuple):
    """Where a case lies: its files, what sealing learnt of them, and what writers may fill."""

    folder: Path
    known: Path
    target: Path

    def clear(self) -> None:
        """Remove what a writer has left."""
        if self.target.is_dir():
            shutil.rmtree(self.target)
        for left in (self.target, self.target.with_name("target.zip")):
            left.unlink(missing_ok=True)


Contender = Callable[[Place], Measured]


def made(case: Case, data: Path) -> Place:
    """The files of a case, random and warm, a thousand in each folder; those of an earlier slice where they are."""
    folder = data / f"{case.files}x{case.size}"
    place = Place(folder, data / f"{folder.name}.known", data / "target")
    if folder.exists():
        return place
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    block = os.urandom(min(case.size, MB))
    for index in range(case.files):
        if index % _FOLDER_FILES == 0:
            (scene := part / f"scene-{index // _FOLDER_FILES:04}").mkdir(parents=True)
        with (scene / f"file-{index:07}.tif").open("wb") as file:
            for _ in range(case.size // len(block)):
                file.write(block)
    part.rename(folder)
    return place


def _shell(line: str) -> Contender:
    return lambda place: program(["sh", "-c", line.format(target=place.target)], place.folder)


def _needs(installed: str, command: Sequence[str]) -> Contender | None:
    if shutil.which(installed) is None:
        return None
    return lambda place: program([part.format(target=place.target) for part in command], place.folder)


def _library(module: str, name: str) -> Contender | None:
    if find_spec(module) is None:
        return None
    return lambda place: task(name, folder=place.folder, target=place.target)[0]


def contenders(case: Case) -> dict[str, Contender | None]:
    """Ours, what they are measured against, and the peers; None where one is not installed."""
    sha = _shell("find . -type f -print0 | xargs -0 openssl sha256 > /dev/null")
    ours: dict[str, Contender | None] = {
        SEAL: lambda place: task("seal", folder=place.folder, known=place.known)[0],
        OPENSSL: sha if shutil.which("openssl") else None,
        WRITE: lambda place: _write(place, durable=False),
        DURABLE: lambda place: _write(place, durable=True),
        CAT: _shell("find . -type f -print0 | xargs -0 cat > {target}"),
    }
    peers: dict[str, Contender | None] = {
        CP: _needs("cp", ["cp", "-r", ".", "{target}"]),
        "bsdtar, zip stored": _needs(
            "bsdtar", ["bsdtar", "-cf", "{target}", "--format", "zip", "--options", "zip:compression=store", "."]
        ),
        "7z -tzip -mx0": _needs("7z", ["7z", "a", "-tzip", "-mx0", "-bd", "{target}.zip", "."]),
        "zip -0": _needs("zip", ["zip", "-0", "-q", "-r", "{target}.zip", "."]),
        "Python zipfile": _library("zipfile", "python_zipfile"),
        "zipstream-ng": _library("zipstream", "zipstream_ng"),
        "stream-zip": _library("stream_zip", "stream_zip"),
    }
    return ours | peers if case.peers else ours


def _write(place: Place, *, durable: bool) -> Measured:
    return task("write", folder=place.folder, known=place.known, target=place.target, durable=durable)[0]


def run_case(
    case: Case,
    data: Path,
    rounds: int,
    told: Callable[[str], None],
    *,
    programs: Sequence[str] = (),
    keep: bool = False,
    so_far: Callable[[dict[str, Series | None]], None] = lambda _: None,
) -> dict[str, Series | None]:
    """Every contender, or the programs named, in every round, one after the other; `so_far` gets what has run."""
    place = made(case, data)
    place.clear()  # what a killed slice has left
    found: dict[str, Series | None] = {}
    racing = {name: run for name, run in contenders(case).items() if not programs or name in programs}
    for name, run in racing.items():
        found[name] = Series() if run else None
    for number in range(rounds):
        for name, run in racing.items():
            told(f"{case.name}, round {number + 1} of {rounds}: {name}")
            if run and (series := found[name]) is not None:
                series.runs.append(run(place))
                so_far({name: each for name, each in found.items() if each is None or each.runs})
                place.clear()
                os.sync()  # nobody pays for the pages that the one before has left dirty
    if not keep:
        shutil.rmtree(place.folder)
    return found


def case_rows(case: Case, found: dict[str, Series | None]) -> list[tuple[str, ...]]:
    """A row for each contender: seconds, ratios, rates, CPU and memory."""
    rows = []
    for name, series in found.items():
        if series is None:
            rows.append((case.name, name, "not installed", *[""] * 7))
            continue
        against = [f"{series.times_as_fast_as(base):.2f}" if (base := found.get(n)) else "" for n in (CP, CAT, OPENSSL)]
        rows.append(
            (
                case.name,
                name,
                f"{series.seconds:.2f}",
                *against,
                f"{case.gigabytes / series.seconds:.2f}",
                f"{case.files / series.seconds:,.0f}",
                f"{series.cpu / case.gigabytes:.2f}",
                f"{series.peak_bytes / 2**20:.0f}",
            )
        )
    return rows


class Aim(NamedTuple):
    """What ought to be reached, and what was; `met` is a fact about this run only."""

    what: str
    aim: str
    measured: str
    met: bool


def case_aims(case: Case, found: dict[str, Series | None]) -> list[Aim]:
    """The aims that a case can tell of."""
    seal, write = found.get(SEAL), found.get(WRITE)
    if seal is None or write is None:
        return []
    aims = []
    if case.size >= MB:
        if base := found.get(OPENSSL):
            aims.append(at_least(f"seal {case.name}, × {OPENSSL}", 1.0, seal.times_as_fast_as(base)))
        aims.append(at_most(f"seal {case.name}, CPU s/GB", 1.3, seal.cpu / case.gigabytes))
        if base := found.get(CP):
            aims.append(at_least(f"write {case.name}, × {CP}", 0.75, write.times_as_fast_as(base)))
    elif case.size >= 10_000:
        aims.append(at_least(f"seal {case.name}, files/s", 45_000, case.files / seal.seconds))
        aims.append(at_least(f"write {case.name}, files/s", 80_000, case.files / write.seconds))
    if case.files <= _FOLDER_FILES:
        peak = max(series.peak_bytes for series in (seal, write))
        aims.append(at_most(f"memory {case.name}, MiB", 64, peak / 2**20))
    return aims


def at_least(what: str, aim: float, measured: float) -> Aim:
    """An aim that more is better of."""
    return Aim(what, f"≥ {aim:,g}", _number(measured), measured >= aim)


def at_most(what: str, aim: float, measured: float) -> Aim:
    """An aim that less is better of."""
    return Aim(what, f"≤ {aim:,g}", _number(measured), measured <= aim)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.2f}"


def layout_aims(few: int, many: int) -> list[Aim]:
    """Whether the millionth file costs more than the first, and how much memory the layout of all takes."""
    one, other = task("layout", count=few)[0], task("layout", count=many)[0]
    per_file = one.seconds / few, other.seconds / many
    what = f"layout, cost per file of {many:,} files ({per_file[1] * 1e6:.1f} µs) × that of {few:,}"
    return [
        at_most(what, 1.3, per_file[1] / per_file[0]),
        at_most(f"memory, layout of {many:,} files, MiB", 64, other.peak_bytes / 2**20),
    ]


def show(console: Console, rows: Sequence[tuple[str, ...]], aims: Sequence[Aim]) -> None:
    """One table of what was run, and one of what it was to reach."""
    columns = ("case", "program", "s", "× cp", "× cat", "× openssl", "GB/s", "files/s", "CPU s/GB", "peak MiB")
    table = Table(*columns, title="Archives: median of the rounds; × is how many times as fast, round by round")
    for column in table.columns[2:]:
        column.justify = "right"
    for before, row in zip([None, *rows], rows, strict=False):
        if before and before[0] != row[0]:
            table.add_section()
        table.add_row(*row)
    if rows:
        console.print(table)
    table = Table("aim", "wanted", "measured", "", title="Aims")
    for aim in aims:
        table.add_row(aim.what, aim.aim, aim.measured, "met" if aim.met else "missed")
    console.print(table)


class Results:
    """What has been measured, in this slice and, where they are kept in a file, in those before."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        kept = json.loads(file.read_text()) if file and file.exists() else {"runs": {}, "aims": []}
        self._runs: dict[str, dict[str, list[list[float]] | None]] = kept["runs"]
        self._aims = {what: Aim(what, *rest) for what, *rest in kept["aims"]}

    def add_case(self, case: Case, found: dict[str, Series | None]) -> None:
        """Add contenders of a case, in place of those of the same name; kept at once, for a slice may be killed."""
        runs = {name: None if series is None else [[*run] for run in series.runs] for name, series in found.items()}
        self._runs.setdefault(case.name, {}).update(runs)
        self._save()

    def add_aims(self, aims: Sequence[Aim]) -> None:
        """Add aims that belong to no case."""
        self._aims |= {aim.what: aim for aim in aims}
        self._save()

    def _save(self) -> None:
        if self._file:
            self._file.write_text(json.dumps({"runs": self._runs, "aims": list(self._aims.values())}))

    def shown(self, cases: Sequence[Case]) -> tuple[list[tuple[str, ...]], list[Aim]]:
        """Rows and aims of all of it."""
        rows, aims = [], []
        for case in cases:
            found = {name: _series(runs) for name, runs in self._runs.get(case.name, {}).items()}
            rows += case_rows(case, found)
            aims += case_aims(case, found)
        return rows, aims + list(self._aims.values())


def _series(runs: list[list[float]] | None) -> Series | None:
    if runs is None:
        return None
    series = Series()
    series.runs = [Measured(seconds, cpu, int(peak)) for seconds, cpu, peak in runs]
    return series


def _measure(wanted: argparse.Namespace, data: Path, told: Callable[[str], None], results: Results) -> None:
    """Run the sections that are wanted."""
    few, many = 10_000, 100_000 if wanted.small else 1_000_000
    for case in SMALL if wanted.small else FULL:
        if wanted.only in {None, "files", case.section}:
            so_far = partial(results.add_case, case)
            run_case(case, data, wanted.rounds, told, programs=wanted.programs, keep=wanted.keep, so_far=so_far)
    if wanted.only in {None, "files", "layout"}:
        results.add_aims(layout_aims(few, many))
    if wanted.only in {None, "serving"}:
        from bench.serving import serving_aims

        results.add_aims(serving_aims(data, told, small=wanted.small))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.archives", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the data, for a first look")
    parser.add_argument("--rounds", type=int, default=1, help="how often each contender runs")
    parser.add_argument("--only", choices=SECTIONS, help="a part of the measurements")
    parser.add_argument("--programs", nargs="+", metavar="NAME", default=[], help="only these, as the table names them")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()), help="where 10 GB may lie")
    parser.add_argument("--keep", action="store_true", help="leave the files in --data, for the next slice")
    parser.add_argument("--results", type=Path, help="add to what this file has, and show all of it")
    wanted = parser.parse_args(arguments)
    console, errors = Console(width=140), Console(stderr=True)
    results = Results(wanted.results)
    with ExitStack() as opened:
        folder = wanted.data
        if not wanted.keep:
            folder = opened.enter_context(tempfile.TemporaryDirectory(dir=wanted.data, prefix="consignor-bench-"))
        opened.enter_context(suppress(KeyboardInterrupt))  # what is there by then is shown
        _measure(wanted, Path(folder), errors.print, results)
    show(console, *results.shown(SMALL if wanted.small else FULL))
    return 0


if __name__ == "__main__":
    sys.exit(main())
