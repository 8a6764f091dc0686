"""Failures and refusals: each has its category, its status and a sentence."""

import re
from pathlib import Path

import pytest

import models.errors
from models.errors import (
    Failed,
    Failure,
    FailureCategory,
    FailureCode,
    Fault,
    IllegalTransition,
    InvalidOrder,
    Refusal,
    RefusalWithFaults,
    category_of,
)

CATEGORIES = {
    "capacity": "disk_full destination_full too_many_open_files out_of_memory source_busy",
    "configuration": (
        "unknown_id catalogue_changed nothing_to_order too_many_failed source_missing source_changed source_forbidden"
        " size_mismatch checksum_mismatch destination_refused"
    ),
    "infrastructure": (
        "source_unavailable destination_unavailable database_unavailable timed_out worker_lost workflow_ended internal"
    ),
}


def _refusals() -> set[type[Refusal]]:
    found, todo = set(), [Refusal]
    while todo:
        for kind in todo.pop().__subclasses__():
            found.add(kind)
            todo.append(kind)
    return found - {RefusalWithFaults}


@pytest.mark.parametrize("code", FailureCode)
def test_every_code_has_its_category_and_waits_only_where_waiting_helps(code: FailureCode) -> None:
    (category,) = (name for name, codes in CATEGORIES.items() if code.value in codes.split())
    failure = Failure(code=code, text="it went wrong")
    assert category_of(code).value == category == failure.category.value
    assert failure.retryable == (category != "configuration")


def test_the_handbook_lists_every_code_with_its_category() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    listed = re.findall(rf"^\| `(\w+)` \| ({'|'.join(FailureCategory)}) \|", text, re.MULTILINE)
    assert sorted(listed) == sorted((code.value, category_of(code).value) for code in FailureCode)


@pytest.mark.parametrize("category", FailureCategory)
def test_every_category_tells_at_least_three_failures_apart(category: FailureCategory) -> None:
    assert sum(category_of(code) is category for code in FailureCode) >= 3


def test_every_refusal_has_an_http_status_and_nothing_else_has() -> None:
    statuses = {kind: kind.http_status for kind in _refusals()}
    assert all(400 <= status < 500 or status == 503 for status in statuses.values())
    assert not hasattr(Failed, "http_status")


def test_every_error_is_imported_from_one_place() -> None:
    public = {kind.__name__ for kind in _refusals()} | {"Refusal", "RefusalWithFaults", "DomainError", "Failed"}
    assert public <= set(models.errors.__all__)


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in _refusals()]
    assert len(set(codes)) == len(codes)
    assert Refusal.code not in codes


def test_a_failure_travels_with_its_exception() -> None:
    failed = Failed(FailureCode.DISK_FULL, "the disk is full")
    assert failed.failure == Failure(code=FailureCode.DISK_FULL, text="the disk is full")
    assert str(failed) == "the disk is full"


def test_an_illegal_transition_names_what_would_be_allowed() -> None:
    refused = IllegalTransition("pause", "fulfilled", ["delete", "cancel"])
    assert str(refused) == "cannot pause an order that is fulfilled"
    assert refused.allowed == ["cancel", "delete"]


def test_an_invalid_order_tells_all_its_faults_in_one_sentence() -> None:
    faults = [Fault(field="a", code="x", text="no a"), Fault(field="b", code="y", text="no b")]
    refused = InvalidOrder(iter(faults))
    assert refused.faults == tuple(faults)
    assert str(refused) == "no a; no b"
