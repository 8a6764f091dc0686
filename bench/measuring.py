"""Running a program and measuring it: wall time, CPU and peak memory; our own tasks measure themselves."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

_LOOK_EVERY = 0.02


class Measured(NamedTuple):
    """One run: seconds on the clock, seconds of CPU, and the most memory it had, in bytes."""

    seconds: float
    cpu: float
    peak_bytes: int


class Failed(Exception):
    """A program ended badly; the message is what it said."""


def high_water(pid: int | str) -> int:
    """The most memory a process has had so far, in bytes; 0 once it is gone.

    Not `ru_maxrss`, which begins at what the parent had when it started the process.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def program(command: Sequence[str], folder: Path) -> Measured:
    """Run a program to its end, from a folder."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    peak, ended = 0, False
    while not ended:
        peak = max(peak, high_water(process.pid))
        time.sleep(_LOOK_EVERY if peak else 0)
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        ended = pid != 0
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    with process:
        said = process.stderr.read().decode(errors="replace") if process.stderr else ""
    if process.returncode:
        raise Failed(f"{command[0]}: {said.strip()[-500:]}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak)


def task(name: str, **arguments: Any) -> tuple[Measured, dict[str, Any]]:
    """Run one of `bench.tasks` in a Python of its own; gives what it measured and what else it found."""
    command = [sys.executable, "-m", "bench.tasks", name, json.dumps(arguments, default=str)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{name}: {done.stderr.strip()[-500:]}")
    found = json.loads(done.stdout)
    return Measured(found.pop("seconds"), found.pop("cpu"), found.pop("peak_bytes")), found


class Series:
    """The runs of one contender, in the order of the rounds."""

    def __init__(self) -> None:
        self.runs: list[Measured] = []

    @property
    def seconds(self) -> float:
        """The median."""
        return median(run.seconds for run in self.runs)

    @property
    def cpu(self) -> float:
        """The median of CPU seconds."""
        return median(run.cpu for run in self.runs)

    @property
    def peak_bytes(self) -> int:
        """The most of all runs."""
        return max(run.peak_bytes for run in self.runs)

    def times_as_fast_as(self, other: "Series") -> float:
        """The median of the ratios round by round, so that a noisy neighbour slows both sides of each."""
        return median(b.seconds / a.seconds for a, b in zip(self.runs, other.runs, strict=False))
