"""`consignor catalog search`: objects by product, time and place, as the catalogue's STAC API finds them."""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.common import Json, Products, the_api
from cli.terminal import say, say_json

if TYPE_CHECKING:
    from cli.tables import Grid


Time = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="An instant, a day, or BEGIN/END of such; `..` is an open end. Local time."),
]
Box = Annotated[
    str | None, typer.Option(metavar="W,S,E,N", help="West, south, east and north in degrees, with commas.")
]


def search_catalog(
    product: Products = None,
    time: Time = None,
    bbox: Box = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    ids: Annotated[
        bool, typer.Option("--ids", help="Print ids alone, for `order place --file -`, and nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Search the catalogue for objects by product, time and place; with --json as STAC items."""
    body = {"limit": min(limit + 1, 1000), **when_and_where(time, bbox)}
    if product:
        body["collections"] = product
    with the_api() as api:
        items = list(islice(api.stac_items(body), limit + 1))
    found, more = items[:limit], len(items) > limit
    if as_json:
        return say_json(found)
    if ids:
        return say(*(item["properties"]["consignor:object"] for item in found))
    if not found:
        return say("Nothing matches.")
    from cli.tables import show

    show(_items_table(found))
    return say(f"… and more: --limit {limit * 10}") if more else None


def when_and_where(time: str | None, bbox: str | None) -> dict[str, Any]:
    """The members of a search's body that say these options. Raises BadParameter."""
    given: dict[str, Any] = {"datetime": _interval(time)} if time else {}
    return given | ({"bbox": _box(bbox)} if bbox else {})


def _interval(text: str) -> str:
    """The instant or interval for the API; a day goes from its begin to its last moment."""
    from cli.local_time import from_then, last_of

    begin, slash, end = text.partition("/")
    if not slash and (instant := from_then(begin)) == last_of(begin):
        return instant
    begin, end = begin or "..", (end or "..") if slash else begin
    if begin == end == "..":
        raise typer.BadParameter("one end has to be given, at least", param_hint="--time")
    return f"{begin if begin == '..' else from_then(begin)}/{end if end == '..' else last_of(end)}"


def _box(text: str) -> list[float]:
    try:
        west, south, east, north = (float(degrees) for degrees in text.split(","))
    except ValueError:
        raise typer.BadParameter("give four numbers, as in 2.0,43.0,3.0,44.0", param_hint="--bbox") from None
    return [west, south, east, north]


def _items_table(items: Sequence[Any]) -> "Grid":
    from cli.local_time import at
    from cli.tables import Grid
    from models.labels import size_in_words

    box, names = "west,south,east,north", ("time", "files", "size")
    table = Grid("product", "object", "time", box, "files", "size", right=4, whole=(*names, box), spare=(box, "files"))
    for item in items:
        own = item["properties"]
        when = own.get("datetime") or own.get("start_datetime")
        box = ",".join(f"{degrees:.4g}" for degrees in item.get("bbox") or ())
        counts = f"{own['consignor:files']:,}", size_in_words(own["consignor:bytes"])
        table.add_cells(item["collection"], item["id"], at(when) if when else "", box, *counts)
    return table
