"""How orders look on a terminal."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Column, Table
from rich.text import Text

from cli.local_time import at, instant
from models.labels import counted, size_in_words
from models.text import shown

_SPACE = 2
"""The characters that a column has beside its cells."""
_WORD = 20
"""Characters of a word; for a longer one that has to be folded no column gives way."""
_IN_A_PIPE = 240
"""Wide enough that nothing is left out where no terminal sets a width."""


class Grid(Table):
    """A table without lines, whose cells are plain text: no markup, and nothing that a terminal would obey."""

    def __init__(
        self,
        *columns: str,
        title: str | None = None,
        right: int | None = None,
        whole: Collection[str] = (),
        cut: Mapping[str, int] | None = None,
        spare: Sequence[str] = (),
    ) -> None:
        """Name the columns; those from the `right`-th on hold numbers.

        Where the terminal is narrow, `whole` ones are never broken, `cut` ones end with an ellipsis (after that
        many characters at least), and others are folded; what still does not fit loses `spare` ones, in their order.
        """
        self._cut, self._spare = cut or {}, spare
        heading = None if title is None else Text(shown(title))
        super().__init__(title=heading, box=None, title_justify="left", title_style="bold", header_style="dim")
        for index, column in enumerate(columns):
            is_number = right is not None and index >= right
            self.add_column(column, justify="right" if is_number else "left", overflow="fold", no_wrap=column in whole)

    def add_cells(self, *cells: str) -> None:
        """Add a row."""
        self.add_row(*(self._text(str(column.header), cell) for column, cell in zip(self.columns, cells, strict=True)))

    def _text(self, name: str, cell: str) -> Text:
        is_cut = name in self._cut
        return Text(shown(cell), no_wrap=is_cut or None, overflow="ellipsis" if is_cut else None)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Leave out what does not fit, share what room there is, and draw the rest."""
        for name in self._spare:
            if sum(map(self._least, self.columns)) <= options.max_width:
                break
            self.columns = [column for column in self.columns if column.header != name]
        room = options.max_width - sum(map(self._least, self.columns))
        # Who wants little is given it, and the others share what is left.
        wishes = sorted(self.columns, key=lambda column: _longest(column) - self._least(column))
        for served, column in enumerate(wishes if room >= 0 else ()):
            least = self._least(column)
            given = min(_longest(column) - least, room // (len(wishes) - served))
            column.max_width, room = least + given - _SPACE, room - given
        for index, column in enumerate(self.columns):
            column._index = index
        return super().__rich_console__(console, options)

    def _least(self, column: Column) -> int:
        """The characters that a column asks for."""
        if column.no_wrap:
            return _longest(column)
        if at_least := self._cut.get(str(column.header)):
            return min(_longest(column), at_least + _SPACE)
        return min(_longest(column, str.split), _WORD + _SPACE)


def _longest(column: Column, pieces: Callable[[str], Iterable[str]] = lambda cell: [cell]) -> int:
    """The characters of the longest cell of a column, or of the longest piece of one."""
    cells = [str(column.header), *map(str, column.cells)]
    return _SPACE + max((cell_len(piece) for cell in cells for piece in pieces(cell)), default=0)


DEGRADED = "degraded  Temporal does not answer: nothing moves, and commands are refused until it does."


def show(*parts: RenderableType) -> None:
    """Print to the terminal, or as plain text into a pipe."""
    console = Console(width=None if Console().is_terminal else _IN_A_PIPE)
    for part in parts:
        console.print(part)


def orders_table(orders: Sequence[Any], *, narrowed: bool) -> RenderableType:
    """One line an order; `narrowed` if not all of them were asked for."""
    if not orders and narrowed:
        return Text("No order matches.")
    if not orders:
        return Text("No orders yet. Place one with `consignor order place --product SKU`.")
    of_others = any(order.get("customer") for order in orders)
    table = Grid(
        *("number", "status", "delivery", "files", "size", "errors", "label", "created"),
        *(("customer",) if of_others else ()),
        whole=("number", "status", "delivery", "files", "size", "errors", "created"),
        cut={"label": 12, "customer": 12},
        spare=("delivery", "errors", "files", "size", "label"),
    )
    for order in orders:
        progress = order["progress"]
        table.add_cells(
            order["number"],
            order["status"],
            order["delivery_status"],
            str(progress["files_total"]),
            size_in_words(progress["bytes_total"]),
            str(progress["files_failed"]),
            order["label"],
            at(order["created_at"]),
            *((customer_in_words(order["customer"]),) if of_others else ()),
        )
    return table


def customer_in_words(customer: Any) -> str:
    """Whose an order is: a name, else the id."""
    return str(customer["name"] or customer["id"])


def policy_in_words(order: Any) -> str:
    """The failure policy of an order, where it is not what all have that say nothing."""
    refuses = ["refuse it where something is missing"] if order["on_missing"] == "refuse" else []
    percent = order["max_failed_percent"]
    fails = [] if percent is None else [f"fail it where more than {percent:g} % of its files fail"]
    return ", ".join(refuses + fails)


def suborders_estimated(suborders: Sequence[Any]) -> RenderableType:
    """How an order would be cut."""
    table = Grid("part", "product", "tier", "objects", "files", "size")
    for part in suborders:
        counts = str(part["objects"]), str(part["files"]), size_in_words(part["bytes"])
        table.add_cells(str(part["number"]), part["product"], part["tier"], *counts)
    return table


def order_page(order: Any) -> None:
    """An order with its sub-orders and its timeline."""
    show(_head(order))
    if order["suborders"]:
        show(_suborders(order["suborders"]))
    if order["destination"]:
        show(_deliveries(order["destination"], order["deliveries"]))
    if order["failed_files"]:
        show(_failed_files(order["failed_files"]))
    show(_timeline(order["timeline"]))


def _head(order: Any) -> Text:
    """What an order is, how far it is, and what it waits for or has failed by."""
    progress = order["progress"]
    head = Text.assemble((shown(order["number"]), "bold"), shown(f"  {order['label']}"), "\n")
    _add_line(head, f"id        {order['id']}")
    if order.get("customer"):
        _add_line(head, f"customer  {customer_in_words(order['customer'])}")
    _add_line(head, f"status    {order['status']} ({order['delivery_status']})")
    _add_line(
        head,
        f"progress  {progress['percent']} %, {progress['files_available']} of {progress['files_total']} files,"
        f" {progress['files_failed']} failed, {size_in_words(progress['bytes_total'])}",
    )
    if price := price_in_words(order):
        _add_line(head, f"price     {price}")
        for line in price_parts_in_words(order):
            _add_line(head, f"          {line}")
    for line in warnings_in_words(order):
        _add_line(head, line, "yellow")
    if policy := policy_in_words(order):
        _add_line(head, f"policy    {policy}")
    if order["degraded"]:
        _add_line(head, DEGRADED, "yellow")
    if waiting := order["waiting_on"]:
        since, who = instant(waiting["since"]), waiting["who"]
        _add_line(head, f"waiting   {waiting['code']} since {since}, for {who}: {waiting['text']}")
        if waiting["step"]:
            _add_line(head, f"          {retried_in_words(waiting)}")
    if order["expires_at"]:
        _add_line(head, f"expires   {instant(order['expires_at'])}")
    if order["refund_due"]:
        _add_line(head, f"refund    {order['refund_due']} {order['currency']} due", "red")
    if failure := order["failure"]:
        _add_line(head, f"failure   {failure['code']}: {failure['text']}", "red")
    for fault in order["faults"] if len(order["faults"]) > 1 else []:
        _add_line(head, f"          {fault['code']}: {fault['text']}")
    return head


def _add_line(page: Text, line: str, style: str = "") -> None:
    page.append(shown(line), style).append("\n")


def price_in_words(order: Any) -> str:
    """What an order costs, as in `37.50 EUR`; nothing where all of it is free."""
    costs = Decimal(order["total_price"]) or Decimal(order["subtotal"])
    return f"{order['total_price']} {order['currency']}" if costs else ""


def price_parts_in_words(order: Any) -> list[str]:
    """What the price of an order or an estimate is made of, a line each; nothing where it is its lines alone."""
    if not order["discounts"] and not order["taxes"]:
        return []
    kind = "included" if order["tax_included"] else "on top"
    return [
        f"subtotal {order['subtotal']}",
        *(f"{part['name']}: -{part['amount']}" for part in order["discounts"]),
        *(f"{part['name']} {part['percent']} % of {part['base']}: {part['amount']}, {kind}" for part in order["taxes"]),
    ]


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


def _suborders(suborders: Sequence[Any]) -> Grid:
    names = ("part", "product", "state", "files", "failed", "archive")
    table = Grid(*names, title="Sub-orders", whole=set(names) - {"product"})
    for s in suborders:
        archive = size_in_words(s["archive_bytes"]) if s["archive_bytes"] else ""
        table.add_cells(str(s["number"]), s["product"], s["state"], str(s["files"]), str(s["files_failed"]), archive)
    return table


def _deliveries(destination: str, deliveries: Sequence[Any]) -> Grid:
    table = Grid("part", "state", "where", "why", title=f"Deliveries to {destination}", whole=("part", "state"))
    for d in deliveries:
        why = d["failure"]["text"] if d["failure"] else d["waiting_on"]["text"] if d["waiting_on"] else ""
        table.add_cells(str(d["suborder"]), d["state"], d["location"] or "", why)
    return table


def _failed_files(files: Sequence[Any]) -> Grid:
    table = Grid("#", "part", "file", "code", "why", title="Failed files", whole=("#", "part", "code"))
    for file in files:
        name, failure = f"{file['object']}/{file['name']}", file["failure"]
        table.add_cells(str(file["seq"]), str(file["suborder"]), name, failure["code"], failure["text"])
    return table


def files_table(files: Sequence[Any]) -> Grid:
    """One line a file of an order."""
    table = Grid("#", "part", "file", "size", "state", "why", whole=("#", "part", "size", "state"))
    for file in files:
        why = f"{file['failure']['code']}: {file['failure']['text']}" if file["failure"] else ""
        name = f"{file['object']}/{file['name']}"
        table.add_cells(str(file["seq"]), str(file["suborder"]), name, size_in_words(file["size"]), file["state"], why)
    return table


def _timeline(rows: Sequence[Any]) -> Grid:
    table = Grid(
        *("#", "when", "what", "status", "who", "why"),
        title="Timeline",
        whole=("#", "when", "status"),
        cut={"who": 8},
        spare=("#", "who"),
    )
    for row in rows:
        what = row["what"].replace("_", " ") + (f" {row['suborder']}" if row["suborder"] else "")
        table.add_cells(
            str(row["sequence"]),
            at(row["at"]),
            what,
            row["status_after"],
            row.get("actor_name") or row["actor"],
            row["reason_text"] or "",
        )
    return table


def bulks_table(bulks: Sequence[Any]) -> RenderableType:
    """One line a bulk."""
    if not bulks:
        return Text("No bulks yet. Begin with `consignor order bulk ACTION --dry-run`.")
    counts = ("total", "done", "skipped", "failed", "pending")
    names = ("id", "action", "state", *counts, "created")
    table = Grid(*names, whole=names, spare=("created", "pending", "skipped", "failed", "done"))
    for bulk in bulks:
        numbers = (str(bulk[name]) for name in counts)
        table.add_cells(bulk["id"], bulk["action"], bulk["state"], *numbers, at(bulk["created_at"]))
    return table


def bulk_orders_table(orders: Sequence[Any], *, dry_run: bool = False) -> RenderableType:
    """One line an order of a bulk, or of its dry run."""
    names = ("number", "id", "outcome")
    table = Grid(*names, "why", whole=names, spare=("id",))
    for order in orders:
        why = order["text"] or (f"→ {order['label']}" if order.get("label") else "")
        outcome = "would be done" if dry_run and order["outcome"] == "done" else order["outcome"]
        # Of an order that is not there the id is all that is known, and is shown in the narrowest terminal, too.
        table.add_cells(order["number"] or order["order_id"], order["order_id"], outcome, why)
    return table
