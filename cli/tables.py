"""How orders look on a terminal."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from models.labels import counted, size_in_words


def show(*parts: RenderableType) -> None:
    """Print to the terminal, or as plain text into a pipe."""
    console = Console(width=None if Console().is_terminal else 160)
    for part in parts:
        console.print(part)


def progress_bar(quiet: bool) -> Progress:
    """A progress bar on stderr; nothing at all in a pipe or when quiet."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)


def say(bar: Progress, line: str) -> None:
    """Print a line above a progress bar, on stderr."""
    bar.console.print(line, markup=False, highlight=False, soft_wrap=True)


def orders_table(orders: Sequence[Any], *, narrowed: bool) -> RenderableType:
    """One line an order; `narrowed` if not all of them were asked for."""
    if not orders and narrowed:
        return Text("No order matches.")
    if not orders:
        return Text("No orders yet. Place one with `consignor order place --product SKU`.")
    table = _table("number", "status", "delivery", "files", "size", "errors", "label", "created (UTC)")
    for order in orders:
        progress = order["progress"]
        table.add_row(
            order["number"],
            order["status"],
            order["delivery_status"],
            str(progress["files_total"]),
            size_in_words(progress["bytes_total"]),
            str(progress["files_failed"]),
            Text(order["label"]),
            order["created_at"][:19].replace("T", " "),
        )
    return table


def suborders_estimated(suborders: Sequence[Any]) -> RenderableType:
    """How an order would be cut."""
    table = _table("part", "product", "tier", "objects", "files", "size")
    for part in suborders:
        counts = str(part["objects"]), str(part["files"]), size_in_words(part["bytes"])
        table.add_row(str(part["number"]), Text(part["product"]), part["tier"], *counts)
    return table


def order_page(order: Any) -> None:
    """An order with its sub-orders and its timeline."""
    progress = order["progress"]
    head = Text.assemble((order["number"], "bold"), f"  {order['label']}\n", f"id        {order['id']}\n")
    head.append(f"status    {order['status']} ({order['delivery_status']})\n")
    head.append(
        f"progress  {progress['percent']} %, {progress['files_available']} of {progress['files_total']} files,"
        f" {progress['files_failed']} failed, {size_in_words(progress['bytes_total'])}\n"
    )
    if price := price_in_words(order):
        head.append(f"price     {price}\n")
    for line in warnings_in_words(order):
        head.append(f"{line}\n", "yellow")
    if waiting := order["waiting_on"]:
        since, who = instant(waiting["since"]), waiting["who"]
        head.append(f"waiting   {waiting['code']} since {since}, for {who}: {waiting['text']}\n")
        if waiting["step"]:
            head.append(f"          {retried_in_words(waiting)}\n")
    if order["expires_at"]:
        head.append(f"expires   {instant(order['expires_at'])}\n")
    if order["refund_due"]:
        head.append(f"refund    {order['refund_due']} {order['currency']} due\n", "red")
    if failure := order["failure"]:
        head.append(f"failure   {failure['code']}: {failure['text']}\n", "red")
    for fault in order["faults"] if len(order["faults"]) > 1 else []:
        head.append(f"          {fault['code']}: {fault['text']}\n")
    show(head)
    if order["suborders"]:
        show(_suborders(order["suborders"]))
    if order["destination"]:
        show(_deliveries(order["destination"], order["deliveries"]))
    if order["failed_files"]:
        show(_failed_files(order["failed_files"]))
    show(_timeline(order["timeline"]))


def instant(text: str) -> str:
    """An instant of the API's to the second, in UTC."""
    return f"{text[:19].replace('T', ' ')} UTC"


def price_in_words(order: Any) -> str:
    """What an order costs, as in `37.50 EUR`; nothing where it is free."""
    return f"{order['total_price']} {order['currency']}" if Decimal(order["total_price"]) else ""


def warnings_in_words(order: Any) -> list[str]:
    """What was left out of an order or an estimate, and what has another price, a line each."""
    lines = [f"warning: {warning['text']}" for warning in order["warnings"]]
    more = order["warnings_total"] - len(lines)
    return [*lines, f"warning: and {more:,} more"] if more > 0 else lines


def retried_in_words(waiting: Any) -> str:
    """What is tried again by itself, how often it was, and when it is next."""
    part = f" part {waiting['suborder']}" if waiting["suborder"] else ""
    times = counted(waiting["attempts"], "attempt")
    following = f", the next at {instant(waiting['next_try_at'])}" if waiting["next_try_at"] else ""
    return f"{waiting['step']}{part}: {times} so far{following}"


def _suborders(suborders: Sequence[Any]) -> Table:
    table = _table("part", "product", "state", "files", "failed", "archive", title="Sub-orders")
    for s in suborders:
        archive = size_in_words(s["archive_bytes"]) if s["archive_bytes"] else ""
        table.add_row(str(s["number"]), s["product"], s["state"], str(s["files"]), str(s["files_failed"]), archive)
    return table


def _deliveries(destination: str, deliveries: Sequence[Any]) -> Table:
    table = _table("part", "state", "where", "why", title=f"Deliveries to {destination}")
    for d in deliveries:
        why = d["failure"]["text"] if d["failure"] else d["waiting_on"]["text"] if d["waiting_on"] else ""
        table.add_row(str(d["suborder"]), d["state"], Text(d["location"] or ""), Text(why))
    return table


def _failed_files(files: Sequence[Any]) -> Table:
    table = _table("#", "part", "file", "code", "why", title="Failed files")
    for file in files:
        name, failure = f"{file['object']}/{file['name']}", file["failure"]
        table.add_row(str(file["seq"]), str(file["suborder"]), Text(name), failure["code"], Text(failure["text"]))
    return table


def _timeline(rows: Sequence[Any]) -> Table:
    table = _table("#", "when (UTC)", "what", "status", "who", "why", title="Timeline")
    for row in rows:
        what = row["what"].replace("_", " ") + (f" {row['suborder']}" if row["suborder"] else "")
        table.add_row(
            str(row["sequence"]),
            row["at"][:23],
            what,
            row["status_after"],
            row["actor"],
            Text(row["reason_text"] or ""),
        )
    return table


def bulks_table(bulks: Sequence[Any]) -> RenderableType:
    """One line a bulk."""
    if not bulks:
        return Text("No bulks yet. Begin with `consignor order bulk ACTION --dry-run`.")
    counts = ("total", "done", "skipped", "failed", "pending")
    table = _table("id", "action", "state", *counts, "created")
    for bulk in bulks:
        numbers = (str(bulk[name]) for name in counts)
        table.add_row(bulk["id"], bulk["action"], bulk["state"], *numbers, bulk["created_at"][:19])
    return table


def bulk_orders_table(orders: Sequence[Any]) -> RenderableType:
    """One line an order of a bulk, or of its dry run."""
    table = _table("number", "id", "outcome", "why")
    for order in orders:
        why = order["text"] or (f"→ {order['label']}" if order.get("label") else "")
        table.add_row(order["number"] or "", order["order_id"], order["outcome"], Text(why))
    return table


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(*columns, title=title, box=None, title_justify="left", title_style="bold", header_style="dim")
    for column in table.columns:
        column.overflow = "fold"
    return table
