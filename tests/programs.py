"""Our own programs as child processes: a whole dev stack, single workers and APIs, and commands that talk to them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.processes import eventually

_PATIENCE = 60


def command(*words: str | Path) -> list[str]:
    """The command line of a `consignor` command."""
    return [sys.executable, "-m", "cli.main", *map(str, words)]


def consignor(where: Mapping[str, str], *words: str | Path) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run(
        command(*words), env={**os.environ, **where}, capture_output=True, text=True, check=False, timeout=_PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def asked(where: Mapping[str, str], *words: str | Path) -> Any:
    """The JSON a command prints."""
    return json.loads(consignor(where, *words, "--json"))


def authorization(where: Mapping[str, str], user: str = "alice") -> dict[str, str]:
    """The header with which somebody of a dev stack asks its API."""
    return {"Authorization": f"Bearer {consignor(where, 'token', '--user', user).strip()}"}


@contextmanager
def program(where: Mapping[str, str], log: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A long-running command, stopped at the end if it still runs."""
    with log.open("ab") as output:
        process = subprocess.Popen(command(*words), env={**os.environ, **where}, stdout=output, stderr=output)
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[Any], number: int = signal.SIGTERM) -> None:
    """End a process, and have it gone."""
    process.send_signal(number)
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@contextmanager
def dev_stack(data: Path, **settings: str) -> Iterator[dict[str, Any]]:
    """A running dev stack; gives what its dev.json says, and has it ended well."""
    announcement, log = data / "dev.json", data.with_name(f"{data.name}.log")
    with program(settings, log, "dev", "--data", str(data), "--port", "0") as process:
        eventually(lambda: announcement.exists() or process.poll() is not None, "the stack is ready", 90)
        assert process.poll() is None, log.read_text()
        said: dict[str, Any] = json.loads(announcement.read_text())
        yield said
    assert process.returncode == 0, log.read_text()
