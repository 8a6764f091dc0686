"""How fast a plain folder is imported: as new, again without a change, and after some of it has changed.

`python -m bench.imports [--files N] [--objects M]` starts a PostgreSQL of its own. A walk of the folder with a look at
each file, and nothing else, is measured beside it.
"""

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from cli.dev.postgres import EmbeddedPostgres
from database.engine import make_engine, make_sessions
from migrations.run import upgrade
from services.catalogue import import_source

_CONTENT: Final = b"0123456789"


def main() -> int:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--objects", type=int, default=1_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made = _make(root / "scenes", given.files, given.objects)
        with EmbeddedPostgres(root / "data", durable=True) as server:
            server.ensure_database()
            upgrade(server.url())
            figures = asyncio.run(_measure(server.url(), root / "scenes"))
    table = Table("import", "seconds", "files/s", title=f"{made:,} files in {given.objects:,} objects")
    for name, seconds in figures.items():
        table.add_row(name, f"{seconds:.2f}", f"{made / seconds:,.0f}")
    Console().print(table)
    return 0


def _make(root: Path, files: int, objects: int) -> int:
    for index in range(objects):
        folder = root / f"object-{index:06}"
        folder.mkdir(parents=True)
        for number in range(files // objects):
            (folder / f"band-{number:06}.tif").write_bytes(_CONTENT)
    return files // objects * objects


async def _measure(url: str, source: Path) -> dict[str, float]:
    engine = make_engine(url, pool_size=1)
    sessions = make_sessions(engine)

    async def timed() -> float:
        begin = time.perf_counter()
        await import_source(sessions, source)
        return time.perf_counter() - begin

    begin = time.perf_counter()
    for folder in source.iterdir():  # noqa: ASYNC240
        for entry in os.scandir(folder):
            entry.stat()
    figures = {"walk alone, os.scandir and stat": time.perf_counter() - begin, "new": await timed()}
    figures["again, nothing changed"] = await timed()
    for folder in source.iterdir():  # noqa: ASYNC240
        (folder / "more.tif").write_bytes(_CONTENT)
    figures["again, each object has one more"] = await timed()
    await engine.dispose()
    return figures


if __name__ == "__main__":
    raise SystemExit(main())
