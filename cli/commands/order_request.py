"""The order that a command's options ask for, and the body that says so to the API."""

from collections.abc import Sequence
from typing import Any

import typer

from models.order_request import OrderRequest, RequestedLine


def request_of(
    products: Sequence[str],
    objects: Sequence[str] | None,
    *,
    label: str | None = None,
    draft: bool = False,
    destination: str | None = None,
) -> OrderRequest:
    """The order of all objects of the products, or of the named objects of one product."""
    if objects and len(products) > 1:
        raise typer.BadParameter("objects are named for one product; order from each by itself", param_hint="--object")
    lines = tuple(RequestedLine(sku, tuple(objects) if objects else None) for sku in products)
    return OrderRequest(lines, label=label, draft=draft, destination=destination)


def body_of(request: OrderRequest) -> dict[str, Any]:
    """The body of `POST /orders` and `POST /orders:estimate`."""
    items = [{"product": line.product, "objects": list(line.objects or ()) or "all"} for line in request.lines]
    delivery = {"delivery": {"destination": request.destination}} if request.destination else {}
    return {"items": items, "label": request.label, "draft": request.draft, **delivery}
