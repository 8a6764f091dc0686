"""What `consignor dev` shows: live steps on a terminal, plain lines in a pipe or a log."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from models.text import shown

_DONE, _FAILED = "[green]✓[/]", "[red]✗[/]"


class Report:
    """The steps of one start, several at a time, each with its seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )

    @property
    def seconds(self) -> float:
        """Since the command was given."""
        return time.monotonic() - self._began

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show the spinners of what is under way for the length of the block."""
        if not self._console.is_terminal:
            yield
            return
        with self._progress:
            yield

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step; its line is final when the block ends."""
        began = time.monotonic()
        task = self._progress.add_task(name)
        try:
            yield
        except Exception:
            self._finish(task, _FAILED, name, began)
            raise
        except BaseException:
            # Given up because of another one's failure or the person's wish: nothing to say of this one.
            self._progress.remove_task(task)
            raise
        self._finish(task, _DONE, name, began)

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(shown(text), highlight=False, soft_wrap=True)

    def table(self, title: str, rows: Mapping[str, str]) -> None:
        """A titled list of names and values."""
        width = max(map(len, rows))
        self.say("")
        self.say(f"[bold]{title}[/]")
        # Never wrapped: addresses and commands are there to be copied.
        for name, value in rows.items():
            self.say(f"  {name:<{width}}  {escape(value)}")

    def _finish(self, task: TaskID, mark: str, name: str, began: float) -> None:
        self._progress.remove_task(task)
        self.say(f"{mark} {name:<42} {time.monotonic() - began:6.2f} s")
