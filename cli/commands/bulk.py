"""`consignor order bulk` and `consignor bulk …`: one action for many orders, and what became of each."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.commands.common import Json, Yes, confirm, the_api, waiting_needs_reading
from cli.commands.order_list import (
    After,
    Before,
    Customer,
    Failures,
    Label,
    NotStatus,
    Product,
    Search,
    Status,
    Waiting,
    filters,
)
from cli.terminal import say, say_json

if TYPE_CHECKING:
    from cli.api_client import Api

app = typer.Typer(help="Watch and cancel bulks: one action for many orders.", no_args_is_help=True)

BulkId = Annotated[UUID, typer.Argument(metavar="ID", help="The bulk's id.")]


class Action(StrEnum):
    """What may be done to many orders."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    DELETE = "delete"
    LABEL = "label"
    EXPORT = "export"


def bulk_orders(
    action: Annotated[Action, typer.Argument(help="What to do.")],
    orders: Annotated[
        list[str] | None, typer.Argument(metavar="[ORDER]...", help="Ids or numbers of orders, instead of a filter.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All orders you may see; needs --expected.")] = False,
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    expected: Annotated[int | None, typer.Option(min=0, help="How many orders it must be.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept on the timelines.")] = None,
    new_label: Annotated[
        str | None, typer.Option("--new-label", help="For `label`; knows {label}, the old one, and {number}.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="For `export`: a CSV.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it has come to its end.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Cancel, pause, resume, retry, delete, label or export many orders, by ids or by filter.

    Exits with 0 if the bulk was accepted and, with --wait, no order failed and nobody cancelled it; with 1 otherwise;
    with 2 on wrong usage. Orders that are skipped are no failure: a dry run tells of them beforehand.
    """
    chosen = filters(
        search, status, not_status, product, customer, label, failure, created_after, created_before, waiting
    )
    if sum((bool(orders), bool(chosen), everything)) != 1:
        raise typer.BadParameter("name orders, or give a filter, or --all", param_hint="ORDER")
    if (new_label is not None) != (action is Action.LABEL):
        raise typer.BadParameter("it goes with `label`, and with nothing else", param_hint="--new-label")
    if action is Action.EXPORT and output is None and not dry_run:
        raise typer.BadParameter("name the file to write to", param_hint="--output")
    body: dict[str, Any] = {"action": action.value, "dry_run": dry_run, "expected": expected}
    body |= {k: v for k, v in {"reason": reason, "label": new_label}.items() if v is not None}
    with the_api() as api:
        body |= {"ids": [_id_of(api, key) for key in orders]} if orders else {"filter": chosen}
        if dry_run:
            return _dry_run(api, body, as_json)
        if action is Action.EXPORT and output is not None:
            size = api.save("/orders:bulk", output, method="POST", body=body)
            return say(f"saved {output} ({size:,} bytes)")
        if action is Action.DELETE:
            confirm("Delete these orders? Nobody can download them then.", yes=yes)
        with waiting_needs_reading(wait):
            bulk = api.post("/orders:bulk", body)
        if wait:
            bulk = _wait(api, bulk["id"], quiet=as_json)
        _show(api, bulk, as_json)
    if wait and (bulk["failed"] or bulk["cancelled_at"]):
        raise typer.Exit(1)
    return None


@app.command("list")
def list_bulks(as_json: Json = False) -> None:
    """List the newest bulks."""
    from cli.tables import bulks_table, show

    with the_api() as api:
        found = api.get("/bulks")["items"]
    if as_json:
        return say_json(found)
    return show(bulks_table(found))


@app.command("show")
def show_bulk(
    bulk_id: BulkId,
    outcome: Annotated[
        list[str] | None, typer.Option("--outcome", help="done, skipped, failed or pending; repeat for several.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a bulk, and what became of each of its orders."""
    from cli.tables import bulk_orders_table, show

    with the_api() as api:
        bulk = api.get(f"/bulks/{bulk_id}")
        orders = list(api.items(f"/bulks/{bulk_id}/orders", outcome=outcome))
    if as_json:
        return say_json(bulk | {"orders": orders})
    say(_line(bulk))
    return show(bulk_orders_table(orders))


@app.command("cancel")
def cancel_bulk(bulk_id: BulkId, as_json: Json = False) -> None:
    """Have a bulk stop before its next order; what it has done stays."""
    with the_api() as api:
        bulk = api.post(f"/bulks/{bulk_id}/cancel")
    if bulk is None:
        return say(f"{bulk_id}  cancelled")
    if as_json:
        return say_json(bulk)
    return say(_line(bulk))


def _id_of(api: "Api", key: str) -> str:
    """The id of an order; of one that is not there too, which the bulk then skips."""
    try:
        return str(UUID(key))
    except ValueError:
        return str(api.order(key)["id"])


def _dry_run(api: "Api", body: Any, as_json: bool) -> None:
    """Print what would be done, order by order."""
    from cli.tables import bulk_orders_table, show

    found, *others = api.pages("/orders:bulk", method="POST", body=body)
    found["items"] += [item for page in others for item in page["items"]]
    del found["next_cursor"]
    if as_json:
        return say_json(found)
    show(bulk_orders_table(found["items"], dry_run=True))
    reasons = "".join(f", {count} {code}" for code, count in found["reasons"].items())
    return say(f"would {found['action']} {found['done']} of {found['total']}, skip {found['skipped']}{reasons}")


def _wait(api: "Api", bulk_id: str, *, quiet: bool) -> Any:
    """The bulk when it has ended; on a terminal with a bar."""
    from cli.outages import Patience
    from cli.progress import progress_bar, say_above
    from models.text import shown

    with progress_bar(quiet) as bar:
        task = bar.add_task("", total=100)
        api.patience = Patience(lambda line: say_above(bar, line))
        return api.wait_for(
            f"/bulks/{bulk_id}",
            lambda bulk: bulk["finished_at"] is not None,
            lambda bulk: bar.update(
                task, description=shown(f"{bulk['action']} {bulk['state']}"), completed=bulk["percent"]
            ),
        )


def _show(api: "Api", bulk: Any, as_json: bool) -> None:
    from cli.tables import bulk_orders_table, show

    if as_json:
        return say_json(bulk)
    say(_line(bulk), f"id {bulk['id']}")
    if not (bulk["skipped"] or bulk["failed"]):
        return None
    page = api.get(f"/bulks/{bulk['id']}/orders", outcome=["failed", "skipped"])
    show(bulk_orders_table(page["items"]))
    if page["next_cursor"]:
        say(f"the others: consignor bulk show {bulk['id']}")
    return None


def _line(bulk: Any) -> str:
    counts = ", ".join(f"{bulk[name]} {name}" for name in ("done", "skipped", "failed", "pending"))
    why = f" ({bulk['stopped_why']})" if bulk.get("stopped_why") else ""
    return f"{bulk['action']}  {bulk['state']}{why}  {bulk['total']} orders: {counts}"
