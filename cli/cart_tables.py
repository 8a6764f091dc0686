"""How a cart looks on a terminal."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from cli.local_time import at
from cli.tables import Grid
from models.labels import counted, size_in_words

_COUNTS = ("objects", "files", "size")


def cart_products(items: Sequence[Any]) -> Grid:
    """One line a product."""
    names = ("product", "name", "price", "gone", *_COUNTS)
    table = Grid(*names, right=3, whole=("price", "gone", *_COUNTS), cut={"product": 16, "name": 10}, spare=("name",))
    for item in items:
        price = _price(item) if item["orderable"] else "not to be had"
        table.add_cells(item["product"], item["name"], price, f"{item['gone']:,}", *_counts(item))
    return table


def cart_selections(selections: Sequence[Any]) -> Grid:
    """One line a selection, by the number that `cart remove` takes."""
    names = ("number", "what", "made", *_COUNTS)
    table = Grid(*names, right=3, whole=("number", "made", *_COUNTS), cut={"what": 12}, spare=("made",))
    for selection in selections:
        what = " ".join((selection["kind"], *_asked(selection["request"])))
        table.add_cells(str(selection["number"]), what, at(selection["made_at"]), *_counts(selection))
    return table


def cart_in_words(cart: Any) -> str:
    """What a cart comes to, with what is in it more than once and what cannot be had any more."""
    parts = [counted(cart["objects"], "object"), counted(cart["files"], "file"), size_in_words(cart["bytes"])]
    if twice := cart["overlapping"]:
        parts.append(f"{twice:,} in several selections, counted once")
    if gone := cart["gone"]:
        parts.append(f"{gone:,} cannot be had any more")
    return ", ".join(parts)


def _counts(totals: Any) -> tuple[str, str, str]:
    return f"{totals['objects']:,}", f"{totals['files']:,}", size_in_words(totals["bytes"])


def _price(item: Any) -> str:
    return f"{item['unit_price']} {item['currency']}" if Decimal(item["unit_price"] or 0) else "free"


def _asked(request: Any) -> list[str]:
    """What was asked for, in the words of the options."""
    return [", ".join(map(str, said)) if isinstance(said, list) else str(said) for said in request.values()]
