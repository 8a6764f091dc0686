"""Bars on stderr, and lines above them; in a pipe a line a minute of what takes longer."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@dataclass
class Counter:
    """Counts what is looked at, and tells the count now and then: every thousand, or in a pipe every minute."""

    tell: Callable[[int], None]
    every: float
    clock: Callable[[], float] = time.monotonic
    count: int = field(default=0, init=False)
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.clock()

    def __call__(self) -> None:
        """One more."""
        self.count += 1
        if self.count % 1000 == 0 and (now := self.clock()) - self._last >= self.every:
            self._last = now
            self.tell(self.count)


@contextmanager
def counting(what: str, quiet: bool) -> Iterator[Callable[[], None]]:
    """Something to call for each thing that is looked at; the count is on stderr while it grows."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        if bar.disable:
            yield Counter(lambda count: None if quiet else say_above(bar, f"{what} {count:,}"), _EVERY)
        else:
            task = bar.add_task(what, total=None)
            yield Counter(lambda count: bar.update(task, description=f"{what} {count:,}"), 0)


def say_above(bar: Progress, line: str) -> None:
    """Print a line above a progress bar, on stderr."""
    bar.console.print(shown(line), markup=False, highlight=False, soft_wrap=True)
