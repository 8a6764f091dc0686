"""Why something cannot be ordered: the first reason of these, and none where it can."""

from dataclasses import replace

import pytest

from models.access import Caller, Role, Scope
from models.orderability import NotOrderable, why_not_orderable

ALICE = Caller("alice", groups=frozenset({"partners"}))


@pytest.mark.parametrize(
    ("caller", "groups", "files", "tiers", "why_not"),
    [
        (ALICE, [], 1, ["online"], None),
        (ALICE, ["partners", "staff"], 1, ["nearline", "online"], None),
        (None, [], 1, ["online"], NotOrderable.NOT_SIGNED_IN),
        (ALICE, ["staff"], 1, ["online"], NotOrderable.ACCESS_LIMITED),
        (replace(ALICE, scopes=frozenset({Scope.READ})), [], 1, ["online"], NotOrderable.ACCESS_LIMITED),
        (replace(ALICE, roles=frozenset({Role.SUPPORT})), [], 1, ["online"], NotOrderable.ACCESS_LIMITED),
        (replace(ALICE, roles=frozenset({Role.ADMIN})), ["staff"], 1, ["online"], None),
        (ALICE, [], 0, [], NotOrderable.NOTHING_ORDERABLE),
        (ALICE, [], 1, ["nearline"], NotOrderable.STORAGE_NOT_ALLOWED),
    ],
)
def test_who_cannot_order_what_is_told_why(
    caller: Caller | None, groups: list[str], files: int, tiers: list[str], why_not: NotOrderable | None
) -> None:
    ordered_from = ["online"] if why_not is NotOrderable.STORAGE_NOT_ALLOWED else None
    assert why_not_orderable(caller, groups, files=files, tiers=tiers, ordered_from=ordered_from) is why_not
