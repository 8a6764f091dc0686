"""What the Temporal UI shows of an order, as text."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.errors import Failure, FailureCode, Fault
from models.messages import BlockerNote, SubOrderBrief, SubOrderResult
from models.order import OrderStatus
from models.remedies import CONFIRM_PAYMENT, REMEDIES
from models.status_facts import Actor
from models.suborder import SubOrderState
from workflows.details import BlockedStep, OrderPicture, PartsProgress, order_details, suborder_summary

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
BRIEFS = {n: SubOrderBrief(number=n, sku="scenes", files=2, bytes=1_000) for n in (1, 2)}
READY = {1: SubOrderResult(number=1, state=SubOrderState.READY, available=2, failed=0)}
FULL = Failure(code=FailureCode.DESTINATION_FULL, text="the folder has no room for it (ENOSPC)")


def shown(status: OrderStatus, **order: Any) -> list[str]:
    return order_details(OrderPicture("CO-2026-000042", status, NOON, LATER, **order)).splitlines()


def blocked(number: int, step: str, failure: Failure, who: Actor | None = None) -> dict[int, BlockedStep]:
    return {number: BlockedStep(BlockerNote(number=number, step=step, failure=failure, who=who), LATER)}


def test_each_sub_order_begun_has_a_line_that_needs_no_columns_to_be_read() -> None:
    assert shown(OrderStatus.PROVISIONING, briefs=BRIEFS, results=READY) == [
        "**CO-2026-000042** is **provisioning** since 2026-07-01 12:00:00 UTC.",
        "",
        "* part 1 · scenes · 2 files · 1.0 kB · **ready**",
        "* part 2 · scenes · 2 files · 1.0 kB · **staging**",
    ]


def test_how_far_an_order_is_and_how_long_the_rest_takes_is_said() -> None:
    progress = PartsProgress(12, 4, 10_000, 4_000, begun_at=NOON, bytes_before=1_000)
    said = "**40 %** of 10.0 kB · 4 of 12 parts settled, 1 being made · 7 not begun · about 2 min left"
    lines = shown(OrderStatus.PROVISIONING, briefs=BRIEFS, results=READY, progress=progress)
    assert lines[2] == f"{said} (as of 12:01:00 UTC)"


def test_nobody_guesses_before_anything_has_settled() -> None:
    progress = PartsProgress(12, 0, 10_000, 0, begun_at=NOON)
    assert "left" not in "".join(shown(OrderStatus.PROVISIONING, progress=progress))


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.EXPIRED])
def test_nothing_is_ready_or_being_read_of_a_closed_order(status: OrderStatus) -> None:
    lines = shown(status, briefs=BRIEFS, results=READY)
    assert [line.rpartition(" ")[2] for line in lines[2:]] == [f"**{status}**"] * 2


def test_of_very_many_sub_orders_the_first_fifty_are_shown() -> None:
    briefs = {n: SubOrderBrief(number=n, sku="scenes", files=2, bytes=1_000) for n in range(1, 61)}
    assert shown(OrderStatus.PROVISIONING, briefs=briefs)[-2:] == ["", "… and 10 more."]


def test_what_is_tried_again_is_said_of_the_order_and_of_each_part_with_who_can_act_and_how() -> None:
    lines = shown(OrderStatus.PROVISIONING, briefs=BRIEFS, blockers=blocked(1, "delivering", FULL, Actor.OPERATOR))
    said = "delivering part 1 is tried again by itself, because the folder has no room for it (ENOSPC)"
    assert lines[2] == f"**Waits for operator** since 2026-07-01 12:01:00 UTC: {said} (destination_full)."
    assert lines[4] == f"**Next:** {REMEDIES[FailureCode.DESTINATION_FULL]}"
    alone = shown(OrderStatus.VALIDATING, blockers=blocked(0, "validating", FULL))
    assert "**Waits for customer** since 2026-07-01 12:01:00 UTC: validating is tried again" in alone[2]


def test_an_order_that_waits_for_somebody_says_for_whom_and_since_when() -> None:
    said = "**Waits for operator** since 2026-07-01 12:00:00 UTC: The payment is not confirmed yet. (payment)"
    assert shown(OrderStatus.PENDING_PAYMENT)[2:5] == [said, "", f"**Next:** {CONFIRM_PAYMENT}"]


def test_a_failed_order_says_why_with_every_fault_and_what_to_do() -> None:
    failure = Failure(code=FailureCode.SOURCE_MISSING, text="a.tif is not there; and 29 more faults")
    faults = [Fault(field=f"f{n}.tif", code="source_missing", text="is *not* there") for n in range(30)]
    lines = shown(OrderStatus.FAILED, failure=failure, faults=faults, expires_at=LATER)
    assert lines[2] == "**Failed:** a.tif is not there; and 29 more faults (source_missing)."
    assert lines[3] == r"* f0.tif: is \*not\* there (source_missing)"
    assert lines[23:26] == ["* … and 10 more.", "", f"**Next:** {REMEDIES[FailureCode.SOURCE_MISSING]}"]
    assert "It is kept until 2026-07-01 12:01:00 UTC." in lines


def test_a_part_says_why_files_of_it_failed_and_an_order_with_warnings_what_to_do() -> None:
    gone = Failure(code=FailureCode.SOURCE_MISSING, text="*a.tif* is not there")
    results = {n: READY[1].model_copy(update={"number": n, "failed": 1, "failure": gone}) for n in BRIEFS}
    lines = shown(OrderStatus.FULFILLED_WITH_WARNINGS, briefs=BRIEFS, results=results, expires_at=LATER)
    why = r"**ready, 1 file failed**: \*a.tif\* is not there (source_missing)"
    assert [line.split(" · ")[-1] for line in lines if line.startswith("* ")] == [why] * 2
    assert [line for line in lines if "Next" in line] == [
        f"**Next** (source_missing): {REMEDIES[FailureCode.SOURCE_MISSING]}"
    ]
    assert "Next" not in "".join(shown(OrderStatus.PROVISIONING, briefs=BRIEFS, results=results))


def test_every_failure_has_its_remedy() -> None:
    assert set(REMEDIES) == set(FailureCode)


def test_names_and_sentences_of_others_are_text_and_no_markdown() -> None:
    brief = SubOrderBrief(number=1, sku="![](//evil.example)", files=1, bytes=1_000)
    wrong = Failure(code=FailureCode.SOURCE_MISSING, text="**a.tif** is not there")
    lines = shown(
        OrderStatus.PROVISIONING, briefs={1: brief}, blockers=blocked(1, "staging", wrong), refused="*cannot*"
    )
    assert r"because \*\*a.tif\*\* is not there" in lines[2]
    assert lines[6] == r"* part 1 · !\[\](//evil.example) · 1 file · 1.0 kB · **staging**"
    assert lines[8] == r"**Last refused:** \*cannot\*"
    assert r"!\[\]" in suborder_summary("CO-2026-000042", brief)
