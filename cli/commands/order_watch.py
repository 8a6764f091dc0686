"""`consignor order watch` and `order wait`: until an order is fulfilled or has failed; what holds it up is said."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from cli.commands.common import Json, OrderId, the_api
from cli.commands.order_show import held_up, show_line
from cli.terminal import say, say_json

if TYPE_CHECKING:
    from cli.api_client import Api
    from cli.pace import Pace


def watch(order_id: OrderId, as_json: Json = False) -> None:
    """Print a line for each change of an order, until its outcome is known: status, percent, files, and how long yet.

    Exits with 0 when it is fulfilled, with or without warnings; with 1 when it has failed, was cancelled or has
    expired; with 130 after Ctrl-C, and the order goes on. With --json each line is the order as the API has it.
    """
    from cli.outages import Patience
    from cli.pace import Pace

    pace, last = Pace(), ""
    with the_api() as api:
        api.patience = Patience(lambda line: say(line, err=True))
        found = api.order(order_id)
        with going_on(found):
            for order in api.changes(found["id"]):
                line, left = _state(order), _left(order, pace)
                if line != last:
                    last = line
                    if as_json:
                        say_json(order, one_line=True)
                    else:
                        say(line + left)
                if order["outcome"] != "pending":
                    return _exit_as(order)
    return None


def wait(order_id: OrderId, as_json: Json = False) -> None:
    """Return when the outcome of an order is known, and print how it is then.

    Exits with 0 when it is fulfilled, with or without warnings; with 1 when it has failed, was cancelled or has
    expired; with 130 after Ctrl-C, and the order goes on.
    """
    with the_api() as api:
        order = wait_for(api, api.order(order_id), quiet=as_json)
    show_line(order, as_json)
    _exit_as(order)


def wait_for(api: "Api", order: Any, *, quiet: bool) -> Any:
    """The order when its outcome is known; on a terminal with a bar. What holds it up is said once, on stderr."""
    from cli.outages import Patience
    from cli.progress import progress_bar, say_above
    from models.text import shown

    told = ""
    with going_on(order), progress_bar(quiet) as bar:
        task = bar.add_task("", total=100)
        api.patience = Patience(lambda line: say_above(bar, line))

        def seen(order: Any) -> None:
            nonlocal told
            status, percent = order["status"], order["progress"]["percent"]
            bar.update(task, description=shown(f"{order['number']} {status}"), completed=percent)
            reason = held_up(order) if order["outcome"] == "pending" else ""
            if reason and reason != told:
                say_above(bar, f"{order['number']} {reason}")
            told = reason

        return api.wait(order["id"], seen)


@contextmanager
def going_on(order: Any) -> Iterator[None]:
    """Have Ctrl-C end the waiting and nothing else, and say so. Raises Exit with 130, as shells have it."""
    try:
        yield
    except KeyboardInterrupt:
        number = order["number"]
        see, end = f"`consignor order watch {number}`", f"`consignor order cancel {number}`"
        say("", f"{number} goes on: see it with {see}, end it with {end}", err=True)
        raise typer.Exit(130) from None


def _state(order: Any) -> str:
    from models.labels import size_in_words

    progress = order["progress"]
    files = f"{progress['files_available']:,} of {progress['files_total']:,} files"
    failed = f", {progress['files_failed']:,} failed" if progress["files_failed"] else ""
    size = f"{size_in_words(progress['bytes_settled'])} of {size_in_words(progress['bytes_total'])}"
    parts = [order["number"], order["status"], f"{progress['percent']:.0f} %", files + failed, size]
    if order["outcome"] == "pending" and (reason := held_up(order)):
        parts.append(reason)
    return "  ".join(parts)


def _left(order: Any, pace: "Pace") -> str:
    """How long it takes yet, where it moves."""
    from cli.pace import span_in_words

    progress = order["progress"]
    left = pace.left(progress["bytes_settled"], progress["bytes_total"], now=time.monotonic())
    return f"  about {span_in_words(left)} left" if left and order["outcome"] == "pending" else ""


def _exit_as(order: Any) -> None:
    if order["outcome"] != "succeeded":
        raise typer.Exit(1)
