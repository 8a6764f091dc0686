"""Hostile clients: what each does on one connection, and how many of them a campaign keeps up at once.

`python -m bench.hostile_clients SCENE`: keeps one scene up in a process of its own, so that what the attackers cost is
not counted as what a bystander waits for. Reads a `Site` as JSON from its input, goes on until that is closed, and
prints what the attackers were answered.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID


@dataclass(frozen=True)
class Site:
    """The facade under attack: its address, and what of the attacker's is there."""

    url: str
    token: str
    archive: str
    """The path of a large archive."""
    hung: str = ""
    """The SKU of a product on a share that hangs, and the path of an archive of it."""
    hung_archive: str = ""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection that reads next to nothing by itself, and is aborted with the block."""
        where = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=1024)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    def head(self, path: str, *fields: str, method: str = "GET") -> bytes:
        """The head of a request of the attacker's."""
        known = (f"Host: {urlsplit(self.url).netloc}", f"Authorization: Bearer {self.token}", *fields)
        return f"{method} {path} HTTP/1.1\r\n".encode() + "\r\n".join(known).encode() + b"\r\n\r\n"

    def json(self, path: str, body: bytes) -> bytes:
        """A request of the attacker's with a body of JSON, after whose answer the connection ends."""
        fields = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close")
        return self.head(path, *fields, method="POST") + body


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
    async with site.connected() as (reader, writer):
        writer.write(site.head(site.archive))
        seen[await _status(reader)] += 1
        await asyncio.Event().wait()


async def stream(site: Site, seen: Counter[str]) -> None:
    """Listen to live events."""
    async with site.connected() as (reader, writer):
        writer.write(site.head("/api/v1/events"))
        seen[await _status(reader)] += 1
        await asyncio.Event().wait()


async def big_head(site: Site, seen: Counter[str]) -> None:
    """Send a header that does not end, again and again."""
    while True:
        async with site.connected() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nX: ")
            with suppress(OSError):
                for _ in range(1_000):
                    writer.write(b"a" * 100_000)
                    await writer.drain()
            seen[await _status(reader)] += 1


async def half_sent(site: Site, seen: Counter[str]) -> None:
    """Send half of a head, again and again when it is cut."""
    while True:
        async with site.connected() as (reader, writer):
            writer.write(site.head("/api/v1/orders")[:-2])
            seen[await _status(reader)] += 1


async def half_a_body(site: Site, seen: Counter[str]) -> None:
    """Send half of an order, again and again when it is cut."""
    while True:
        async with site.connected() as (reader, writer):
            fields = ("Content-Type: application/json", "Content-Length: 100000")
            writer.write(site.head("/api/v1/orders", *fields, method="POST") + b'{"items"')
            seen[await _status(reader)] += 1


async def upgrade(site: Site, seen: Counter[str]) -> None:
    """Ask for a WebSocket, again and again."""
    while True:
        async with site.connected() as (reader, writer):
            key = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
            writer.write(site.head("/healthz", "Connection: Upgrade", "Upgrade: websocket", *key))
            seen[await _status(reader)] += 1
            await asyncio.sleep(0.1)


async def strangers_body(site: Site, seen: Counter[str]) -> None:
    """Send a large body as nobody, again and again."""
    body = b'{"items": [' + b'{"product": "a"},' * 900_000
    while True:
        async with site.connected() as (reader, writer):
            fields = f"Host: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            writer.write(f"POST /api/v1/orders HTTP/1.1\r\n{fields}\r\n\r\n".encode())
            writer.write(body)
            seen[await _status(reader)] += 1


async def long_list(site: Site, seen: Counter[str]) -> None:
    """Ask what an order of 100,000 ids would cost, again and again."""
    ids = ", ".join([f'"{UUID(int=0)}"'] * 100_000)
    body = f'{{"files": [{ids}]}}'.encode()
    while True:
        async with site.connected() as (reader, writer):
            writer.write(site.json("/api/v1/orders:estimate", body))
            seen[await _status(reader)] += 1


async def export(site: Site, seen: Counter[str]) -> None:
    """Ask for an export and read nothing of it."""
    async with site.connected() as (reader, writer):
        writer.write(site.head("/api/v1/orders.csv"))
        seen[await _status(reader)] += 1
        await asyncio.Event().wait()


async def hung_share(site: Site, seen: Counter[str]) -> None:
    """Order from a share that hangs, and ask for an archive of it again and again."""
    body = json.dumps({"items": [{"product": site.hung}]}).encode()
    async with site.connected() as (reader, writer):
        writer.write(site.json("/api/v1/orders", body))
        seen[await _status(reader)] += 1
    while True:
        async with site.connected() as (reader, writer):
            writer.write(site.head(site.hung_archive))
            seen[await _status(reader)] += 1


SCENES: dict[str, tuple[Attack, int]] = {
    "downloads that are not read": (slow_reader, 150),
    "streams of events": (stream, 600),
    "heads without an end": (big_head, 4),
    "heads sent in half": (half_sent, 300),
    "bodies sent in half": (half_a_body, 100),
    "WebSocket upgrades": (upgrade, 50),
    "bodies of 15 MB of a stranger": (strangers_body, 4),
    "lists of 100,000 ids": (long_list, 20),
    "exports that are not read": (export, 20),
}
"""What is done, and on how many connections at once."""

HUNG_SHARE = "orders and downloads of a share that hangs"
SCENES_OF_A_HUNG_SHARE: dict[str, tuple[Attack, int]] = {HUNG_SHARE: (hung_share, 20)}
"""What is done where a share can be had that hangs."""


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


async def _keep_up(scene: str) -> None:
    """Attack from the site that comes in until the input is closed; print the answers."""
    site = Site(**json.loads(sys.stdin.readline()))
    async with under_attack(site, *(SCENES | SCENES_OF_A_HUNG_SHARE)[scene]) as seen:
        await asyncio.to_thread(sys.stdin.read)
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(_keep_up(sys.argv[1]))
