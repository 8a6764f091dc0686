"""Looking at other processes, and waiting for what they do."""

import time
from collections.abc import Callable
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def exists(pid: int) -> bool:
    """Whether there is any trace of the process, be it a zombie."""
    return Path(f"/proc/{pid}").exists()


def eventually(condition: Callable[[], bool], what: str, patience: float = 30) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not after {patience} s: {what}"
        time.sleep(0.02)
