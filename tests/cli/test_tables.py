"""How tables look where the terminal is narrow: what names an order is whole, and a row is a line."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console, RenderableType

from cli.commands.catalog_search import _items_table
from cli.tables import _timeline, bulk_orders_table, bulks_table, orders_table
from models.labels import default_label
from models.order import OrderStatus

ID = "01a1fdf9-fa6e-7335-8140-63c16dc8d58c"
CREATED = datetime(2026, 11, 29, 0, 4, 8, tzinfo=UTC)
NUMBER = "CO-2026-000042"
LONGEST = max((str(status.value) for status in OrderStatus), key=len)


def drawn(table: RenderableType, width: int = 80) -> list[str]:
    """The lines of a table on a terminal."""
    console = Console(width=width)
    with console.capture() as captured:
        console.print(table)
    lines = captured.get().splitlines()
    assert all(len(line) <= width for line in lines)
    return lines


def order(**changed: Any) -> dict[str, Any]:
    progress = {"files_total": 12_345, "bytes_total": 10**12, "files_failed": 12}
    known = {"number": NUMBER, "status": LONGEST, "delivery_status": "Waiting user download", "progress": progress}
    return known | {"label": default_label(CREATED), "created_at": CREATED.isoformat()} | changed


@pytest.mark.parametrize("more", [{}, {"customer": {"name": None, "id": ID}}], ids=["own", "of others"])
@pytest.mark.parametrize("status", [LONGEST, "fulfilled"])
def test_an_order_is_one_line_in_eighty_columns(more: dict[str, Any], status: str) -> None:
    orders = [order(status=status, **more), order(status=status, label="L" * 50, **more)]
    heading, *lines = drawn(orders_table(orders, narrowed=False))
    assert len(lines) == len(orders)
    for line in lines:
        assert line.split()[:2] == [NUMBER, status]
        assert f"{CREATED.astimezone():%Y-%m-%d %H:%M:%S}" in line
    assert ("customer" in heading) == bool(more)
    assert "label" in heading or (more and status == LONGEST)


def test_a_wide_terminal_has_every_column_and_every_label_whole() -> None:
    heading, line = drawn(orders_table([order(customer={"name": "Ada", "id": ID})], narrowed=False), 160)
    assert heading.split() == [
        "number",
        "status",
        "delivery",
        "files",
        "size",
        "errors",
        "label",
        "created",
        "customer",
    ]
    assert default_label(CREATED) in line


def test_a_timeline_breaks_no_status_and_no_id_in_eighty_columns() -> None:
    row = {"sequence": 3, "at": CREATED.isoformat(), "suborder": None, "actor": ID, "reason_text": "as he has asked"}
    rows: Sequence[Any] = [
        row | {"what": "payment_confirmed", "status_after": "payment_confirmed"},
        row | {"what": "fulfilled_with_warnings", "status_after": LONGEST},
    ]
    _, heading, *lines = drawn(_timeline(rows))
    assert heading.split()[-1] == "why"
    text = "\n".join(lines)
    assert "payment_confirmed" in text
    assert LONGEST in text
    assert "confirmed " in text, "words are whole where there is room for them"
    assert "01a1fdf" in text
    assert ID[-12:] not in text, "an id is cut, and goes on in no other line"


def test_what_is_found_keeps_the_heading_of_its_box_or_leaves_it_out() -> None:
    box = "west,south,east,north"
    own = {"datetime": CREATED.isoformat(), "consignor:files": 12, "consignor:bytes": 10**9}
    found = {"collection": "scenes", "id": "world", "bbox": [-179.1, -89.1, 179.1, 89.1], "properties": own}
    heading, line = drawn(_items_table([found]))
    assert box in heading
    assert "-179.1,-89.1,179.1,89.1" in line
    long = found | {"collection": "S2_MSI_L2A_of_the_north", "id": "S2A_MSIL2A_20261129T105421_N0511_R051_T31TCJ"}
    heading, *_ = drawn(_items_table([long]))
    assert box not in heading
    assert "time" in heading


def test_a_dry_run_says_what_would_be_done() -> None:
    done = {"number": NUMBER, "order_id": ID, "outcome": "done", "text": None}
    gone = {"number": None, "order_id": ID, "outcome": "skipped", "text": "order not found"}
    lines = drawn(bulk_orders_table([done, gone], dry_run=True))
    assert "would be done" in lines[1]
    assert any(ID in line for line in lines), "an order that is not there is named, too"
    assert "would" not in " ".join(drawn(bulk_orders_table([done])))


def test_the_id_of_a_bulk_is_whole_in_eighty_columns() -> None:
    counts = dict.fromkeys(("total", "done", "skipped", "failed", "pending"), 1000)
    bulk = {"id": ID, "action": "cancel", "state": "cancelled", "created_at": CREATED.isoformat(), **counts}
    lines = drawn(bulks_table([bulk]))
    assert len(lines) == 2
    assert ID in lines[1]
