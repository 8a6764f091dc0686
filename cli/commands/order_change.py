"""The commands that change an order: what the lifecycle allows, and its end."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from cli.commands.common import Json, OrderId, Yes, confirm, the_api
from cli.commands.order_request import MaxFailedPercent, OnMissingOption
from cli.commands.order_show import show_line
from cli.hints import added_in_words
from cli.terminal import say, say_json
from models.labels import MAX_LABEL_CHARACTERS

Reason = Annotated[str | None, typer.Option(help="Why; it is kept on the timeline.")]


def pause(order_id: OrderId, reason: Reason = None, as_json: Json = False) -> None:
    """Pause an order; nothing is read any more until it is resumed."""
    _command(order_id, "pause", {"reason": reason}, as_json)


def resume(order_id: OrderId, reason: Reason = None, as_json: Json = False) -> None:
    """Resume a paused order where it was."""
    _command(order_id, "resume", {"reason": reason}, as_json)


def cancel(order_id: OrderId, reason: Reason = None, as_json: Json = False) -> None:
    """Cancel an order for good."""
    _command(order_id, "cancel", {"reason": reason}, as_json)


def retry(
    order_id: OrderId,
    file: Annotated[list[int] | None, typer.Option(help="Number of a failed file; repeat for several.")] = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Try again what has failed, and nothing else."""
    _command(order_id, "retry", {"reason": reason, "files": file or None}, as_json)


def submit(order_id: OrderId, as_json: Json = False) -> None:
    """Submit a draft."""
    _command(order_id, "submit", {}, as_json)


def confirm_payment(order_id: OrderId, reason: Reason = None, as_json: Json = False) -> None:
    """Confirm that an order has been paid."""
    _command(order_id, "confirm-payment", {"reason": reason}, as_json)


def restart(
    order_id: OrderId,
    label: Annotated[
        str | None, typer.Option(help=f"A label of your own, at most {MAX_LABEL_CHARACTERS} characters.")
    ] = None,
    on_missing: OnMissingOption = None,
    max_failed_percent: MaxFailedPercent = None,
    as_json: Json = False,
) -> None:
    """Order the same again, as a new order, with the old one's failure policy unless you give another."""
    policy = {"on_missing": on_missing, "max_failed_percent": max_failed_percent}
    _command(order_id, "restart", {"label": label, **policy}, as_json)


def add_to_cart(order_id: OrderId, as_json: Json = False) -> None:
    """Put what can still be had of an order into your cart, and say what is gone."""
    with the_api() as api:
        added = api.post(f"/orders/{api.order(order_id)['id']}/add-to-cart")
    if as_json:
        return say_json(added)
    return say(*added_in_words(added))


def extend(
    order_id: OrderId,
    until: Annotated[str, typer.Argument(help="The new end, local unless it has an offset; a date alone is its end.")],
    as_json: Json = False,
) -> None:
    """Keep an order for longer."""
    from cli.local_time import instant, until_then

    order = _command(order_id, "extend", {"expires_at": until_then(until)}, as_json)
    if not as_json:
        say(f"expires {instant(order['expires_at'])}")


def delete(order_id: OrderId, yes: Yes = False) -> None:
    """Delete an order that is over: it is hidden, and nobody can download it any more."""
    with the_api() as api:
        order = api.order(order_id)
        confirm(f"Delete {order['number']} “{order['label']}”? Nobody can download it then.", yes=yes)
        api.delete(f"/orders/{order['id']}")
    say(f"{order['number']}  deleted")


def purge(
    older_than_days: Annotated[
        int | None, typer.Option("--older-than-days", min=0, help="Default: CONSIGNOR_PURGE_AFTER, 90 days.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Remove for good the orders that were deleted long enough ago. For operators: works on the database itself."""
    import asyncio

    from cli.runtime.loading import load_settings
    from services.retention import purge_orders

    settings = load_settings()
    age = settings.purge_after if older_than_days is None else timedelta(days=older_than_days)
    purged = asyncio.run(purge_orders(settings.database_url, age))
    if as_json:
        return say_json(purged)
    say(f"{len(purged)} purged", *purged)
    return None


def _command(key: str, verb: str, body: Any, as_json: bool) -> Any:
    with the_api() as api:
        order = api.post(f"/orders/{api.order(key)['id']}/{verb}", body)
    show_line(order, as_json)
    return order
