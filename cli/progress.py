"""Bars on stderr, and lines above them."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from models.text import shown


def progress_bar(quiet: bool) -> Progress:
    """A progress bar on stderr; nothing at all in a pipe or when quiet."""
    console = Console(stderr=True)
    # What describes a task is made of words of ours and of the server's, and goes through `shown` where it is set.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)


def say_above(bar: Progress, line: str) -> None:
    """Print a line above a progress bar, on stderr."""
    bar.console.print(shown(line), markup=False, highlight=False, soft_wrap=True)
