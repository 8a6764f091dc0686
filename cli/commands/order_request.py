"""The order that a command's options ask for, and the body that says so to the API."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypedDict, Unpack

import typer

from models.failure_policy import OnMissing
from models.labels import MAX_LABEL_CHARACTERS
from models.order_request import OrderRequest, RequestedLine

Objects = Annotated[
    list[str] | None, typer.Option("--object", help="Name or id of an object of the product; repeat for several.")
]
ListFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="LIST",
        help="A list with one on a line, `-` for standard input: names or ids of objects of the product; without a"
        " product ids of files or objects.",
    ),
]
Label = Annotated[str | None, typer.Option(help=f"A label of your own, at most {MAX_LABEL_CHARACTERS} characters.")]
DeliverTo = Annotated[
    str | None, typer.Option(metavar="NAME", help="A saved destination, to which the archives go as well.")
]
Draft = Annotated[bool, typer.Option("--draft", help="Keep it as a draft until `order submit`.")]
OnMissingOption = Annotated[
    OnMissing | None, typer.Option("--on-missing", help="What to do where something of it is gone before it is read.")
]
MaxFailedPercent = Annotated[
    float | None,
    typer.Option("--max-failed-percent", min=0, max=100, help="Fail the order where more of its files than this fail."),
]

Coupon = Annotated[str | None, typer.Option("--coupon", metavar="CODE", help="The code of a coupon.")]
Country = Annotated[
    str | None, typer.Option("--country", metavar="XX", help="Where you are taxed, in two letters, such as FR.")
]


class OrderTerms(TypedDict):
    """What options say of an order besides what is ordered; all are given: mypy finds a command that forgets one."""

    label: str | None
    draft: bool
    destination: str | None
    on_missing: OnMissing | None
    max_failed_percent: float | None
    coupon: str | None
    country: str | None


def request_of(
    products: Sequence[str] | None,
    objects: Sequence[str] | None,
    listed: Path | None = None,
    **terms: Unpack[OrderTerms],
) -> OrderRequest:
    """The order of all objects of the products, of the named objects of one product, or of what a list names."""
    names = [*(objects or ()), *(lines_of(listed) if listed else ())]
    if not products and (objects or not names):
        raise typer.BadParameter("name a product, or give a list of ids with --file", param_hint="--product")
    if names and products and len(products) > 1:
        hint = "--object" if objects else "--file"
        raise typer.BadParameter("objects are named for one product; order from each by itself", param_hint=hint)
    lines = tuple(RequestedLine(sku, tuple(names) if names else None) for sku in products or ())
    ids = () if products else tuple(names)
    return _on_terms(OrderRequest(lines, ids), terms)


def request_of_cart(**terms: Unpack[OrderTerms]) -> OrderRequest:
    """The order of what is in the cart."""
    return _on_terms(OrderRequest(cart=True), terms)


def _on_terms(request: OrderRequest, terms: OrderTerms) -> OrderRequest:
    """The request with what the options say besides what is ordered."""
    percent = terms["max_failed_percent"]
    limit = None if percent is None else Decimal(str(percent))
    return replace(
        request,
        label=terms["label"],
        draft=terms["draft"],
        destination=terms["destination"],
        on_missing=terms["on_missing"],
        max_failed_percent=limit,
        coupon=terms["coupon"],
        country=terms["country"],
    )


def body_of(request: OrderRequest) -> dict[str, Any]:
    """The body of `POST /orders` and `POST /orders:estimate`; of an order of the cart that of `/cart:…`."""
    items = [{"product": line.product, "objects": list(line.objects or ()) or "all"} for line in request.lines]
    what = {} if request.cart else {"items": items} if items else {"files": list(request.ids)}
    delivery = {"delivery": {"destination": request.destination}} if request.destination else {}
    price = {name: given for name in ("coupon", "country") if (given := getattr(request, name)) is not None}
    return {**what, "label": request.label, "draft": request.draft, **delivery, **policy_of(request), **price}


def policy_of(request: OrderRequest) -> dict[str, Any]:
    """What the request says of its failure policy; what it does not say is left to the API."""
    limit = None if request.max_failed_percent is None else float(request.max_failed_percent)
    given = {"on_missing": request.on_missing, "max_failed_percent": limit}
    return {name: value for name, value in given.items() if value is not None}


def lines_of(listed: Path) -> list[str]:
    """What a list names, without blank lines. Raises BadParameter where it names nothing."""
    text = sys.stdin.read() if str(listed) == "-" else listed.read_text(encoding="utf-8")
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise typer.BadParameter(f"{listed} names nothing", param_hint="--file")
    return names
