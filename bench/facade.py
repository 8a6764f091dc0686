"""How fast lists, searches and exports of a million orders are over HTTP, beside the usual stack on the same data.

`python -m bench.facade [--orders N]` starts a PostgreSQL of its own, migrates and fills it, and serves both stacks from
one uvicorn. Each request is made on its own; both stacks take turns.
"""

import argparse
import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import httpx2 as httpx
import psycopg
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from api.app import create_app
from api.dependencies import Services
from api.orders.filters import OrderListParams
from bench import orders, usual
from bench.asking import OPERATOR, identity, let_in
from cli.dev.postgres import EmbeddedPostgres
from database.engine import make_engine, make_sessions
from migrations.run import upgrade
from storage.pool import StoragePool

KEY = b"bench"
PATIENCE = 0.05
CUSTOMER = "person-0100@example.org"


class Case(NamedTuple):
    """The same question to both stacks."""

    name: str
    ours: str
    usual: str | None


class Measured(NamedTuple):
    """Seconds of each request."""

    ours: list[float]
    usual: list[float]


def main() -> int:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100, help="requests of each kind to ours")
    parser.add_argument("--usual-rounds", type=int, default=5, help="requests of each kind to the usual stack")
    parser.add_argument("--data", type=Path, help="keep the database in this folder, and fill it only once")
    parser.add_argument("--serve", nargs=2, metavar=("DATABASE_URL", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve[0], int(options.serve[1]))
        return 0
    console = Console(width=120)
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(options.data or Path(folder), durable=False) as server,
    ):
        url = _filled(server, options.orders, console)
        with served(url) as (base, pid), httpx.Client(base_url=base, timeout=600) as client:
            measured = {case: _measure(client, case, options) for case in cases(url, options.orders)}
            _print(console, measured, options.orders)
            _exports(console, client, pid, options.orders)
    return 0


def _filled(server: EmbeddedPostgres, count: int, console: Console) -> str:
    server.ensure_database()
    upgrade(server.url())
    with psycopg.connect(server.url()) as connection:
        if connection.execute("SELECT count(*) FROM orders").fetchone() == (count,):
            return server.url()
    began = time.perf_counter()
    orders.load(server.url(), count, lambda text: console.print(f"  {time.perf_counter() - began:6.1f} s  {text}"))
    console.print(f"{count:,} orders in {time.perf_counter() - began:.0f} s")
    return server.url()


def cases(url: str, count: int) -> list[Case]:
    """What is asked."""
    depth = count * 9 // 10
    return [
        Case("first page", "", ""),
        Case(f"page at {depth:,}", f"cursor={_cursor(url, depth)}", f"offset={depth}"),
        Case("two statuses", "status=failed&status=paused", "status=failed&status=paused"),
        Case("biggest first", "sort=-bytes", "sort=bytes_total"),
        Case("search, common word", "q=glacier", "q=glacier"),
        Case("search, rare word", f"q={orders.RARE}", f"q={orders.RARE}"),
        Case("search, no match", "q=xyzzyx", "q=xyzzyx"),
        Case("search, a number", "q=CO-2024-000077", "q=CO-2024-000077"),
        Case("one customer's", f"customer={CUSTOMER}", f"customer={CUSTOMER}"),
        Case("one product's", f"product={orders.SKUS[-1]}", None),
        Case("with errors", "q=has:errors", None),
        Case("waiting for user", "waiting_for_user=true", None),
    ]


def _cursor(url: str, depth: int) -> str:
    """The cursor behind so many orders, as the facade would have sealed it."""
    query = sa.text("SELECT created_at::text, id FROM orders ORDER BY created_at DESC, id DESC OFFSET :depth LIMIT 1")
    engine = sa.create_engine(url, connect_args={"options": "-c timezone=UTC"})
    with engine.connect() as connection:
        key, order_id = connection.execute(query, {"depth": depth}).one()
    engine.dispose()
    return services_of(url).cursors(OPERATOR, OrderListParams().name).after(key, str(order_id))


def _measure(client: httpx.Client, case: Case, options: argparse.Namespace) -> Measured:
    measured = Measured([], [])
    for n in range(options.rounds):
        measured.ours.append(_timed(client, f"/api/v1/orders?{case.ours}"))
        if n < options.usual_rounds and case.usual is not None:
            measured.usual.append(_timed(client, f"/usual/orders?{case.usual}"))
    return measured


def _timed(client: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    seconds = time.perf_counter() - began
    answer.raise_for_status()
    return seconds


def _print(console: Console, measured: dict[Case, Measured], count: int) -> None:
    table = Table(
        "ms", "p50", "p95", "p99", "usual p50", "usual max", "ratio of p50", title=f"Lists of {count:,} orders"
    )
    for case, (ours, others) in measured.items():
        _, *cuts = 0, *quantiles(ours, n=100, method="inclusive")
        shown = [f"{seconds * 1000:.1f}" for seconds in (cuts[49], cuts[94], cuts[98])]
        compared = [f"{median(others) * 1000:.0f}", f"{max(others) * 1000:.0f}"] if others else ["", ""]
        ratio = f"{median(others) / median(ours):.0f} x" if others else ""
        table.add_row(case.name, *shown, *compared, ratio)
    console.print(table)


def _exports(console: Console, client: httpx.Client, pid: int, count: int) -> None:
    """Everything as a file: ours first, so that the peak of memory is its own."""
    table = Table("export of everything", "rows/s", "MB", "peak memory before, MB", "after, MB", title="Exports")
    for name, path in (
        ("CSV", "/api/v1/orders.csv"),
        ("JSON Lines", "/api/v1/orders.jsonl"),
        ("usual CSV", "/usual/orders.csv"),
    ):
        before, began, size, lines = _peak(pid), time.perf_counter(), 0, 0
        with client.stream("GET", path) as answer:
            for block in answer.iter_raw(1024 * 1024):
                size += len(block)
                lines += block.count(b"\n")
        rate = lines / (time.perf_counter() - began)
        table.add_row(name, f"{rate:,.0f}", f"{size / 1e6:.0f}", f"{before:.0f}", f"{_peak(pid):.0f}")
        if lines < count * 0.99:
            raise RuntimeError(f"{name} has only {lines} lines")
    console.print(table)


def _peak(pid: int) -> float:
    """The most memory a process has had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1000


@contextmanager
def served(url: str) -> Iterator[tuple[str, int]]:
    """Both stacks in one process of their own; where, and which process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bench.facade", "--serve", url, str(port)]
    process = subprocess.Popen(command)
    try:
        base = f"http://127.0.0.1:{port}"
        while process.poll() is None:
            try:
                httpx.get(f"{base}/healthz")
                break
            except httpx.TransportError:
                time.sleep(PATIENCE)
        yield base, process.pid
    finally:
        process.terminate()
        process.wait()


def serve(url: str, port: int) -> None:
    """Serve both stacks until the end."""
    import uvicorn

    services = services_of(url)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Services]:
        yield services

    app = create_app(opened)
    let_in(app)
    app.mount("/usual", usual.create_app(services.sessions))
    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def services_of(url: str) -> Services:
    """What the facade works with; Temporal is not asked."""
    sessions = make_sessions(make_engine(url))
    temporal = asyncio.run(Client.connect("127.0.0.1:1", lazy=True))
    readers = StoragePool("downloads", 2)
    return Services(sessions, temporal, "http://bench.example", readers, cursor_key=KEY, identity=identity())


if __name__ == "__main__":
    sys.exit(main())
