"""The lifecycle, every status against every command and event, by a table written down a second time."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import IllegalTransition
from models.order import (
    BULK_CANCELLABLE,
    FULFILLED,
    TERMINAL,
    TRANSITIONS,
    Command,
    Event,
    OrderStatus,
    Outcome,
    Trigger,
    advance,
    allowed_actions,
    lifecycle_diagram,
    outcome,
    past_tense,
    settled_event,
)

TRIGGERS: list[Trigger] = [*Command, *Event]

# DESIGN §2, line by line: from, command or event, to. Deliberately in words, so that nothing is derived from the code.
EXPECTED = """
draft                   submit                pending_payment
draft                   cancel                cancelled
draft                   abandoned             cancelled
pending_payment         confirm_payment       payment_confirmed
pending_payment         cancel                cancelled
pending_payment         payment_timed_out     cancelled
payment_confirmed       started               validating
payment_confirmed       pause                 paused
payment_confirmed       cancel                cancelled
payment_confirmed       expired               expired
validating              validated             provisioning
validating              refused               failed
validating              pause                 paused
validating              cancel                cancelled
validating              expired               expired
provisioning            settled               fulfilled
provisioning            settled_with_failures fulfilled_with_warnings
provisioning            settled_failed        failed
provisioning            pause                 paused
provisioning            cancel                cancelled
provisioning            expired               expired
paused                  resume                BACK
paused                  cancel                cancelled
paused                  expired               expired
fulfilled               files_lost            fulfilled_with_warnings
fulfilled               expired               expired
fulfilled               delete                deleted
fulfilled_with_warnings retry                 provisioning
fulfilled_with_warnings expired               expired
fulfilled_with_warnings delete                deleted
failed                  retry                 BACK
failed                  cancel                cancelled
failed                  expired               expired
failed                  delete                deleted
cancelled               delete                deleted
expired                 delete                deleted
"""
ROWS = {(source, trigger): target for source, trigger, target in map(str.split, EXPECTED.strip().splitlines())}
WAYS_BACK = {
    ("paused", "resume"): {"payment_confirmed", "validating", "provisioning"},
    ("failed", "retry"): {"validating", "provisioning"},
}


def _came_from(status: OrderStatus) -> OrderStatus | None:
    """Some status that leads to this one."""
    return next((source for source, row in TRANSITIONS.items() if status in row.values()), None)


@pytest.mark.parametrize(("status", "trigger"), list(product(OrderStatus, TRIGGERS)))
def test_every_status_answers_every_trigger_as_the_design_says(status: OrderStatus, trigger: Trigger) -> None:
    key = (status.value, trigger.value)
    expected = ROWS.get(key)
    if expected is None:
        with pytest.raises(IllegalTransition) as refused:
            advance(status, trigger, origin=_came_from(status))
        assert str(refused.value) == f"cannot {trigger} an order that is {status}"
        commands = {command.value for command in Command}
        assert refused.value.allowed == sorted(t for source, t in ROWS if source == status and t in commands)
        return
    for origin in WAYS_BACK.get(key, {_came_from(status)}):
        given_origin = None if origin is None else OrderStatus(origin)
        assert advance(status, trigger, origin=given_origin) == (origin if expected == "BACK" else expected)


def test_the_expectation_names_only_what_there_is() -> None:
    assert {source for source, _ in ROWS} | {"deleted"} == {str(s) for s in OrderStatus}
    assert {trigger for _, trigger in ROWS} == {str(t) for t in TRIGGERS}
    assert not {str(c) for c in Command} & {str(e) for e in Event}


@pytest.mark.parametrize(("status", "trigger"), [("paused", "resume"), ("failed", "retry")])
def test_a_way_back_is_refused_where_nobody_knows_where_it_leads(status: str, trigger: str) -> None:
    with pytest.raises(IllegalTransition):
        advance(OrderStatus(status), Command(trigger), origin=None)


@pytest.mark.parametrize(("key", "origin"), [(k, o) for k in WAYS_BACK for o in OrderStatus if o not in WAYS_BACK[k]])
def test_a_way_back_leads_nowhere_the_order_cannot_have_been(key: tuple[str, str], origin: OrderStatus) -> None:
    status, trigger = key
    with pytest.raises(IllegalTransition):
        advance(OrderStatus(status), Command(trigger), origin=origin)


def test_every_status_can_be_reached_from_draft() -> None:
    todo: list[tuple[OrderStatus, OrderStatus | None]] = [(OrderStatus.DRAFT, None)]
    reached = set(todo)
    while todo:
        status, origin = todo.pop()
        for trigger in TRANSITIONS[status]:
            step = (advance(status, trigger, origin=origin), status)
            if step not in reached:
                reached.add(step)
                todo.append(step)
    assert {status for status, _ in reached} == set(OrderStatus)


def test_terminal_is_what_can_only_be_deleted() -> None:
    assert {str(s) for s in TERMINAL} == {"cancelled", "expired", "deleted"}
    assert TRANSITIONS[OrderStatus.DELETED] == {}


def test_a_pause_and_a_resume_change_nothing() -> None:
    for status in OrderStatus:
        if Command.PAUSE in allowed_actions(status):
            paused = advance(status, Command.PAUSE)
            assert advance(paused, Command.RESUME, origin=status) is status


@pytest.mark.parametrize("status", OrderStatus)
def test_allowed_actions_are_the_commands_of_the_table(status: OrderStatus) -> None:
    wanted = [command for command in Command if (status.value, command.value) in ROWS]
    assert list(allowed_actions(status)) == wanted


def test_a_bulk_cancel_touches_only_what_has_cost_nobody_anything() -> None:
    assert {str(s) for s in BULK_CANCELLABLE} == {"draft", "pending_payment"}
    assert all(Command.CANCEL in allowed_actions(status) for status in BULK_CANCELLABLE)


@given(st.data())
def test_an_order_settles_by_how_many_of_its_files_failed(data: st.DataObject) -> None:
    files = data.draw(st.integers(1, 10**9))
    failed = data.draw(st.integers(0, files))
    status = advance(OrderStatus.PROVISIONING, settled_event(files, failed))
    assert (status is OrderStatus.FULFILLED) == (failed == 0)
    assert (status is OrderStatus.FAILED) == (failed == files)
    assert (status is OrderStatus.FULFILLED_WITH_WARNINGS) == (0 < failed < files)


def test_the_outcome_is_one_word_for_each_status() -> None:
    by_outcome = {o: {str(s) for s in OrderStatus if outcome(s) is o} for o in Outcome}
    assert by_outcome[Outcome.SUCCEEDED] == {"fulfilled", "fulfilled_with_warnings"} == {str(s) for s in FULFILLED}
    assert by_outcome[Outcome.FAILED] == {"failed", "cancelled", "expired", "deleted"}


def test_the_past_tense_of_every_command_and_event_is_known() -> None:
    assert {str(c): past_tense(c) for c in Command} == {
        "submit": "submitted",
        "confirm_payment": "payment_confirmed",
        "pause": "paused",
        "resume": "resumed",
        "cancel": "cancelled",
        "retry": "retried",
        "delete": "deleted",
    }
    assert [past_tense(e) for e in Event] == [e.value for e in Event]
    assert len({past_tense(t) for t in TRIGGERS}) == len(TRIGGERS)


def test_the_diagram_shows_every_row_of_the_table_and_no_other() -> None:
    shown = set()
    for line in lifecycle_diagram().splitlines()[1:]:
        arrow, _, triggers = line.strip().partition(": ")
        source, target = arrow.split(" --> ")
        shown |= {(source, trigger, target) for trigger in triggers.split(", ") if trigger}
    wanted = set()
    for (source, trigger), target in ROWS.items():
        ends = WAYS_BACK[source, trigger] if target == "BACK" else {target}
        wanted |= {(source, trigger, end) for end in ends}
    assert shown == wanted
