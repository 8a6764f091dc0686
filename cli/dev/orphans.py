"""What a killed PostgreSQL leaves behind, and when it is safe to start on its files again."""

import os
import signal
import time
from pathlib import Path

from cli.errors import CommandFailed

_PATIENCE = 15.0


def pid_file_lines(cluster: Path) -> list[str]:
    """The lines of postmaster.pid, none if there is no such file."""
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def clear(cluster: Path) -> None:
    """Wait until nothing of a former server runs, ending it if need be, then remove its pid file.

    PostgreSQL itself would refuse for ever when the recorded pid is a zombie or is another process by now, as
    happens in containers. The caller holds the folder's lock, so whatever still runs here is an orphan.
    """
    deadline = time.monotonic() + _PATIENCE
    told = False
    while lines := pid_file_lines(cluster):
        if _is_postmaster(int(lines[0]), cluster):
            if not told:
                os.kill(int(lines[0]), signal.SIGINT)
                told = True
        elif not _memory_attached(lines):
            (cluster / "postmaster.pid").unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            raise CommandFailed(f"a former PostgreSQL still runs on {cluster}: end process {lines[0]}")
        time.sleep(0.02)


def _is_postmaster(pid: int, cluster: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    # A zombie's command line is empty.
    return os.fsencode(cluster) in words


def _memory_attached(lines: list[str]) -> bool:
    """Whether backends of the former server still hold its shared memory (line 7: its key and id)."""
    fields = lines[6].split() if len(lines) > 6 else []
    try:
        segments = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    except OSError:
        return False
    return any(row[:2] == fields and int(row[6]) > 0 for row in (segment.split() for segment in segments))
