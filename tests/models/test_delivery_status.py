"""What an order looks like to the one who waits: delivery status, progress, and whom it waits for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.delivery_status import (
    Machinery,
    RetriedStep,
    delivery_status,
    held_up,
    is_waiting_for_user,
    progress,
    waiting_on,
)
from models.destination import DestinationKind
from models.errors import DESTINATION_FAILURES, Failure, FailureCode
from models.order import OrderStatus
from models.status_facts import Actor, DeliveryStatus
from models.steps import Step
from models.suborder import SubOrderState

SINCE = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
WORDS = {
    "draft": "Pending",
    "pending_payment": "Pending",
    "payment_confirmed": "Pending",
    "validating": "Running",
    "provisioning": "Running",
    "paused": "Paused",
    "fulfilled": "Done",
    "fulfilled_with_warnings": "Done with warning",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "expired": "Expired",
    "deleted": "Deleted",
}


@pytest.mark.parametrize("status", OrderStatus)
def test_every_status_has_its_word_and_waiting_for_the_user_goes_first(status: OrderStatus) -> None:
    assert delivery_status(status, waiting_for_user=False).value == WORDS[status.value]
    assert delivery_status(status, waiting_for_user=True) is DeliveryStatus.WAITING_USER_DOWNLOAD


@given(st.text(), st.booleans())
def test_a_status_of_a_newer_version_is_unknown(status: str, waiting: bool) -> None:
    known = status in WORDS
    assert (delivery_status(status, waiting_for_user=waiting) is DeliveryStatus.UNKNOWN) == (not known)


@pytest.mark.parametrize(
    ("status", "suborders", "waits"),
    [
        ("fulfilled", {"ready": 1}, True),
        ("fulfilled", {"ready": 1, "downloaded": 3}, True),
        ("fulfilled", {"downloaded": 3}, False),
        ("fulfilled_with_warnings", {"ready": 1, "failed": 2}, True),
        ("provisioning", {"ready": 2, "waiting_slot": 1}, True),
        ("provisioning", {"ready": 1, "waiting_slot": 1, "staging": 1}, False),
        ("provisioning", {"ready": 1, "planned": 1}, False),
        ("provisioning", {"ready": 2}, False),
        ("provisioning", {"waiting_slot": 2}, False),
        ("paused", {"ready": 1, "waiting_slot": 1}, False),
        ("failed", {"ready": 1}, False),
        ("expired", {"ready": 1}, False),
        ("fulfilled", {}, False),
    ],
)
def test_an_order_waits_for_its_user_when_only_a_download_moves_it(
    status: str, suborders: dict[str, int], waits: bool
) -> None:
    counts = {SubOrderState(state): count for state, count in suborders.items()}
    assert is_waiting_for_user(OrderStatus(status), counts) is waits


@given(st.data())
def test_progress_is_a_hundred_exactly_when_every_file_has_settled(data: st.DataObject) -> None:
    files_total = data.draw(st.integers(0, 10**9))
    available = data.draw(st.integers(0, files_total))
    failed = data.draw(st.integers(0, files_total - available))
    bytes_total = data.draw(st.integers(0, 2**60))
    shown = progress(
        bytes_settled=data.draw(st.integers(0, bytes_total)),
        bytes_total=bytes_total,
        files_available=available,
        files_failed=failed,
        files_total=files_total,
    )
    assert (shown.percent == 100) == (0 < files_total == available + failed)
    assert 0 <= shown.percent <= 100


def test_progress_counts_bytes_and_where_there_are_none_files() -> None:
    half = progress(bytes_settled=50, bytes_total=200, files_available=1, files_failed=1, files_total=3)
    assert half.percent == 25
    empty = progress(bytes_settled=0, bytes_total=0, files_available=1, files_failed=1, files_total=4)
    assert empty.percent == 50
    last = progress(bytes_settled=200, bytes_total=200, files_available=1, files_failed=1, files_total=3)
    assert last.percent == 99.9


@pytest.mark.parametrize("status", OrderStatus)
def test_a_standing_order_says_who_can_move_it(status: OrderStatus) -> None:
    who = {"draft": "customer", "pending_payment": "operator", "paused": "customer", "failed": "operator"}
    found = waiting_on(status, waiting_for_user=False, is_free=False, since=SINCE)
    if status.value not in who:
        assert found is None
        return
    assert found is not None
    assert (found.who.value, found.since) == (who[status.value], SINCE)
    assert found.text.endswith(".")


def test_an_order_that_costs_nothing_waits_for_no_payment() -> None:
    assert waiting_on(OrderStatus.PENDING_PAYMENT, waiting_for_user=False, is_free=True, since=SINCE) is None


NOBODY_WORKS = Machinery(SINCE + timedelta(hours=1), workers_gone_at=SINCE + timedelta(minutes=5))
NO_TEMPORAL = Machinery(SINCE + timedelta(hours=1), temporal_gone_at=SINCE + timedelta(minutes=5))
ALL_THERE = Machinery(SINCE + timedelta(hours=1))


@pytest.mark.parametrize("status", ["pending_payment", "payment_confirmed", "validating", "provisioning"])
@pytest.mark.parametrize(("machinery", "code"), [(NOBODY_WORKS, "worker"), (NO_TEMPORAL, "temporal")])
def test_an_order_that_would_move_by_itself_waits_for_what_is_gone(
    status: str, machinery: Machinery, code: str
) -> None:
    found = waiting_on(OrderStatus(status), waiting_for_user=False, is_free=True, since=SINCE, machinery=machinery)
    assert found is not None
    assert (found.code, found.who, found.since) == (code, Actor.OPERATOR, SINCE + timedelta(minutes=5))


@pytest.mark.parametrize("status", ["draft", "paused", "failed", "fulfilled", "cancelled"])
def test_what_moves_by_nobody_but_people_waits_for_no_machine(status: str) -> None:
    def found(machinery: Machinery | None) -> object:
        waits = OrderStatus(status)
        return waiting_on(waits, waiting_for_user=False, is_free=True, since=SINCE, machinery=machinery)

    assert found(NOBODY_WORKS) == found(None)


@pytest.mark.parametrize(
    ("status", "waits"), [("pending_payment", True), ("payment_confirmed", True), ("validating", False)]
)
def test_a_status_that_takes_no_time_and_lasts_waits_for_a_worker(status: str, waits: bool) -> None:
    def found(machinery: Machinery) -> object:
        waiting = waiting_on(
            OrderStatus(status), waiting_for_user=False, is_free=True, since=SINCE, machinery=machinery
        )
        return waiting and waiting.code

    assert found(ALL_THERE) == ("worker" if waits else None)
    assert found(ALL_THERE._replace(now=SINCE + timedelta(seconds=1))) is None


def test_an_order_that_has_to_be_paid_waits_for_its_payment_whoever_works() -> None:
    found = waiting_on(
        OrderStatus.PENDING_PAYMENT, waiting_for_user=False, is_free=False, since=SINCE, machinery=NOBODY_WORKS
    )
    assert found is not None
    assert found.code == "payment"


def test_an_archive_that_was_lost_waits_for_a_retry() -> None:
    found = waiting_on(
        OrderStatus.FULFILLED_WITH_WARNINGS, waiting_for_user=False, is_free=True, since=SINCE, failed_parts=1
    )
    assert found is not None
    assert (found.code, found.who) == ("failed_files", Actor.OPERATOR)
    assert found.text == "Nothing can be had of 1 part: mend the files that failed, then retry the order."


@pytest.mark.parametrize("status", ["fulfilled", "fulfilled_with_warnings", "provisioning"])
def test_an_order_with_something_to_download_waits_for_its_customer(status: str) -> None:
    found = waiting_on(OrderStatus(status), waiting_for_user=True, is_free=True, since=SINCE)
    assert found is not None
    assert (found.code, found.who) == ("download", Actor.CUSTOMER)


@pytest.mark.parametrize("code", FailureCode)
@pytest.mark.parametrize("destination", [None, *DestinationKind])
def test_what_holds_an_order_up_is_told_with_who_can_act(
    code: FailureCode, destination: DestinationKind | None
) -> None:
    failure = Failure(code=code, text="the archive does not answer")
    blocker = held_up(RetriedStep(Step.STAGING, 1, failure, SINCE, 3, destination=destination))
    found = waiting_on(
        OrderStatus.PROVISIONING, waiting_for_user=False, is_free=True, since=datetime.now(UTC), blocker=blocker
    )
    assert found is not None
    assert (found.code, found.since) == (code, SINCE)
    assert found.text == "The archive does not answer; it is tried again by itself."
    assert (found.step, found.suborder, found.attempts) == ("staging", 1, 3)
    theirs = code in DESTINATION_FAILURES and destination is not DestinationKind.LOCAL
    ours = Actor.STORAGE if code is FailureCode.SOURCE_UNAVAILABLE else Actor.OPERATOR
    assert found.who is (Actor.CUSTOMER if theirs else ours)
