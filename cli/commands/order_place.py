"""`consignor order place`: places an order, and waits for it or downloads it if wanted."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.common import Json, Products, the_api
from cli.commands.order_download import download_parts
from cli.commands.order_request import body_of, request_of
from cli.commands.order_show import failed_files, show_line
from cli.commands.order_watch import wait_for
from cli.terminal import say


def place(
    product: Products,
    object_: Annotated[
        list[str] | None, typer.Option("--object", help="Name or id of an object of the product; repeat for several.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="A label of your own, at most 50 characters.")] = None,
    deliver_to: Annotated[
        str | None, typer.Option(metavar="NAME", help="A saved destination, to which the archives go as well.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when the order is fulfilled or has failed.")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Keep it as a draft until `order submit`.")] = False,
    download: Annotated[Path | None, typer.Option(metavar="DIR", help="Wait, then download into this folder.")] = None,
    as_json: Json = False,
) -> None:
    """Place an order of all objects of the products, or of the named objects.

    Exits with 0 if the order was placed and, with --wait or --download, is fulfilled (with or without warnings); with 1
    if it was refused, failed, was cancelled or has expired, or could not be downloaded; with 2 on wrong usage.
    """
    if draft and (wait or download):
        raise typer.BadParameter("a draft does not move until it is submitted", param_hint="--draft")
    request = request_of(product, object_, label=label, draft=draft, destination=deliver_to)
    with the_api() as api:
        order = api.post("/orders", body_of(request))
        if wait or download:
            order = wait_for(api, order, quiet=as_json)
        show_line(order, as_json)
        for file in [] if as_json else failed_files(api, order):
            say(f"  failed: {file['object']}/{file['name']}: {file['failure']['code']}")
        if download and order["outcome"] == "succeeded":
            download_parts(api, order, download, quiet=as_json)
    if order["outcome"] == "failed":
        raise typer.Exit(1)
