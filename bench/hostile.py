"""What one party does to all others: hostile clients on a running stack, and a bystander who is measured meanwhile.

`python -m bench.hostile [--seconds 20] [--scene NAME]`, or `make hostile`: starts a dev stack of its own in a
temporary folder. Each scene is kept up, by a process of its own, while the bystander lists, orders, downloads and
commands, and waits for one order to be fulfilled. Ends with 1 if a request of the bystander failed or took longer than
it may.
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
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from bench.hostile_clients import HUNG_SHARE, SCENES, Site
from bench.hung_mount import hung

MOST = 1.0
"""Seconds that no request of a bystander may take."""

PATIENCE = 60
"""Seconds after which an order of the bystander's has to be fulfilled, whatever others do."""


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


@contextmanager
def _attackers(site: Site, scene: str) -> Iterator[Counter[str]]:
    """Keep a scene up in a process of its own as long as the block lasts; what it was answered is known then."""
    words = (sys.executable, "-m", "bench.hostile_clients", scene)
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    seen: Counter[str] = Counter()
    print(json.dumps(asdict(site)), file=process.stdin, flush=True)
    try:
        yield seen
    finally:
        answered, _ = process.communicate(timeout=60)
        seen.update(json.loads(answered))


def _sparse_product(data: Path, sku: str, size: int) -> Path:
    """A product of one large empty file; gives its folder."""
    folder = data.parent / sku
    folder.mkdir()
    with (folder / "scene.bin").open("wb") as file:
        file.truncate(size)
    _consignor(data, "catalog", "import", str(folder), "--sku", sku, "--name", sku.capitalize())
    return folder


async def _campaign(data: Path, url: str, seconds: float, scenes: Collection[str] | None) -> int:
    _sparse_product(data, "big", 256 * 1024**2)
    share = _sparse_product(data, "share", 1024**2)
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
        big, of_share = [await _ready_order(clients["alice"], sku) for sku in ("big", "share")]
        site = Site(url, tokens["alice"], big, "share", of_share)
        small = f"{url}{await _ready_order(clients['bob'], 'sample-scenes')}"
        _row("scene", "answered", "list", "order", "download", "command", "failed", "fulfilled after")
        _row(*["---"] * 8)
        bad = await _scene("nothing", nullcontext(Counter[str]()), clients["bob"], small, seconds)
        for name in SCENES if scenes is None else scenes:
            bad |= await _scene(name, _attackers(site, name), clients["bob"], small, seconds)
        if scenes is not None:
            return bad
        try:
            stack.enter_context(hung(share))
        except OSError as error:
            sys.stderr.write(f"{HUNG_SHARE}: left out, no share can be made to hang here: {error}\n")
        else:
            bad |= await _scene(HUNG_SHARE, _attackers(site, HUNG_SHARE), clients["bob"], small, seconds)
        return bad


async def _scene(
    name: str, attackers: AbstractContextManager[Counter[str]], client: httpx2.AsyncClient, archive: str, seconds: float
) -> bool:
    """Let a bystander work through a scene, and print its row; gives whether it was bad."""
    bystander = Bystander(client, "sample-scenes")
    with attackers as seen:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            await bystander.work(archive)
        began = time.perf_counter()
        async with asyncio.timeout(PATIENCE):
            await _ready_order(client, "sample-scenes")
        fulfilled = time.perf_counter() - began
    cells = [f"{statistics.median(s):.3f} / {max(s):.3f}" for s in bystander.seconds.values()]
    answered = ", ".join(f"{count} {what}" for what, count in seen.most_common(3))
    _row(name, answered, *cells, str(len(bystander.failed)), f"{fulfilled:.1f}")
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
    parser.add_argument("--scene", action="append", choices=tuple(SCENES), help="only this scene; may be given again")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder, _stack(Path(folder) / "data") as url:
        return 1 if asyncio.run(_campaign(Path(folder) / "data", url, options.seconds, options.scene)) else 0


if __name__ == "__main__":
    sys.exit(main())
