"""The states of a sub-order: which may follow which, and what a guarded UPDATE may name."""

from itertools import product

import pytest

from models.suborder import SUBORDER_TRANSITIONS, SubOrderState, states_before

EXPECTED = {
    "planned": "waiting_slot staging failed cancelled expired",
    "waiting_slot": "staging failed cancelled expired",
    "staging": "ready failed cancelled expired",
    "ready": "planned downloaded failed cancelled expired",
    "downloaded": "planned cancelled expired",
    "failed": "planned cancelled expired",
    "cancelled": "",
    "expired": "",
}


@pytest.mark.parametrize(("before", "after"), list(product(SubOrderState, SubOrderState)))
def test_a_state_follows_another_exactly_as_written_here(before: SubOrderState, after: SubOrderState) -> None:
    follows = after.value in EXPECTED[before.value].split()
    assert (after in SUBORDER_TRANSITIONS[before]) == follows
    assert (before in states_before(after)) == follows


def test_every_state_can_be_reached_from_planned() -> None:
    reached: set[SubOrderState] = set()
    todo = {SubOrderState.PLANNED}
    while todo:
        state = todo.pop()
        reached.add(state)
        todo |= SUBORDER_TRANSITIONS[state] - reached
    assert reached == set(SubOrderState)


def test_nothing_is_downloaded_that_was_not_ready() -> None:
    assert states_before(SubOrderState.DOWNLOADED) == {SubOrderState.READY}
    assert states_before(SubOrderState.READY) == {SubOrderState.STAGING}
