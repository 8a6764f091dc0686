"""`consignor order list` and `order export`: the orders that match, on the terminal or in a file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.commands.common import Json, the_api
from cli.commands.completion import complete_product
from cli.terminal import say, say_json

Search = Annotated[
    str | None, typer.Option("--search", "-s", help="Words of id, number, label, customer or product; or has:errors.")
]
Status = Annotated[list[str] | None, typer.Option("--status", help="As in failed; repeat for several.")]
NotStatus = Annotated[list[str] | None, typer.Option("--not-status", help="Repeat for several.")]
Product = Annotated[
    list[str] | None,
    typer.Option("--product", help="SKU; repeat for several.", autocompletion=complete_product),
]
Customer = Annotated[list[str] | None, typer.Option("--customer", help="For operators; repeat for several.")]
Label = Annotated[str | None, typer.Option("--label", help="The whole label.")]
Failures = Annotated[
    list[str] | None, typer.Option("--failure", help="Failed by it, as in source_unavailable; repeat for several.")
]
After = Annotated[
    str | None,
    typer.Option(
        "--since", "--created-after", help="Created then or later; local, as in 2026-11-01 or 2026-11-01T12:30."
    ),
]
Before = Annotated[
    str | None,
    typer.Option("--until", "--created-before", help="Created before; a date alone is its end."),
]
Waiting = Annotated[bool | None, typer.Option("--waiting/--not-waiting", help="Whether it waits for a download.")]
Sort = Annotated[
    str, typer.Option("--sort", help="created_at, status_at, bytes, expires_at or number; a minus for descending.")
]


def list_orders(
    search: Search = None,
    status: Status = None,
    not_status: NotStatus = None,
    product: Product = None,
    customer: Customer = None,
    label: Label = None,
    failure: Failures = None,
    created_after: After = None,
    created_before: Before = None,
    waiting: Waiting = None,
    sort: Sort = "-created_at",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    as_json: Json = False,
) -> None:
    """List orders, newest first unless sorted otherwise; a narrow terminal shows fewer columns."""
    from cli.tables import DEGRADED, orders_table, show

    chosen = filters(
        search, status, not_status, product, customer, label, failure, created_after, created_before, waiting, sort
    )
    with the_api() as api:
        page = api.get("/orders", limit=limit, **chosen)
    if as_json:
        return say_json(page["items"])
    show(orders_table(page["items"], narrowed=bool(chosen.keys() - {"sort"})))
    total = f"{page['total'] - 1:,}+" if page["total_capped"] else f"{page['total']:,}"
    if page["next_cursor"]:
        say(f"{len(page['items'])} of {total}")
    if page["degraded"]:
        say(DEGRADED)
    return None


def export_orders(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="To write to; .csv or .jsonl says what.")],
    search: Search = None,
    status: Status = None,
    not_status: NotStatus = None,
    product: Product = None,
    customer: Customer = None,
    label: Label = None,
    failure: Failures = None,
    created_after: After = None,
    created_before: Before = None,
    waiting: Waiting = None,
    sort: Sort = "-created_at",
    bom: Annotated[bool, typer.Option("--bom", help="Begin a CSV with a byte order mark.")] = False,
) -> None:
    """Export every order that matches as CSV or JSON Lines."""
    kind = file.suffix.lower()
    if kind not in {".csv", ".jsonl"}:
        raise typer.BadParameter("the name must end in .csv or .jsonl", param_hint="FILE")
    chosen = filters(
        search, status, not_status, product, customer, label, failure, created_after, created_before, waiting, sort
    )
    with the_api() as api:
        chosen |= {"bom": True} if bom and kind == ".csv" else {}
        size = api.save(f"/orders{kind}", file, **chosen)
    say(f"saved {file} ({size:,} bytes)")


def filters(
    search: str | None,
    status: list[str] | None,
    not_status: list[str] | None,
    product: list[str] | None,
    customer: list[str] | None,
    label: str | None,
    failure: list[str] | None,
    created_after: str | None,
    created_before: str | None,
    waiting: bool | None,
    sort: str | None = None,
) -> dict[str, Any]:
    """The parameters of the API."""
    from cli.local_time import from_then, until_then

    given = {
        "q": search,
        "status": status,
        "status_not": not_status,
        "product": product,
        "customer": customer,
        "label": label,
        "failure": failure,
        "created_after": from_then(created_after) if created_after else None,
        "created_before": until_then(created_before) if created_before else None,
        "waiting_for_user": waiting,
        "sort": sort,
    }
    return {name: value for name, value in given.items() if value is not None and value != []}
