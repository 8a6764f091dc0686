"""`consignor cart …`: a line for each command, in the order of its help."""

import typer

from cli.lazy import group_of

_COMMANDS = {
    "add": "cli.commands.cart_add:add",
    "list": "cli.commands.cart_content:list_cart",
    "remove": "cli.commands.cart_content:remove",
    "clear": "cli.commands.cart_content:clear",
    "estimate": "cli.commands.cart_order:estimate_cart",
    "order": "cli.commands.cart_order:order_cart",
}

app = typer.Typer(cls=group_of(_COMMANDS), help="Fill the cart, look at it and order it.", no_args_is_help=True)
