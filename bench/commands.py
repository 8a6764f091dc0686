"""How long a command takes: from the API call to the changed status in PostgreSQL, and a pause inside a large file.

Run against a running stack: `python -m bench.commands`. The large file is sparse; it needs no disk.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.api_client import Api
from cli.runtime.shell_settings import api_url

ROUNDS = 50
HUGE_BYTES = 200 * 1024**3


def main() -> int:
    """Measure, and print one table."""
    with tempfile.TemporaryDirectory() as folder, Api(api_url()) as api:
        sku = _import_huge(Path(folder))
        seconds: dict[str, list[float]] = {
            "pause inside a file": [],
            "resume": [],
            "cancel": [],
            "GET (to compare)": [],
        }
        for _ in range(ROUNDS):
            order = _reading(api, sku)
            seconds["GET (to compare)"].append(_timed(lambda key=order["id"]: api.get(f"/orders/{key}")))  # type: ignore[misc]
            for command, name in (("pause", "pause inside a file"), ("resume", "resume"), ("cancel", "cancel")):
                path = f"/orders/{order['id']}/{command}"
                seconds[name].append(_timed(lambda path=path: api.post(path, {"reason": "bench"})))  # type: ignore[misc]
    _print(seconds)
    return 0


def _import_huge(folder: Path) -> str:
    import subprocess

    with (folder / "huge.bin").open("wb") as file:
        file.truncate(HUGE_BYTES)
    sku = f"bench-{time.time_ns()}"
    command = [sys.executable, "-m", "cli.main", "catalog", "import", str(folder), "--sku", sku]
    subprocess.run(command, check=True, capture_output=True)
    return sku


def _reading(api: Api, sku: str) -> Any:
    """An order whose only file is being read."""
    order = api.post("/orders", {"items": [{"product": sku}]})
    while not any(s["state"] == "staging" for s in api.get(f"/orders/{order['id']}/suborders")["items"]):
        time.sleep(0.02)
    return order


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _print(seconds: dict[str, list[float]]) -> None:
    table = Table("command", "rounds", "p50 ms", "max ms", "p50 × GET", title="From API call to status in PostgreSQL")
    base = median(seconds["GET (to compare)"])
    for name, values in seconds.items():
        p50 = median(values)
        row = (f"{p50 * 1000:.0f}", f"{max(values) * 1000:.0f}", f"{p50 / base:.1f}")
        table.add_row(name, str(len(values)), *row)
    Console(width=100).print(table)


if __name__ == "__main__":
    sys.exit(main())
