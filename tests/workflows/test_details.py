"""What the Temporal UI shows of an order, as text."""

import pytest

from models.errors import Failure, FailureCode
from models.messages import BlockerNote, SubOrderBrief, SubOrderResult
from models.order import OrderStatus
from models.suborder import SubOrderState
from workflows.details import order_details, suborder_summary

BRIEFS = {n: SubOrderBrief(number=n, sku="scenes", files=2, bytes=1_000) for n in (1, 2)}
READY = {1: SubOrderResult(number=1, state=SubOrderState.READY, available=2, failed=0)}


def test_each_sub_order_begun_has_a_line_that_needs_no_columns_to_be_read() -> None:
    assert order_details("CO-2026-000042", OrderStatus.PROVISIONING, BRIEFS, READY).splitlines() == [
        "**CO-2026-000042** is **provisioning**.",
        "",
        "* part 1 · scenes · 2 files · 1.0 kB · **ready**",
        "* part 2 · scenes · 2 files · 1.0 kB · **staging**",
    ]


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.EXPIRED])
def test_nothing_is_ready_or_being_read_of_a_closed_order(status: OrderStatus) -> None:
    lines = order_details("CO-2026-000042", status, BRIEFS, READY).splitlines()
    assert [line.rpartition(" ")[2] for line in lines[2:]] == [f"**{status}**"] * 2


def test_of_very_many_sub_orders_the_first_fifty_are_shown() -> None:
    briefs = {n: SubOrderBrief(number=n, sku="scenes", files=2, bytes=1_000) for n in range(1, 61)}
    assert order_details("CO-2026-000042", OrderStatus.PROVISIONING, briefs, {}).endswith("\n\n… and 10 more.")


def test_what_is_tried_again_is_said_of_the_order_and_of_each_part() -> None:
    full = Failure(code=FailureCode.DESTINATION_FULL, text="the folder has no room for it (ENOSPC)")
    notes = {1: BlockerNote(number=1, step="delivering", failure=full)}
    lines = order_details("CO-2026-000042", OrderStatus.PROVISIONING, BRIEFS, READY, notes).splitlines()
    said = "delivering part 1, because the folder has no room for it (ENOSPC) (destination_full)."
    assert lines[2] == f"**Tried again by itself:** {said}"
    alone = {0: BlockerNote(number=0, step="validating", failure=full)}
    assert "validating, because" in order_details("CO-2026-000042", OrderStatus.VALIDATING, {}, {}, alone)


def test_names_and_sentences_of_others_are_text_and_no_markdown() -> None:
    brief = SubOrderBrief(number=1, sku="![](//evil.example)", files=1, bytes=1_000)
    wrong = Failure(code=FailureCode.SOURCE_MISSING, text="**a.tif** is not there")
    notes = {1: BlockerNote(number=1, step="staging", failure=wrong)}
    lines = order_details("CO-2026-000042", OrderStatus.PROVISIONING, {1: brief}, {}, notes).splitlines()
    assert r"because \*\*a.tif\*\* is not there" in lines[2]
    assert lines[4] == r"* part 1 · !\[\](//evil.example) · 1 file · 1.0 kB · **staging**"
    assert r"!\[\]" in suborder_summary("CO-2026-000042", brief)
