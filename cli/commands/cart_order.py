"""`consignor cart estimate` and `consignor cart order`: what an order of the cart would be, and placing it."""

from typing import TYPE_CHECKING, Any

from cli.commands.cart_content import EMPTY
from cli.commands.common import Json, Yes, the_api
from cli.commands.order_estimate import show_plan, tell_estimate
from cli.commands.order_place import agree
from cli.commands.order_request import (
    Country,
    Coupon,
    DeliverTo,
    Draft,
    Label,
    MaxFailedPercent,
    OnMissingOption,
    body_of,
    request_of_cart,
)
from cli.commands.order_show import show_line

if TYPE_CHECKING:
    from cli.api_client import Api


def estimate_cart(
    label: Label = None,
    deliver_to: DeliverTo = None,
    on_missing: OnMissingOption = None,
    max_failed_percent: MaxFailedPercent = None,
    coupon: Coupon = None,
    country: Country = None,
    as_json: Json = False,
) -> None:
    """Show the sub-orders, size, price and everything against an order of the cart, without placing it.

    Exits with 0 if it would be accepted, with 1 if not, with 2 on wrong usage.
    """
    request = request_of_cart(
        label=label,
        draft=False,
        destination=deliver_to,
        on_missing=on_missing,
        max_failed_percent=max_failed_percent,
        coupon=coupon,
        country=country,
    )
    body = body_of(request)
    with the_api() as api:
        told = api.post("/cart:estimate", body)
    tell_estimate(told, body, as_json=as_json)


def order_cart(
    label: Label = None,
    deliver_to: DeliverTo = None,
    on_missing: OnMissingOption = None,
    max_failed_percent: MaxFailedPercent = None,
    coupon: Coupon = None,
    country: Country = None,
    draft: Draft = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Order what is in the cart, and empty it. What it would be and cost is shown before.

    An order that costs something is placed when you have agreed to its price, or with --yes. A cart that is changed
    meanwhile, such as by another device, is not ordered.

    Exits with 0 if the order was placed, with 1 if it was refused, with 2 on wrong usage.
    """
    request = request_of_cart(
        label=label,
        draft=draft,
        destination=deliver_to,
        on_missing=on_missing,
        max_failed_percent=max_failed_percent,
        coupon=coupon,
        country=country,
    )
    with the_api() as api:
        order = place_cart(api, body_of(request), ask=not (draft or yes), quiet=as_json)
    show_line(order, as_json)


def place_cart(api: "Api", body: dict[str, Any], *, ask: bool, quiet: bool) -> Any:
    """The order of what is in the cart as it is now. Raises CommandFailed where it is another when that is placed."""
    from cli.errors import CommandFailed, Refused

    # Before the plan: what changes between the two is refused, and not ordered unseen.
    cart = api.get("/cart")
    if not cart["selections"]:
        raise CommandFailed(EMPTY)
    told = api.post("/cart:estimate", body)
    if not quiet:
        show_plan(told)
    if ask:
        agree(told, is_shown=not quiet)
    try:
        return api.post("/cart:order", body | {"version": cart["version"]})
    except Refused as refused:
        if refused.problem.get("code") != "cart_changed":
            raise
        again = "nothing was ordered; look at the cart with `consignor cart list`, and give the command again"
        raise CommandFailed(*str(refused).split("\n"), again) from None
