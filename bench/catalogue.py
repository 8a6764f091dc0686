"""How fast the catalogue is searched, beside one JSONB document an item and beside OFFSET with ILIKE, on the same data.

`python -m bench.catalogue [--objects N]` starts a PostgreSQL of its own, migrates and fills it. Each question is asked
of all three in turn, so that a noisy neighbour slows each of them.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import LiteralString, NamedTuple

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from bench import objects
from bench.asking import OPERATOR
from cli.dev.postgres import EmbeddedPostgres
from database.engine import make_engine, make_sessions
from migrations.run import upgrade
from models.areas import Box, area_of_box
from models.catalogue_search import Facet, ObjectFilter, interval_of, property_test
from models.listing import Position
from services import catalogue_counts, catalogue_search

PAGE = 50
_PLACE = area_of_box(Box(2.5, 50.5, 7.0, 53.0))
_MONTH = interval_of("2016-06-01T00:00:00Z/2016-07-01T00:00:00Z")
_YEARS = interval_of("2019-01-01T00:00:00Z/2021-01-01T00:00:00Z")
_CLEAR = (property_test("eo:cloud_cover<20"),)

_IN_PLACE: LiteralString = "geometry && box(point(2.5, 50.5), point(7, 53))"
_ITEMS: LiteralString = "SELECT content FROM stac_items WHERE {} ORDER BY datetime DESC, id DESC LIMIT 50"
_ROWS: LiteralString = "SELECT * FROM catalogue_objects WHERE {} ORDER BY begins_at DESC, id DESC LIMIT 50"
_LIKE: LiteralString = "(name ILIKE '%{0}%' OR properties ->> 'title' ILIKE '%{0}%')"
_DOCUMENT: LiteralString = "(id ILIKE '%{0}%' OR content -> 'properties' ->> 'title' ILIKE '%{0}%')"
_CLOUDS: LiteralString = "(content -> 'properties' ->> 'eo:cloud_cover')::float8 < 20"
_COLUMNS: LiteralString = "(properties ->> 'eo:cloud_cover')::float8 < 20"
_SIDES: LiteralString = "west <= 7 AND east >= 2.5 AND south <= 53 AND north >= 50.5"
_COUNTED: LiteralString = "SELECT collection, count(*) FROM stac_items WHERE {} GROUP BY collection"
_GROUPED: LiteralString = "SELECT product_id, count(*) FROM catalogue_objects WHERE {} GROUP BY product_id"


class Case(NamedTuple):
    """One question: to ours (a text, a filter, whether it is counted, how deep), to documents, to the usual."""

    name: str
    documents: str
    usual: str
    q: str = ""
    criteria: ObjectFilter = ObjectFilter()
    counted: bool = False
    deep: bool = False


def cases(count: int) -> list[Case]:
    """What is asked."""
    depth = count * 9 // 10
    page, rows = _ITEMS, _ROWS
    month = "datetime <= '2016-07-01Z' AND end_datetime >= '2016-06-01Z'"
    years = "datetime <= '2021-01-01Z' AND end_datetime >= '2019-01-01Z'"
    ours = (month.replace("end_datetime", "ends_at").replace("datetime", "begins_at"),
            years.replace("end_datetime", "ends_at").replace("datetime", "begins_at"))  # fmt: skip
    combined = ObjectFilter(area=_PLACE, begins=_YEARS.begins, ends=_YEARS.ends, properties=_CLEAR)
    text, words = _DOCUMENT.format("glacier"), _LIKE.format("glacier")
    return [
        Case("first page", page.format("true"), rows.format("true")),
        Case(f"page at {depth:,}", page.format("true") + f" OFFSET {depth}", rows.format("true") + f" OFFSET {depth}",
             deep=True),
        Case("text, common", page.format(text), rows.format(words), q="glacier"),
        Case("text, rare", page.format(_DOCUMENT.format(objects.RARE)), rows.format(_LIKE.format(objects.RARE)),
             q=objects.RARE),
        Case("text, a tile", page.format(_DOCUMENT.format(objects.TILE)), rows.format(_LIKE.format(objects.TILE)),
             q=objects.TILE),
        Case("bbox", page.format(_IN_PLACE), rows.format(_SIDES), criteria=ObjectFilter(area=_PLACE)),
        Case("time", page.format(month), rows.format(ours[0]),
             criteria=ObjectFilter(begins=_MONTH.begins, ends=_MONTH.ends)),
        Case("property", page.format(_CLOUDS), rows.format(_COLUMNS), criteria=ObjectFilter(properties=_CLEAR)),
        Case("combined", page.format(f"{_IN_PLACE} AND {years} AND {_CLOUDS}"),
             rows.format(f"{_SIDES} AND {ours[1]} AND {_COLUMNS}"), criteria=combined),
        Case("facets of all", _COUNTED.format("true"), _GROUPED.format("true"), counted=True),
        Case("facets of a text", _COUNTED.format(text), _GROUPED.format(words), q="glacier", counted=True),
        Case("facets of a bbox", _COUNTED.format(_IN_PLACE), _GROUPED.format(_SIDES),
             criteria=ObjectFilter(area=_PLACE), counted=True),
    ]  # fmt: skip


async def measure(url: str, count: int, rounds: int, slow_rounds: int) -> dict[str, tuple[list[float], ...]]:
    """Seconds of each question to ours, documents and the usual."""
    engine = make_engine(url)
    sessions = make_sessions(engine)
    found: dict[str, tuple[list[float], ...]] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        deepest = "SELECT begins_at::text, id FROM catalogue_objects ORDER BY begins_at DESC, id DESC OFFSET %s LIMIT 1"
        place = connection.execute(deepest, [count * 9 // 10]).fetchone() or ("", None)
        for case in cases(count):
            times: tuple[list[float], ...] = ([], [], [])
            for n in range(rounds):
                async with sessions.begin() as session:
                    began = time.perf_counter()
                    await _ask(session, case, Position(*place) if case.deep else None)
                    times[0].append(time.perf_counter() - began)
                for series, query in zip(times[1:], (case.documents, case.usual), strict=True):
                    if n < slow_rounds:
                        began = time.perf_counter()
                        connection.execute(query.encode()).fetchall()
                        series.append(time.perf_counter() - began)
            found[case.name] = times
    await engine.dispose()
    return found


async def _ask(session: AsyncSession, case: Case, after: Position | None) -> None:
    among = await catalogue_search.visible_products(session, OPERATOR)
    criteria = case.criteria if not case.q else catalogue_search.searched_for(case.q, among)
    if case.counted:
        await catalogue_counts.count(session, [product.id for product in among], None, criteria, list(Facet))
    else:
        await catalogue_search.search(session, OPERATOR, among, criteria, after, PAGE, counted=False)


def show(console: Console, found: dict[str, tuple[list[float], ...]], count: int) -> None:
    """One table; a ratio is how many times as long the others take, by medians."""
    table = Table("ms", "p50", "p95", "JSONB p50", "ratio", "ILIKE p50", "ratio", title=f"Searching {count:,} objects")
    for name, (ours, documents, usual) in found.items():
        p95 = quantiles(ours, n=20, method="inclusive")[18] if len(ours) > 1 else ours[0]
        cells = [f"{median(ours) * 1000:.1f}", f"{p95 * 1000:.1f}"]
        for others in (documents, usual):
            cells += [f"{median(others) * 1000:.1f}", f"{median(others) / median(ours):.1f} x"]
        table.add_row(name, *cells)
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=50, help="times each question is asked of ours")
    parser.add_argument("--slow-rounds", type=int, default=3, help="times it is asked of the others")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder), durable=False) as server:
        server.ensure_database()
        upgrade(server.url())
        objects.load(server.url(), options.objects)
        found = asyncio.run(measure(server.url(), options.objects, options.rounds, options.slow_rounds))
    show(Console(width=120), found, options.objects)
    return 0


if __name__ == "__main__":
    sys.exit(main())
