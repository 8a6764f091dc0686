"""The running API against its document, a little of what `make fuzz` does in full: every phase, as three people."""

from collections.abc import Iterator, Mapping

import pytest

from tests.api.fuzzing.running import fuzzed
from tests.programs import dev_stack

MANY = 5
"""Fewer requests than that, and the run has not taken place."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mapping[str, str], str]]:
    """A dev stack: how commands find it, and the address of its API."""
    data = tmp_path_factory.mktemp("fuzz") / "data"
    with dev_stack(data) as said:
        yield {"CONSIGNOR_DATA": str(data)}, said["api"]


@pytest.mark.parametrize(
    ("person", "phases", "tags"),
    [
        ("alice", "coverage", ["orders", "commands"]),
        ("alice", "examples", []),
        ("bob", "fuzzing", []),
        ("admin", "stateful", ["orders", "identity", "destinations", "bulks"]),
    ],
)
def test_whatever_is_asked_is_answered_as_the_document_says(
    stack: tuple[Mapping[str, str], str], person: str, phases: str, tags: list[str]
) -> None:
    where, api = stack
    only = [word for tag in tags for word in ("--include-tag", tag)]
    outcome = fuzzed(where, api, person, 1, "--phases", phases, *only)
    assert outcome.passed, outcome.printed
    assert outcome.cases > MANY
