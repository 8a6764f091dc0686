"""`consignor order …`: a line for each command, in the order of its help."""

import typer

from cli.lazy import group_of

_COMMANDS = {
    "place": "cli.commands.order_place:place",
    "show": "cli.commands.order_show:show",
    "download": "cli.commands.order_download:download",
    **{
        name: f"cli.commands.order_change:{name.replace('-', '_')}"
        for name in ("pause", "resume", "cancel", "retry", "submit", "confirm-payment", "restart", "extend")
    },
    "links": "cli.commands.order_links:links",
    "metalink": "cli.commands.order_links:metalink",
    "delete": "cli.commands.order_change:delete",
    "purge": "cli.commands.order_change:purge",
    "estimate": "cli.commands.order_estimate:estimate_order",
    "list": "cli.commands.order_list:list_orders",
    "export": "cli.commands.order_list:export_orders",
    "bulk": "cli.commands.bulk:bulk_orders",
    "label": "cli.commands.order_notes:label_order",
    "note": "cli.commands.order_notes:write_note",
    "notes": "cli.commands.order_notes:list_notes",
}

app = typer.Typer(cls=group_of(_COMMANDS), help="Place, watch and download orders.", no_args_is_help=True)
