"""`consignor cart add`: puts objects into the cart, and says of what was not added why."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.commands.catalog_search import Box, Time, when_and_where
from cli.commands.common import Json, Products, the_api
from cli.commands.order_request import lines_of
from cli.terminal import say, say_json

if TYPE_CHECKING:
    from cli.api_client import Api


def add(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WHAT]...", help="Ids of objects or files, names of objects, or PRODUCT/NAME."),
    ] = None,
    product: Products = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="LIST", help="A list of the same, one on a line; `-` for standard input."),
    ] = None,
    time: Time = None,
    bbox: Box = None,
    as_json: Json = False,
) -> None:
    """Put objects into the cart: by ids and names, all of a product, or what a search finds now.

    With a product, names are those of its objects, and a search by --time and --bbox is one among its objects.

    Exits with 0 if all that was named was added; with 1 if some of it could not be, which is told with the reason, and
    the rest is in the cart; with 2 on wrong usage.
    """
    named = [*(what or ()), *(lines_of(file) if file else ())]
    bodies = list(_bodies(named, product or [], when_and_where(time, bbox)))
    with the_api() as api:
        several = [_added(api, body) for body in bodies]
        added = _together(api, several)
    if as_json:
        say_json(added)
    else:
        from cli.cart_tables import cart_in_words
        from cli.hints import added_in_words

        say(*added_in_words(added), f"in the cart: {cart_in_words(added['cart'])}")
    # What a search has found besides was not named by anybody.
    if any(one["position"] for one in added["unadded"]) or not all(one["cart"] for one in several):
        raise typer.Exit(1)


def _bodies(named: Sequence[str], products: Sequence[str], search: dict[str, Any]) -> list[dict[str, Any]]:
    """A body of `POST /cart/selections` for each way in which something is named. Raises BadParameter."""
    if named and search:
        raise typer.BadParameter("objects are named or searched for, not both", param_hint="--time")
    if named and len(products) > 1:
        raise typer.BadParameter("objects are named for one product; add from each by itself", param_hint="--product")
    if search:
        return [{"search": search | ({"product": list(products)} if products else {})}]
    if not named:
        if not products:
            raise typer.BadParameter("name objects or a product, or search by --time or --bbox", param_hint="WHAT")
        return [{"product": sku} for sku in products]
    ids = [key for key in named if _is_id(key)]
    names = [f"{products[0]}/{key}" if products else key for key in named if not _is_id(key)]
    return [body for body in ({"objects": ids}, {"names": names}) if any(body.values())]


def _is_id(key: str) -> bool:
    try:
        UUID(key)
    except ValueError:
        return False
    return True


def _added(api: "Api", body: dict[str, Any]) -> Any:
    """What came of adding; where nothing could be added, that says why, too, and the cart is left to others."""
    from cli.errors import Refused

    try:
        return api.post("/cart/selections", body)
    except Refused as refused:
        if refused.problem.get("code") != "nothing_added":
            raise
        unadded = [_unadded(fault, body) for fault in refused.problem["faults"]]
        return {"added": 0, "unadded": unadded, "unadded_total": _named(body) or len(unadded), "cart": None}


def _named(body: dict[str, Any]) -> int:
    """How many were named one by one."""
    return len(body.get("objects") or body.get("names") or ())


def _unadded(fault: Any, body: dict[str, Any]) -> dict[str, Any]:
    """A fault as what it would be beside others that were added; its text begins with what was not."""
    place = fault["field"]
    keys = body.get("objects") or body.get("names") or body.get("search", {}).get("product") or [body.get("product")]
    position = int(place) if place.isdecimal() else None
    key = str(keys[position - 1]) if position else "search"
    return {"position": position, "key": key, "code": fault["code"], "text": fault["text"].removeprefix(f"{key}: ")}


def _together(api: "Api", several: Sequence[Any]) -> dict[str, Any]:
    """What came of adding in several ways, as of one."""
    carts = [added["cart"] for added in several if added["cart"]]
    return {
        "added": sum(added["added"] for added in several),
        "unadded": list(chain.from_iterable(added["unadded"] for added in several)),
        "unadded_total": sum(added["unadded_total"] for added in several),
        "cart": carts[-1] if carts else api.get("/cart"),
    }
