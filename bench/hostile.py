"""What one party does to all others: hostile clients on a running stack, and a bystander who is measured meanwhile.

`python -m bench.hostile [--seconds 20]`, or `make hostile`: starts a dev stack of its own in a temporary folder. Each
scene is kept up while the bystander lists, orders, downloads and commands. Ends with 1 if a request of the bystander
failed or took longer than it may.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

MOST = 1.0
"""Seconds that no request of a bystander may take."""


@dataclass(frozen=True)
class Site:
    """The facade under attack: its address, the attacker's token, and a large archive of the attacker's."""

    url: str
    token: str
    archive: str

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that reads next to nothing by itself."""
        where = urlsplit(self.url)
        return await asyncio.open_connection(where.hostname, where.port, limit=1024)

    def head(self, path: str, *fields: str, method: str = "GET") -> bytes:
        """The head of a request of the attacker's."""
        known = (f"Host: {urlsplit(self.url).netloc}", f"Authorization: Bearer {self.token}", *fields)
        return f"{method} {path} HTTP/1.1\r\n".encode() + "\r\n".join(known).encode() + b"\r\n\r\n"


Attack = Callable[[Site, Counter[str]], Awaitable[None]]
"""One connection of a scene: it counts what it was answered and goes on until it is cancelled."""


async def _status(reader: asyncio.StreamReader) -> str:
    """The status that comes, or how the connection ended instead."""
    try:
        line = await reader.readline()
    except (OSError, ValueError):
        return "cut"
    return line.split(b" ")[1].decode() if line.startswith(b"HTTP/") else "closed"


async def slow_reader(site: Site, seen: Counter[str]) -> None:
    """Ask for a large archive and read nothing of it."""
    reader, writer = await site.connect()
    try:
        writer.write(site.head(site.archive))
        seen[await _status(reader)] += 1
        await asyncio.Event().wait()
    finally:
        writer.transport.abort()


async def stream(site: Site, seen: Counter[str]) -> None:
    """Listen to live events."""
    reader, writer = await site.connect()
    try:
        writer.write(site.head("/api/v1/events"))
        seen[await _status(reader)] += 1
        await asyncio.Event().wait()
    finally:
        writer.transport.abort()


async def big_head(site: Site, seen: Counter[str]) -> None:
    """Send a header that does not end, again and again."""
    while True:
        reader, writer = await site.connect()
        try:
            writer.write(b"GET / HTTP/1.1\r\nX: ")
            with suppress(OSError):
                for _ in range(1_000):
                    writer.write(b"a" * 100_000)
                    await writer.drain()
            seen[await _status(reader)] += 1
        finally:
            writer.transport.abort()


async def half_sent(site: Site, seen: Counter[str]) -> None:
    """Send half of a head, again and again when it is cut."""
    while True:
        reader, writer = await site.connect()
        try:
            writer.write(site.head("/api/v1/orders")[:-2])
            seen[await _status(reader)] += 1
        finally:
            writer.transport.abort()


async def half_a_body(site: Site, seen: Counter[str]) -> None:
    """Send half of an order, again and again when it is cut."""
    while True:
        reader, writer = await site.connect()
        try:
            fields = ("Content-Type: application/json", "Content-Length: 100000")
            writer.write(site.head("/api/v1/orders", *fields, method="POST") + b'{"items"')
            seen[await _status(reader)] += 1
        finally:
            writer.transport.abort()


async def upgrade(site: Site, seen: Counter[str]) -> None:
    """Ask for a WebSocket, again and again."""
    while True:
        reader, writer = await site.connect()
        try:
            key = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
            writer.write(site.head("/healthz", "Connection: Upgrade", "Upgrade: websocket", *key))
            seen[await _status(reader)] += 1
            await asyncio.sleep(0.1)
        finally:
            writer.transport.abort()


async def strangers_body(site: Site, seen: Counter[str]) -> None:
    """Send a large body as nobody, again and again."""
    body = b'{"items": [' + b'{"product": "a"},' * 900_000
    while True:
        reader, writer = await site.connect()
        try:
            fields = f"Host: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            writer.write(f"POST /api/v1/orders HTTP/1.1\r\n{fields}\r\n\r\n".encode())
            writer.write(body)
            seen[await _status(reader)] += 1
        finally:
            writer.transport.abort()


async def export(site: Site, seen: Counter[str]) -> None:
    """Ask for an export and read nothing of it."""
    reader, writer = await site.connect()
    try:
        writer.write(site.head("/api/v1/orders.csv"))
        seen[await _status(reader)] += 1
        await asyncio.Event().wait()
    finally:
        writer.transport.abort()


SCENES: dict[str, tuple[Attack, int]] = {
    "downloads that are not read": (slow_reader, 150),
    "streams of events": (stream, 600),
    "heads without an end": (big_head, 4),
    "heads sent in half": (half_sent, 300),
    "bodies sent in half": (half_a_body, 100),
    "WebSocket upgrades": (upgrade, 50),
    "bodies of 15 MB of a stranger": (strangers_body, 4),
    "exports that are not read": (export, 20),
}
"""What is done, and on how many connections at once."""


@asynccontextmanager
async def under_attack(site: Site, attack: Attack, connections: int) -> AsyncIterator[Counter[str]]:
    """Keep an attack up as long as the block lasts; gives what the attackers are answered."""
    seen: Counter[str] = Counter()

    async def keep_up() -> None:
        while True:
            try:
                await attack(site, seen)
            except OSError:
                seen["no connection"] += 1
                await asyncio.sleep(0.1)

    tasks = [asyncio.create_task(keep_up()) for _ in range(connections)]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Bystander:
    """Somebody else who works meanwhile: each request's seconds, and those that failed."""

    client: httpx2.AsyncClient
    product: str
    command: tuple[str, str, Any] = ("POST", "/cancel", None)
    """What is asked of each order: the method, what follows its path, and a body."""
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: list[str] = field(default_factory=list)

    async def work(self, archive: str) -> None:
        """List, order, download and command once."""
        await self._ask("list", "GET", "/orders")
        made = await self._ask("order", "POST", "/orders", json={"items": [{"product": self.product}], "draft": True})
        await self._ask("download", "GET", archive)
        if made is not None and made.is_success:
            method, path, body = self.command
            await self._ask("command", method, f"/orders/{made.json()['id']}{path}", json=body)

    async def _ask(self, what: str, method: str, path: str, **more: Any) -> httpx2.Response | None:
        began = time.perf_counter()
        try:
            answer = await self.client.request(method, path, **more)
        except httpx2.TransportError as error:
            self.failed.append(f"{what}: {type(error).__name__}")
            return None
        self.seconds[what].append(time.perf_counter() - began)
        if not answer.is_success:
            self.failed.append(f"{what}: {answer.status_code} {answer.text[:200]}")
        return answer


@contextmanager
def _stack(data: Path) -> Iterator[str]:
    """A dev stack of its own; gives the API's address."""
    log = data.with_name("stack.log").open("wb")
    words = (sys.executable, "-m", "cli.main", "dev", "--data", str(data), "--port", "0")
    process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        while not (data / "dev.json").exists():
            if process.poll() is not None:
                raise SystemExit(Path(log.name).read_text())
            time.sleep(0.2)
        yield json.loads((data / "dev.json").read_text())["api"]
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def _consignor(data: Path, *words: str) -> str:
    where = {**os.environ, "CONSIGNOR_DATA": str(data)}
    return subprocess.run(
        (sys.executable, "-m", "cli.main", *words), env=where, check=True, capture_output=True, text=True
    ).stdout.strip()


async def _ready_order(client: httpx2.AsyncClient, product: str) -> str:
    """The path of the archive of a new order, when it is ready."""
    placed = (await client.post("/orders", json={"items": [{"product": product}]})).json()["id"]
    while (await client.get(f"/orders/{placed}")).json()["status"] != "fulfilled":  # noqa: ASYNC110 - over HTTP
        await asyncio.sleep(0.2)
    return f"/api/v1/orders/{placed}/suborders/1/archive"


async def _campaign(data: Path, url: str, seconds: float) -> int:
    big = data.parent / "big"
    big.mkdir()
    with (big / "scene.bin").open("wb") as file:
        file.truncate(256 * 1024**2)
    _consignor(data, "catalog", "import", str(big), "--sku", "big", "--name", "Big")
    tokens = {user: _consignor(data, "token", "--user", user) for user in ("alice", "bob")}
    async with AsyncExitStack() as stack:
        clients = {
            user: await stack.enter_async_context(
                httpx2.AsyncClient(
                    base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30 * MOST
                )
            )
            for user, token in tokens.items()
        }
        site = Site(url, tokens["alice"], await _ready_order(clients["alice"], "big"))
        small = f"{url}{await _ready_order(clients['bob'], 'sample-scenes')}"
        bad = 0
        _row("scene", "answered", "list", "order", "download", "command", "failed")
        _row(*["---"] * 7)
        for name, scene in {"nothing": None, **SCENES}.items():
            bystander = Bystander(clients["bob"], "sample-scenes")
            until = time.perf_counter() + seconds
            async with AsyncExitStack() as attack:
                seen = await attack.enter_async_context(under_attack(site, *scene)) if scene else Counter()
                while time.perf_counter() < until:
                    await bystander.work(small)
            bad += _report(name, seen, bystander)
        return bad


def _report(name: str, seen: Counter[str], bystander: Bystander) -> int:
    """Print a scene's row; gives whether it was bad."""
    cells = [f"{statistics.median(s):.3f} / {max(s):.3f}" for s in bystander.seconds.values()]
    _row(name, ", ".join(f"{count} {what}" for what, count in seen.most_common(3)), *cells, str(len(bystander.failed)))
    for failed in bystander.failed[:3]:
        sys.stderr.write(f"{name}: {failed}\n")
    return bool(bystander.failed) or max(map(max, bystander.seconds.values())) > MOST


def _row(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Start a stack, attack it scene by scene, and print the bystander's seconds: median / longest."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="how long each scene is kept up")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder, _stack(Path(folder) / "data") as url:
        return 1 if asyncio.run(_campaign(Path(folder) / "data", url, options.seconds)) else 0


if __name__ == "__main__":
    sys.exit(main())
