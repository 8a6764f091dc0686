"""The policies of activities, and the table that operators are given of them."""

import re
from pathlib import Path

import pytest

from workflows import policies
from workflows.policies import ActivityPolicy

POLICIES = {name: policy for name, policy in vars(policies).items() if isinstance(policy, ActivityPolicy)}
PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
SECONDS = {"s": 1, "min": 60, "h": 3_600, "days": 86_400}


def documented() -> dict[str, list[str]]:
    """The cells of each policy: one attempt, heartbeat, attempts, waits."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ") and "(`" in line]
    return {name: cells for step, *cells in rows for name in re.findall(r"\(`([A-Z]+)`\)", step)}


def in_seconds(cell: str) -> float | None:
    """What a cell says in seconds; a dash says that there is no such limit."""
    number, _, unit = cell.partition(" ")
    return int(number) * SECONDS[unit] if unit else None


@pytest.mark.parametrize("name", POLICIES)
def test_operators_read_how_long_and_how_often_each_step_is_tried(name: str) -> None:
    policy, (attempt, heartbeat, attempts, _) = POLICIES[name], documented()[name]
    assert in_seconds(attempt) == policy.start_to_close.total_seconds()
    assert in_seconds(heartbeat) == (policy.heartbeat and policy.heartbeat.total_seconds())
    assert attempts == str(policy.retry.maximum_attempts or "for ever")


def test_no_policy_is_documented_that_there_is_none_of() -> None:
    assert documented().keys() == POLICIES.keys()
