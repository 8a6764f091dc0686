"""`consignor order show` and `order files`, and the lines by which other commands say how an order is."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.common import Json, OrderId, the_api
from cli.terminal import say, say_json

if TYPE_CHECKING:
    from cli.api_client import Api


def show(order_id: OrderId, as_json: Json = False) -> None:
    """Show an order: status, progress, sub-orders, timeline."""
    with the_api() as api:
        order = api.order(order_id)
        path = f"/orders/{order['id']}"
        if order["destination"]:
            order["deliveries"] = list(api.items(f"{path}/deliveries"))
        order |= {"suborders": list(api.items(f"{path}/suborders")), "timeline": list(api.items(f"{path}/timeline"))}
        order["failed_files"] = failed_files(api, order)
    if as_json:
        return say_json(order)
    from cli.tables import order_page

    return order_page(order)


def list_files(
    order_id: OrderId,
    state: Annotated[
        str | None, typer.Option("--state", help="Only those that are pending, available, downloaded or failed.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 1000,
    as_json: Json = False,
) -> None:
    """List the files of an order: the number that `order retry --file` takes, size, state, and why one has failed."""
    with the_api() as api:
        every = api.items(f"/orders/{api.order(order_id)['id']}/files", limit=min(limit + 1, 1000))
        found = list(islice((file for file in every if state in {None, file["state"]}), limit + 1))
    files, more = found[:limit], len(found) > limit
    if as_json:
        return say_json(files)
    from cli.tables import files_table, show

    show(files_table(files))
    return say(f"… and more: --limit {limit * 10}") if more else None


def show_line(order: Any, as_json: bool) -> None:
    """Print an order in a few lines: how it is, what it costs, what it waits for, why it failed."""
    from cli.tables import price_in_words, price_parts_in_words, warnings_in_words
    from models.labels import counted

    if as_json:
        return say_json(order)
    progress = order["progress"]
    files = f"{progress['files_available']} of {counted(progress['files_total'], 'file')}"
    say(f"{order['number']}  {order['status']}  {files}  “{order['label']}”")
    say(f"id {order['id']}")
    if price := price_in_words(order):
        say(f"price {price}")
        for line in price_parts_in_words(order):
            say(f"  {line}")
    for line in warnings_in_words(order):
        say(line)
    if order["outcome"] == "pending" and (reason := held_up(order)):
        say(reason)
    if order["failure"]:
        say(f"{order['failure']['code']}: {order['failure']['text']}")
        for fault in order["faults"] if len(order["faults"]) > 1 else []:
            say(f"  {fault['code']}: {fault['text']}")
    return None


def held_up(order: Any) -> str:
    """What an order waits for, and who can act; nothing while it moves."""
    waiting = order["waiting_on"]
    return f"waits for {waiting['who']} ({waiting['code']}): {waiting['text']}" if waiting else ""


def failed_files(api: "Api", order: Any) -> list[Any]:
    """The files of an order that failed, the first thousand."""
    if not order["progress"]["files_failed"]:
        return []
    failed = (file for file in api.items(f"/orders/{order['id']}/files") if file["state"] == "failed")
    return list(islice(failed, 1000))
