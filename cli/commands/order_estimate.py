"""`consignor order estimate`: what an order would be, without placing it."""

from typing import Annotated, Any

import typer

from cli.commands.common import Json, Products, the_api
from cli.commands.order_request import (
    Country,
    Coupon,
    ListFile,
    MaxFailedPercent,
    Objects,
    OnMissingOption,
    body_of,
    request_of,
)
from cli.terminal import say, say_json


def estimate_order(
    product: Products = None,
    object_: Objects = None,
    file: ListFile = None,
    label: Annotated[str | None, typer.Option(help="The label it would get.")] = None,
    deliver_to: Annotated[str | None, typer.Option(metavar="NAME", help="A saved destination.")] = None,
    on_missing: OnMissingOption = None,
    max_failed_percent: MaxFailedPercent = None,
    coupon: Coupon = None,
    country: Country = None,
    as_json: Json = False,
) -> None:
    """Show the sub-orders, size, price and everything against an order, without placing it.

    Exits with 0 if it would be accepted, with 1 if not, with 2 on wrong usage.
    """
    request = request_of(
        product,
        object_,
        file,
        label=label,
        draft=False,
        destination=deliver_to,
        coupon=coupon,
        country=country,
        on_missing=on_missing,
        max_failed_percent=max_failed_percent,
    )
    body = body_of(request)
    with the_api() as api:
        told = api.post("/orders:estimate", body)
    tell_estimate(told, body, as_json=as_json)


def tell_estimate(told: Any, body: Any, *, as_json: bool) -> None:
    """Print an estimate; the command exits with 1 where the order would be refused."""
    if as_json:
        say_json(told)
    else:
        from cli.hints import fault_in_words

        show_plan(told)
        for fault in told["faults"]:
            say(fault_in_words(fault, body))
    if not told["acceptable"]:
        raise typer.Exit(1)


def show_plan(told: Any) -> None:
    """Print what an order would be: its size, what it costs, how it would be cut, what would be left out."""
    from cli.tables import price_in_words, price_parts_in_words, show, suborders_estimated, warnings_in_words
    from models.labels import counted, size_in_words

    counts = counted(told["objects"], "object"), counted(told["files"], "file"), size_in_words(told["bytes"])
    say("  ".join(filter(None, (*counts, price_in_words(told)))))
    for line in price_parts_in_words(told):
        say(f"  {line}")
    show(suborders_estimated(told["suborders"]))
    if tape := told["waits_for_tape"]["files"]:
        say(f"{counted(tape, 'file')} will be recalled from tape first")
    for line in warnings_in_words(told):
        say(line)
