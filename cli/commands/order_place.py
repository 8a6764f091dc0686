"""`consignor order place`: places an order, and waits for it or downloads it if wanted."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.commands.common import Json, Products, Yes, confirm, the_api, waiting_needs_reading
from cli.commands.order_download import download_parts
from cli.commands.order_request import (
    Country,
    Coupon,
    DeliverTo,
    Draft,
    Label,
    ListFile,
    MaxFailedPercent,
    Objects,
    OnMissingOption,
    body_of,
    request_of,
)
from cli.commands.order_show import failed_files, show_line
from cli.commands.order_watch import wait_for
from cli.terminal import say


def place(
    product: Products = None,
    object_: Objects = None,
    file: ListFile = None,
    label: Label = None,
    deliver_to: DeliverTo = None,
    on_missing: OnMissingOption = None,
    max_failed_percent: MaxFailedPercent = None,
    coupon: Coupon = None,
    country: Country = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when the order is fulfilled or has failed.")] = False,
    draft: Draft = False,
    download: Annotated[Path | None, typer.Option(metavar="DIR", help="Wait, then download into this folder.")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Place an order of all objects of the products, of the named objects, or of what a list names.

    An order that costs something is placed when you have agreed to its price, or with --yes.

    Exits with 0 if the order was placed and, with --wait or --download, is fulfilled (with or without warnings); with 1
    if it was refused, failed, was cancelled or has expired, or could not be downloaded; with 2 on wrong usage.
    """
    if draft and (wait or download):
        raise typer.BadParameter("a draft does not move until it is submitted", param_hint="--draft")
    request = request_of(
        product,
        object_,
        file,
        label=label,
        draft=draft,
        destination=deliver_to,
        coupon=coupon,
        country=country,
        on_missing=on_missing,
        max_failed_percent=max_failed_percent,
    )
    with the_api() as api:
        body = body_of(request)
        if not (draft or yes):
            agree(api.post("/orders:estimate", body))
        with waiting_needs_reading(wait or download is not None):
            order = api.post("/orders", body)
        if wait or download:
            order = wait_for(api, order, quiet=as_json)
        show_line(order, as_json)
        for failed in [] if as_json else failed_files(api, order):
            say(f"  failed: {failed['object']}/{failed['name']}: {failed['failure']['code']}")
        if download and order["outcome"] == "succeeded":
            download_parts(api, order, download, quiet=as_json)
    if order["outcome"] == "failed":
        raise typer.Exit(1)


def agree(told: Any, *, is_shown: bool = False) -> None:
    """Ask whether to place an estimated order, where it costs something; what is told before, unless it is shown.

    What is against it, placing it says.
    """
    from cli.tables import price_in_words
    from models.labels import counted, size_in_words

    if told["acceptable"] and (price := price_in_words(told)):
        counts = counted(told["objects"], "object"), counted(told["files"], "file"), size_in_words(told["bytes"])
        if not is_shown:
            say(f"{', '.join(counts)}: {price}", err=True)
        confirm(f"Place the order for {price}?", yes=False)
