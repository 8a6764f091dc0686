"""Bars on stderr, and lines above them; in a pipe a line a minute of what takes longer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from cli.pace import Pace, span_in_words
from models.labels import size_in_words
from models.text import shown

_EVERY: Final = 60.0
"""Seconds between two lines in a pipe: a log shows that it goes on, and is not full of it."""


def progress_bar(quiet: bool) -> Progress:
    """A progress bar on stderr; nothing at all in a pipe or when quiet."""
    return _bar(quiet, TaskProgressColumn(), TimeElapsedColumn())


def download_bar(quiet: bool) -> Progress:
    """The same for bytes: how many of how many, how fast, and how long yet."""
    return _bar(quiet, DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())


def _bar(quiet: bool, *numbers: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    # What describes a task is made of words of ours and of the server's, and goes through `shown` where it is set.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), *numbers)
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)


@dataclass
class Minutely:
    """A line a minute about bytes that arrive, for logs."""

    what: str
    total: int
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _pace: Pace = field(default_factory=Pace, init=False)
    _last: float | None = field(default=None, init=False)

    def __call__(self, done: int) -> None:
        """Take note of how many bytes are there, and say so when it is time."""
        now = self.clock()
        left = self._pace.left(done, self.total, now=now)
        if self._last is None:
            self._last = now
        elif left and now - self._last >= _EVERY:
            self._last = now
            speed = f"{size_in_words(round((self.total - done) / left))}/s"
            sizes = f"{size_in_words(done)} of {size_in_words(self.total)}"
            self.say(f"{self.what}: {sizes}, {speed}, about {span_in_words(left)} left")


def say_above(bar: Progress, line: str) -> None:
    """Print a line above a progress bar, on stderr."""
    bar.console.print(shown(line), markup=False, highlight=False, soft_wrap=True)
