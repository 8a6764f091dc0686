"""`consignor order …`: a line for each command, in the order of its help."""

import typer

from cli.lazy import group_of

_COMMANDS = {
    "place": "cli.commands.order_place:place",
    "estimate": "cli.commands.order_estimate:estimate_order",
    "list": "cli.commands.order_list:list_orders",
    "show": "cli.commands.order_show:show",
    "files": "cli.commands.order_show:list_files",
    "watch": "cli.commands.order_watch:watch",
    "wait": "cli.commands.order_watch:wait",
    "download": "cli.commands.order_download:download",
    **{
        name: f"cli.commands.order_change:{name.replace('-', '_')}"
        for name in (
            "pause",
            "resume",
            "cancel",
            "retry",
            "submit",
            "confirm-payment",
            "restart",
            "add-to-cart",
            "extend",
        )
    },
    "add-to-cart": "cli.commands.order_change:add_to_cart",
    "links": "cli.commands.order_links:links",
    "metalink": "cli.commands.order_links:metalink",
    "delete": "cli.commands.order_change:delete",
    "purge": "cli.commands.order_change:purge",
    "export": "cli.commands.order_list:export_orders",
    "bulk": "cli.commands.bulk:bulk_orders",
    "label": "cli.commands.order_notes:label_order",
    "note": "cli.commands.order_notes:write_note",
    "notes": "cli.commands.order_notes:list_notes",
}

app = typer.Typer(cls=group_of(_COMMANDS), help="Place, watch and download orders.", no_args_is_help=True)
