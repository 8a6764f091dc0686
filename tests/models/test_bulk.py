"""What a bulk does with an order: what the lifecycle table allows, less for a cancel; and labels from templates."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bulk import (
    BulkCommand,
    BulkState,
    acts_in,
    command_of,
    is_distinct,
    labelled,
    skipped,
    state_of,
    template_faults,
)
from models.labels import label_faults
from models.order import BULK_CANCELLABLE, Command, OrderStatus, allowed_actions

PAIRS = [(c, s) for c, s in product(BulkCommand, OrderStatus) if c is not BulkCommand.LABEL]


@pytest.mark.parametrize(("command", "status"), PAIRS)
def test_a_bulk_does_what_the_table_allows_but_for_a_cancel(command: BulkCommand, status: OrderStatus) -> None:
    allowed = Command(command.value) in allowed_actions(status)
    if command is BulkCommand.CANCEL:
        allowed = status in BULK_CANCELLABLE
    said = skipped(command, status)
    assert (said is None) == allowed == (status in acts_in(command))
    if said is not None:
        assert status in said.text


def test_a_cancel_that_the_table_allows_says_that_it_is_too_late_for_a_bulk() -> None:
    said = {status: skipped(BulkCommand.CANCEL, status) for status in OrderStatus}
    codes = {status.value for status, why in said.items() if why and why.code == "under_way"}
    assert codes == {"payment_confirmed", "validating", "provisioning", "paused", "failed"}


@pytest.mark.parametrize("command", BulkCommand)
def test_where_one_may_not_it_does_not_matter_what_the_table_says(command: BulkCommand) -> None:
    assert {why.code for s in OrderStatus if (why := skipped(command, s, may=False))} == {"forbidden"}


def test_every_order_that_is_there_can_be_labelled_and_none_is_asked_for_it() -> None:
    assert acts_in(BulkCommand.LABEL) == frozenset(OrderStatus) - {OrderStatus.DELETED}
    assert command_of(BulkCommand.LABEL) is None
    assert all(command_of(c) == Command(c.value) for c in BulkCommand if c is not BulkCommand.LABEL)


@pytest.mark.parametrize(
    ("started", "cancelled", "finished", "state"),
    [
        (False, False, False, BulkState.WAITING),
        (True, False, False, BulkState.RUNNING),
        (False, True, False, BulkState.CANCELLING),
        (True, True, False, BulkState.CANCELLING),
        (True, True, True, BulkState.CANCELLED),
        (True, False, True, BulkState.FINISHED),
    ],
)
def test_the_state_follows_from_what_has_happened(
    started: bool, cancelled: bool, finished: bool, state: BulkState
) -> None:
    assert state_of(started=started, cancelled=cancelled, finished=finished) is state


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{Label}", "label_placeholder_unknown"),
        ("{}", "label_placeholder_unknown"),
        ("x" * 51, "label_too_long"),
        ("x" * 31 + "{number}", "label_too_long"),
        ("  ", "label_unreadable"),
        ("a\n{number}", "label_unreadable"),
    ],
)
def test_a_template_that_gives_no_good_labels_is_refused(template: str, code: str) -> None:
    assert [(fault.field, fault.code) for fault in template_faults(template)] == [("label", code)]


@pytest.mark.parametrize(
    ("template", "label"),
    [
        ("Winter {number}", "Winter CO-2026-000042"),
        ("{label} (old)", "first {number} (old)"),
        ("same", "same"),
        ("{number}: {label}", "CO-2026-000042: first {number}"),
    ],
)
def test_a_template_is_filled_once_also_where_the_old_label_looks_like_one(template: str, label: str) -> None:
    assert template_faults(template) == []
    assert labelled(template, label="first {number}", number="CO-2026-000042") == label


@given(st.text(max_size=60), st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=50))
def test_a_template_without_faults_gives_labels_without_faults(template: str, old: str) -> None:
    if not template_faults(template):
        assert label_faults(labelled(template, label=old, number="CO-2026-000042")) == []


def test_labels_are_only_distinct_with_something_of_the_order_in_them() -> None:
    assert [is_distinct(t) for t in ("a", "{number}", "a {label}")] == [False, True, True]
