"""`consignor dev` as a person meets it: one command, real processes, and what happens when they die."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli.dev.data import DataFolder
from cli.dev.issuer.keys import bearer_token
from cli.dev.run import Options
from tests.cli.processes import eventually, exists, is_alive


@dataclass
class RunningStack:
    """A stack that has announced itself."""

    process: subprocess.Popen[str]
    data: Path
    api: str
    pids: dict[str, int]

    def orders(self) -> list[Any]:
        headers = {"Authorization": f"Bearer {bearer_token(DataFolder(self.data), self.api)}"}
        answer = httpx2.get(f"{self.api}/api/v1/orders", headers=headers)
        items: list[Any] = answer.raise_for_status().json()["items"]
        return items


def command(data: Path, *more: str) -> list[str]:
    port = () if "--port" in more else ("--port", "0")
    return [sys.executable, "-m", "cli.main", "dev", "--data", str(data), *port, *more]


def run(data: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(data, *more), capture_output=True, text=True, check=False, timeout=120)


@contextmanager
def running(data: Path) -> Iterator[RunningStack]:
    announcement = data / "dev.json"
    announcement.unlink(missing_ok=True)
    process = subprocess.Popen(command(data), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        eventually(lambda: announcement.exists() or process.poll() is not None, "the stack is ready", 90)
        assert process.poll() is None, process.communicate()[0]
        said = json.loads(announcement.read_text())
        yield RunningStack(process, data, said["api"], said["pids"])
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all, of a name that breaks what does not quote; each start finds what the one before left."""
    return tmp_path_factory.mktemp("stack") / ("a folder with spaces, ünïcode & a long name " * 4).strip()


def test_one_command_fulfils_an_order_and_leaves_nothing_running(data: Path) -> None:
    done = run(data, "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "First order" in done.stdout
    assert "fulfilled" in done.stdout
    assert not (data / "dev.json").exists()
    assert not _mentioning(data)


def test_nothing_that_a_stack_keeps_is_for_other_users_of_the_machine(data: Path) -> None:
    kept = [data, *data.rglob("*")]
    assert {"temporal.db", "api.log", "dev.json"} - {path.name for path in kept} == {"dev.json"}
    assert [path for path in kept if path.lstat().st_mode & 0o077 and not path.is_symlink()] == []


def test_a_second_start_finds_the_orders_and_places_none(data: Path) -> None:
    with running(data) as stack:
        before = stack.orders()
        assert len(before) == 1
        again = run(data)
        assert again.returncode == 1
        assert stack.api in again.stderr
        assert len(stack.orders()) == 1
        assert set(stack.pids) == {"supervisor", "postgres", "temporal", "worker", "api"}
        stack.process.send_signal(signal.SIGINT)
        output, _ = stack.process.communicate(timeout=60)
        assert stack.process.returncode == 0
        assert f"{stack.api}/docs" in output
        assert str(data / "logs") in output
    assert not any(exists(pid) for pid in stack.pids.values())


def test_killing_the_supervisor_leaves_no_orphan_and_the_next_start_finds_everything(data: Path) -> None:
    with running(data) as stack:
        os.kill(stack.pids["supervisor"], signal.SIGKILL)
        eventually(lambda: not any(map(is_alive, stack.pids.values())), "nothing of the stack runs")
    with running(data) as again:
        assert len(again.orders()) == 1


def test_a_killed_worker_is_named_and_stops_the_rest(data: Path) -> None:
    with running(data) as stack:
        os.kill(stack.pids["worker"], signal.SIGKILL)
        output, _ = stack.process.communicate(timeout=60)
    assert stack.process.returncode == 1
    assert "worker was ended by SIGKILL" in output
    assert not any(map(is_alive, stack.pids.values()))


def test_a_port_that_was_asked_for_and_is_busy_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = run(tmp_path / "data", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ({}, "ARGS=--fresh"),
        ({"port": 0, "fresh": True}, "ARGS='--fresh --port 0'"),
        ({"host": "::1", "port": 8080}, "ARGS='--fresh --host ::1 --port 8080'"),
    ],
)
def test_who_starts_over_keeps_the_options_that_were_given(given: dict[str, Any], arguments: str) -> None:
    assert Options(data=Path(".consignor"), **given).starting_over == arguments


def test_wrong_usage_is_exit_code_two(tmp_path: Path) -> None:
    assert run(tmp_path, "--port", "many").returncode == 2
    assert run(tmp_path, "--slowly").returncode == 2


def test_help_does_not_wait_for_anything_heavy() -> None:
    modules = "import sys, cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", modules], capture_output=True, text=True, check=True).stdout
    assert not {"temporalio", "sqlalchemy", "pydantic", "httpx2", "anyio"} & set(loaded.split())


def _mentioning(data: Path) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes()
        except OSError:
            continue
        if os.fsencode(data) in words:
            found.append(words.decode(errors="replace"))
    return found
