"""`consignor cart list`, `remove` and `clear`: what is in the cart, and taking it out."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.commands.common import Json, Yes, confirm, the_api
from cli.commands.completion import complete_product
from cli.terminal import say, say_json

EMPTY = "The cart is empty. Put something into it with `consignor cart add`."


def list_cart(as_json: Json = False) -> None:
    """List what is in the cart by product and by selection, with what it comes to."""
    with the_api() as api:
        cart = api.get("/cart")
    if as_json:
        return say_json(cart)
    if not cart["selections"]:
        return say(EMPTY)
    from cli.cart_tables import cart_in_words, cart_products, cart_selections
    from cli.tables import show

    show(cart_products(cart["items"]), "", cart_selections(cart["selections"]), "")
    return say(cart_in_words(cart))


def remove(
    number: Annotated[
        int | None, typer.Argument(metavar="[NUMBER]", min=1, help="A selection's number, as `cart list` shows it.")
    ] = None,
    product: Annotated[
        str | None,
        typer.Option(metavar="SKU", help="All of a product instead.", autocompletion=complete_product),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take a selection, or all of a product, out of the cart; what other selections hold as well stays."""
    if (number is None) == (product is None):
        raise typer.BadParameter("name a selection by its number, or a product with --product", param_hint="NUMBER")
    path = f"/cart/selections/{number}" if product is None else f"/cart/products/{quote(product, safe='')}"
    with the_api() as api:
        cart = api.delete(path)
    _tell(cart, as_json)


def clear(yes: Yes = False, as_json: Json = False) -> None:
    """Empty the cart, on every device."""
    with the_api() as api:
        if not yes:
            from cli.cart_tables import cart_in_words

            confirm(f"Take everything out of the cart ({cart_in_words(api.get('/cart'))})?", yes=yes)
        cart = api.delete("/cart")
    _tell(cart, as_json)


def _tell(cart: Any, as_json: bool) -> None:
    from cli.cart_tables import cart_in_words

    if as_json:
        return say_json(cart)
    return say(f"in the cart: {cart_in_words(cart)}" if cart["selections"] else EMPTY)
