"""Live events for many: CPU of the process that serves them, and the time from commit to the clients.

`python -m bench.events [clients] [changes a second]`, by default 1,000 and 10; with a PostgreSQL and a facade of its
own. All clients see all changes, which is the worst case. The clients run in a process of their own.
"""

import asyncio
import json
import logging
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles

import psycopg
import structlog
import uvicorn
from rich.console import Console
from rich.table import Table

SECONDS = 15


def main() -> int:
    """Measure, and print one table."""
    clients, rate = (int(word) for word in [*sys.argv[1:], *["1000", "10"][len(sys.argv) - 1 :]])
    from cli.dev.postgres import EmbeddedPostgres
    from migrations.run import upgrade

    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server:
        server.ensure_database()
        upgrade(server.url())
        ours, theirs = spawn.Pipe()
        facade = spawn.Process(target=_serve, args=(server.url(), theirs), daemon=True)
        facade.start()
        port = ours.recv()
        delays = asyncio.run(_measure(server.url(), port, clients, rate, ours))
        ours.send("stop")
        cpu, memory = ours.recv()
        facade.join(10)
    _print(clients, rate, delays, cpu, memory)
    return 0


def _serve(url: str, parent: Connection) -> None:
    """The facade; tells its port, then counts its CPU between `start` and `stop`."""
    asyncio.run(_served(url, parent))


async def _served(url: str, parent: Connection) -> None:
    from temporalio.client import Client

    from api.app import create_app
    from api.dependencies import Services
    from api.operations.state import Operations
    from bench.asking import identity, let_in
    from database.engine import make_engine, make_sessions
    from storage.pool import StoragePool

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    client = await Client.connect("127.0.0.1:9", lazy=True)
    operations = Operations()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Services]:
        async with operations.running(url, client):
            sessions = make_sessions(make_engine(url, answering=True))
            readers = StoragePool("downloads", 2)
            yield Services(sessions, client, "http://bench", readers, identity=identity(), operations=operations)

    app = create_app(opened)
    let_in(app)
    config = uvicorn.Config(app, port=0, log_level="warning", access_log=False, backlog=4096)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.05)
    parent.send(server.servers[0].sockets[0].getsockname()[1])
    await asyncio.to_thread(parent.recv)
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.to_thread(parent.recv)
    share = (time.process_time() - cpu) / (time.perf_counter() - began)
    parent.send((share, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
    operations.drain()
    server.should_exit = True
    await serving


async def _measure(url: str, port: int, clients: int, rate: int, facade: Connection) -> list[float]:
    """Seconds from commit to arrival, of every change at every client."""
    committed: dict[int, float] = {}
    delays: list[float] = []
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    await connection.execute(
        "INSERT INTO orders (number, customer, label, status, status_at, version, total_price, currency, created_at,"
        " objects_total, files_total, bytes_total) SELECT 'N' || n, 'local', 'L' || n, 'provisioning', now(), 1, 0,"
        " 'EUR', now(), 1, 1, 1 FROM generate_series(1, 100) n"
    )
    ids = [row[0] for row in await (await connection.execute("SELECT id FROM orders")).fetchall()]
    there = asyncio.Semaphore(0)
    listening = [asyncio.create_task(_listen(port, there, committed, delays)) for _ in range(clients)]
    for _ in range(clients):
        await there.acquire()
    await asyncio.to_thread(facade.send, "start")
    for number in range(2, SECONDS * rate + 2):
        await connection.execute("UPDATE orders SET version = %s WHERE id = %s", (number, ids[number % len(ids)]))
        committed[number] = time.perf_counter()
        await asyncio.sleep(1 / rate)
    await asyncio.sleep(3)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    await connection.close()
    return delays


async def _listen(port: int, there: asyncio.Semaphore, committed: dict[int, float], delays: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: bench\r\n\r\n")
    async for line in reader:
        if line.startswith(b"retry"):
            there.release()
        if line.startswith(b'data: {"id'):
            version = json.loads(line[6:])["version"]
            if version in committed:
                delays.append(time.perf_counter() - committed[version])


def _print(clients: int, rate: int, delays: list[float], cpu: float, memory: int) -> None:
    cuts = quantiles(delays, n=100)
    table = Table("clients", "changes/s", "events", "lost", "CPU % of a core", "p50 ms", "p99 ms", "memory MB")
    expected = clients * rate * SECONDS
    row = (f"{clients:,}", str(rate), f"{len(delays):,}", f"{expected - len(delays):,}", f"{cpu * 100:.0f}")
    table.add_row(*row, f"{median(delays) * 1000:.0f}", f"{cuts[98] * 1000:.0f}", f"{memory / 1e6:.0f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    sys.exit(main())
