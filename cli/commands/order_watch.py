"""Waiting for orders: what holds one up is said, and its progress shown."""

from typing import TYPE_CHECKING, Any

from cli.commands.order_show import held_up

if TYPE_CHECKING:
    from cli.api_client import Api


def wait_for(api: "Api", order_id: str, *, quiet: bool) -> Any:
    """Wait for the outcome; on a terminal with a bar. What holds the order up is said once, on stderr."""
    from cli.outages import Patience
    from cli.progress import progress_bar, say_above
    from models.text import shown

    told = ""
    with progress_bar(quiet) as bar:
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

        return api.wait(order_id, seen)
