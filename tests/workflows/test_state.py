"""What an order workflow knows of its order, and what the next run is given of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from models.errors import IllegalTransition, NotExtended
from models.messages import ContinuedState, Extension, OrderBrief
from models.order import FULFILLED, Command, OrderStatus
from workflows.state import REMEMBERED_IDS, OrderState

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ID = UUID(int=1)
S = OrderStatus


def opened(carried: ContinuedState | None = None, **known: Any) -> OrderState:
    """The state of an order of which PostgreSQL knows this."""
    state = OrderState(ID, since=NOW)
    brief = OrderBrief(**{"number": "CO-1", "status": S.FULFILLED, "version": 7, "is_free": True} | known)
    state.open(brief, carried, NOW)
    return state


def extension(at: datetime, *, is_operator: bool = False) -> Extension:
    return Extension(id="e", expires_at=at, actor="customer:ann", is_operator=is_operator)


def test_the_first_run_goes_on_from_what_postgresql_knows() -> None:
    state = opened(origin=S.VALIDATING, expires_at=NOW + DAY, reminded=True, failed_files=3, status_at=NOW - DAY)
    assert (state.status, state.version, state.since) == (S.FULFILLED, 7, NOW - DAY)
    assert (state.origin, state.expires_at, state.reminded) == (S.VALIDATING, NOW + DAY, True)
    assert (state.failed_files, state.reopen, state.handled_ids) == (3, None, ())


@pytest.mark.parametrize("reopen", [None, (), (3, 5)])
def test_the_next_run_knows_what_this_one_knew(reopen: tuple[int, ...] | None) -> None:
    state = opened(status=S.PROVISIONING)
    state.advance(Command.PAUSE, NOW)
    state.remember("c1")
    state.count_failed(2)
    state.expire_at(NOW + DAY)
    state.reminded, state.reopen = True, reopen
    later = opened(ContinuedState.model_validate_json(state.carried().model_dump_json()), status=S.PAUSED, version=8)
    assert later.carried() == state.carried()
    assert (later.origin, later.reopen, later.failed_files) == (S.PROVISIONING, reopen, 2)
    assert later.has_handled("c1")


def test_a_transition_that_the_table_forbids_changes_nothing() -> None:
    state = opened(status=S.PAUSED, origin=S.VALIDATING)
    before = state.carried()
    with pytest.raises(IllegalTransition):
        state.advance(Command.PAUSE, NOW + DAY)
    assert (state.status, state.since, state.carried()) == (S.PAUSED, NOW, before)
    assert state.advance(Command.RESUME, NOW + DAY) is S.PAUSED
    assert (state.status, state.origin, state.since) == (S.VALIDATING, S.PAUSED, NOW + DAY)


def test_the_newest_ids_are_remembered() -> None:
    state = opened()
    for number in range(REMEMBERED_IDS + 1):
        state.remember(f"c{number}")
    assert not state.has_handled("c0")
    assert state.has_handled("c1")
    assert state.has_handled(f"c{REMEMBERED_IDS}")


def test_never_fewer_than_no_files_have_failed() -> None:
    state = opened(failed_files=1)
    state.count_failed(-2)
    assert state.failed_files == 0


def test_a_new_expiry_is_reminded_of_again() -> None:
    state = opened(expires_at=NOW, reminded=True)
    assert state.renew_expiry(NOW) == state.expires_at == NOW + state.terms.keep_for
    assert not state.reminded


@pytest.mark.parametrize("status", OrderStatus)
def test_only_an_order_that_has_settled_can_be_extended(status: OrderStatus) -> None:
    state = opened(status=status)
    if status in FULFILLED | {S.FAILED}:
        state.check_extension(extension(NOW + DAY), NOW)
    else:
        with pytest.raises(NotExtended, match=f"cannot extend an order that is {status}"):
            state.check_extension(extension(NOW + DAY), NOW)


def test_an_extension_ends_in_the_future_and_a_customers_within_the_limit() -> None:
    state = opened()
    last = NOW + state.terms.max_extension
    state.check_extension(extension(last), NOW)
    state.check_extension(extension(last + DAY, is_operator=True), NOW)
    with pytest.raises(NotExtended, match="the latest end you may choose is 2026-07-31T12:00:00Z"):
        state.check_extension(extension(last + DAY), NOW)
    for is_operator in (False, True):
        with pytest.raises(NotExtended, match="in the past"):
            state.check_extension(extension(NOW, is_operator=is_operator), NOW)
