"""Orders and downloads on a dev stack of the bench's own: from order to ready, and virtual downloads beside nginx."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import psycopg

from bench.archives import MB, SEAL, Aim, Case, Place, at_least, at_most, contenders, made
from bench.measuring import Series, task
from cli.api_client import Api
from cli.dev.ports import any_free

_PATIENCE: Final = 120
_ROUNDS: Final = 3
_SLOW_CLIENTS: Final = 8
_SLOW_SECONDS: Final = 4
_KNOWN_FILES: Final = 1_000
_KNOWN_BYTES: Final = 1_000_000_000

_NGINX: Final = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log; user root;
events {{ worker_connections 64; }}
http {{
    access_log off;
    server {{ listen 127.0.0.1:{sendfile}; root {folder}; sendfile on; }}
    server {{ listen 127.0.0.1:{buffers}; root {folder}; sendfile off; output_buffers 2 512k; }}
}}
"""


class Stack(NamedTuple):
    """A running dev stack."""

    api: Api
    url: str
    database_url: str
    pids: dict[str, int]
    environment: dict[str, str]

    def consignor(self, *words: str | Path) -> None:
        """Run a command against it."""
        command = [sys.executable, "-m", "cli.main", *map(str, words)]
        subprocess.run(command, env={**os.environ, **self.environment}, check=True, capture_output=True)

    def ordered(self, sku: str) -> tuple[str, float]:
        """Order all of a product; its id, and the seconds until it was ready."""
        began = time.perf_counter()
        order = self.api.post("/orders", {"items": [{"product": sku}]})["id"]
        while (outcome := self.api.get(f"/orders/{order}")["outcome"]) == "pending":
            # Asked more often, the asking would be a good part of what is measured.
            time.sleep(max(0.02, (time.perf_counter() - began) / 50))
        if outcome != "succeeded":
            raise RuntimeError(f"the order of {sku} has {outcome}")
        return order, time.perf_counter() - began


@contextmanager
def stack(data: Path) -> Iterator[Stack]:
    """A dev stack on a folder of its own, ended at the end."""
    announced, log = data / "dev.json", data.with_suffix(".log")
    with log.open("wb") as output:
        command = [sys.executable, "-m", "cli.main", "dev", "--data", str(data), "--port", "0"]
        # One caller asks as fast as it can here, which is what the limit is there to prevent.
        unlimited = {**os.environ, "CONSIGNOR_MAX_REQUESTS_PER_SECOND": "0"}
        process = subprocess.Popen(command, stdout=output, stderr=output, env=unlimited)
    try:
        until = time.monotonic() + _PATIENCE
        while not announced.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the dev stack did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        said = json.loads(announced.read_text())
        from cli.credentials import Credential
        from cli.dev.data import DataFolder
        from cli.dev.issuer.keys import bearer_token

        token = bearer_token(DataFolder(data), said["api"])
        with Api(said["api"], Credential.fixed(token)) as api:
            yield Stack(api, said["api"], said["database_url"], said["pids"], {"CONSIGNOR_DATA": str(data)})
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE)


@contextmanager
def nginx(installed: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The URLs of a folder with sendfile and with large buffers."""
    sendfile, buffers = any_free(), any_free()
    conf = folder / "nginx.conf"
    conf.write_text(_NGINX.format(folder=folder, sendfile=sendfile, buffers=buffers))
    process = subprocess.Popen([installed, "-c", str(conf), "-e", str(folder / "nginx.log")])
    try:
        for port in (sendfile, buffers):
            _answers(port, process)
        yield f"http://127.0.0.1:{sendfile}", f"http://127.0.0.1:{buffers}"
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _answers(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx did not start")


def serving_aims(data: Path, told: Callable[[str], None], *, small: bool) -> list[Aim]:
    """Measure all of it."""
    large = Case("large files", 4 if small else 10, (100 if small else 400) * MB, "large")
    tiny = Case("10 KB files", 10_000 if small else 100_000, 10_000, "little")
    aims: list[Aim] = []
    with ExitStack() as opened:
        told("the dev stack starts")
        running = opened.enter_context(stack(data / "stack"))
        places = {case.name: made(case, data) for case in (large, tiny)}
        orders = {}
        for case in (large, tiny):
            told(f"order → ready: {case.name}")
            orders[case.name], aim = _order_aim(running, case, places[case.name])
            aims += aim
        told("order → ready: known files")
        aims += _known_aim(running, data / "sparse")
        told("downloads beside nginx")
        aims += _download_aims(running, data, orders[large.name], places[large.name])
        aims += _small_files_aim(running, orders[tiny.name], tiny)
        told("another endpoint beside two downloads")
        aims.append(_p99_aim(running, orders[large.name]))
        told("slow clients")
        aims.append(_slow_aim(running, orders[large.name]))
    return aims


def _order_aim(running: Stack, case: Case, place: Place) -> tuple[str, list[Aim]]:
    """From order to ready, once with all to read and once with all known; the engine alone right before."""
    sku = f"bench-{case.files}"
    seal = contenders(case)[SEAL]
    alone = seal(place).seconds if seal else 0.0
    running.consignor("catalog", "import", place.folder, "--sku", sku)
    order, seconds = running.ordered(sku)
    _, known = running.ordered(sku)
    what = f"order → ready, {case.name} ({seconds:.2f} s; known {known:.2f} s), × engine alone ({alone:.2f} s)"
    return order, [at_most(what, 1.3, seconds / alone)]


def _known_aim(running: Stack, folder: Path) -> list[Aim]:
    """A terabyte of files that are all hole, and said to be known."""
    (folder / "scene").mkdir(parents=True)
    for number in range(_KNOWN_FILES):
        with (folder / "scene" / f"{number:04}.tif").open("wb") as file:
            file.truncate(_KNOWN_BYTES)
    running.consignor("catalog", "import", folder, "--sku", "bench-known")
    with psycopg.connect(running.database_url) as connection:
        connection.execute(
            """
            INSERT INTO known_files (file_id, size_bytes, modified_ns, sha256, crc32)
            SELECT f.id, f.size_bytes, f.modified_ns, sha256('hole'), 7
            FROM catalogue_files f JOIN catalogue_objects o ON o.id = f.object_id JOIN products p ON p.id = o.product_id
            WHERE p.sku = 'bench-known'
            """
        )
    _, seconds = running.ordered("bench-known")
    return [at_most("order → ready, 1 TB of known files, s", 5, seconds)]


def _archive_urls(running: Stack, order: str) -> list[str]:
    """Signed links, for a download tool has no token."""
    return [archive["url"] for archive in running.api.links(order, all_files=False)["archives"]]


def _download_aims(running: Stack, data: Path, order: str, place: Place) -> list[Aim]:
    """The same archive from us, who stream it from its files, and from nginx, who has it written down."""
    if (installed := shutil.which("nginx")) is None:
        return [Aim("virtual download × nginx", "≥ 0.55", "not installed", met=False)]
    task("write", folder=place.folder, known=place.known, target=data / "archive.zip", durable=True)
    ours, sendfile, buffers = Series(), Series(), Series()
    with nginx(installed, data) as (with_sendfile, with_buffers):
        racing = [
            (ours, _archive_urls(running, order)[0]),
            (sendfile, f"{with_sendfile}/archive.zip"),
            (buffers, f"{with_buffers}/archive.zip"),
        ]
        for _ in range(_ROUNDS):
            for series, url in racing:
                series.runs.append(task("download", url=url)[0])
    best = min(ours.times_as_fast_as(one) for one in (sendfile, buffers))
    speed = place.known.parent.joinpath("archive.zip").stat().st_size / ours.seconds / 1e9
    return [
        at_least(f"virtual download ({speed:.2f} GB/s) × best nginx", 0.55, best),
        at_least("virtual download × nginx sendfile", 1.2, ours.times_as_fast_as(sendfile)),
    ]


def _small_files_aim(running: Stack, order: str, case: Case) -> list[Aim]:
    urls = _archive_urls(running, order)
    seconds = sum(task("download", url=url)[0].seconds for url in urls)
    return [at_least(f"virtual download of {case.name}, files/s", 40_000, case.files / seconds)]


def _p99_aim(running: Stack, order: str) -> Aim:
    """How long another endpoint takes while two downloads run as fast as they can."""
    urls = (_archive_urls(running, order) * 2)[:2]
    with ThreadPoolExecutor(2) as pool:
        idle = _latencies(running, lambda count: count < 200)
        downloads = [pool.submit(task, "download", url=url) for url in urls]
        busy = _latencies(running, lambda _: not all(download.done() for download in downloads))
        for download in downloads:
            download.result()
    what = f"p99 of /healthz beside two downloads, ms (alone {idle:.1f})"
    return at_most(what, 20, busy)


def _latencies(running: Stack, more: Callable[[int], bool]) -> float:
    """The 99th percentile in milliseconds."""
    parts = urlsplit(running.url)
    connection = HTTPConnection(parts.hostname or "", parts.port)
    took: list[float] = []
    while more(len(took)) or len(took) < 100:
        began = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(0.002)
    connection.close()
    return quantiles(took, n=100)[98]


def _slow_aim(running: Stack, order: str) -> Aim:
    """How much memory the API takes for clients that ask for an archive and hardly read."""
    before = _resident(running)
    parts = urlsplit(_archive_urls(running, order)[0])
    most = 0
    with ExitStack() as opened:
        clients = []
        for _ in range(_SLOW_CLIENTS):
            client = opened.enter_context(socket.create_connection((parts.hostname or "", parts.port or 80)))
            client.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            clients.append(client)
        until = time.monotonic() + _SLOW_SECONDS
        while time.monotonic() < until:
            for client in clients:
                client.recv(64 * 1024)
            most = max(most, _resident(running))
            time.sleep(0.05)
    return at_most(f"memory for {_SLOW_CLIENTS} slow clients, MiB more", 64, (most - before) / 2**20)


def _resident(running: Stack) -> int:
    said: Any = Path(f"/proc/{running.pids['api']}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in said if line.startswith("VmRSS:"))
