"""What statuses and states mean stands in one place, and every statement that changes one asks its table."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from models.order import OrderStatus
from models.queries import destinations, downloads, suborders
from models.status_facts import FILE_FACTS, ORDER_FACTS, RELEASABLE, SUBORDER_FACTS, sql_list
from models.suborder import FILE_TRANSITIONS, FileState, SubOrderState, file_states_before, states_before

ROOT = Path(__file__).parents[2]
FLOORS = ("cli", "api", "workflows", "activities", "services", "temporal", "storage", "database", "models")
TABLES = {"models/status_facts.py", "models/order.py", "models/suborder.py"}
KINDS = {"OrderStatus", "SubOrderState", "FileState"}
ORDER = UUID(int=7)
DIALECT = sa.create_mock_engine("postgresql+psycopg://", lambda *_: None)

SUBORDER_CHANGES = [
    (suborders.CLAIM, SubOrderState.STAGING),
    (suborders.REOPEN_FILES, SubOrderState.PLANNED),
    (downloads.SUBORDER_DOWNLOADED, SubOrderState.DOWNLOADED),
    (downloads.FILES_LOST, SubOrderState.FAILED),
    (destinations.mark_delivered(ORDER, 1, "etag"), SubOrderState.DOWNLOADED),
    *(
        (suborders.publish(ORDER, 1, 1, state=state, archive_bytes=None, etag=None), state)
        for state in (SubOrderState.READY, SubOrderState.FAILED)
    ),
]
FILE_CHANGES = [
    (suborders.SETTLE_FILES, FileState.AVAILABLE),
    (suborders.SETTLE_FILES, FileState.FAILED),
    (suborders.REOPEN_FILES, FileState.PENDING),
    (downloads.FILE_ARRIVED, FileState.DOWNLOADED),
    (downloads.SUBORDER_DOWNLOADED, FileState.DOWNLOADED),
    (downloads.FILES_LOST, FileState.FAILED),
    (destinations.mark_files_delivered(ORDER, 1), FileState.DOWNLOADED),
]
CHANGES = re.compile(r"(UPDATE (suborders|order_files)\b.*?)(?=\n    \), |\n    \)\n|RETURNING|$)", re.DOTALL)


def literals(tree: ast.AST) -> Iterator[ast.expr]:
    """Every display of two or more states or statuses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            members: list[ast.expr] = node.elts
        elif isinstance(node, ast.Dict):
            members = [key for key in node.keys if key is not None]
        else:
            continue
        if sum(_is_state(member) for member in members) > 1:
            yield node


def _is_state(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in KINDS


def update_of(statement: sa.ClauseElement, table: str, state: str) -> str:
    """The part of a statement that brings rows of a table into a state."""
    text = str(statement.compile(DIALECT, compile_kwargs={"literal_binds": True}))
    parts = [found[1] for found in CHANGES.finditer(text) if found[2] == table]
    (part,) = [part for part in parts if f"'{state}'" in part.partition("WHERE")[0] and re.search(r"\bstate\s*=", part)]
    return part


def sources_of(part: str) -> set[str]:
    """The states that an UPDATE names as those it may lead out of."""
    guards = re.findall(r"state IN \(([^)]*)\)", part.partition("WHERE")[2])
    return set(re.findall(r"'(\w+)'", " ".join(guards)))


def test_no_list_of_states_stands_outside_their_tables() -> None:
    paths = (path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
    found = {
        f"{name}: {ast.unparse(node)}"
        for path in paths
        if (name := path.relative_to(ROOT).as_posix()) not in TABLES
        for node in literals(ast.parse(path.read_text()))
    }
    assert found == set()


def test_every_status_and_state_has_its_row() -> None:
    assert (set(ORDER_FACTS), set(SUBORDER_FACTS), set(FILE_FACTS)) == (
        set(OrderStatus), set(SubOrderState), set(FileState),
    )  # fmt: skip


@pytest.mark.parametrize(("statement", "state"), SUBORDER_CHANGES)
def test_a_change_of_a_suborder_obeys_the_table(statement: sa.ClauseElement, state: SubOrderState) -> None:
    sources = sources_of(update_of(statement, "suborders", state))
    assert sources
    # What repeats itself may find its own state.
    assert sources - {state} <= states_before(state)


@pytest.mark.parametrize(("statement", "state"), FILE_CHANGES)
def test_a_change_of_a_file_obeys_the_table(statement: sa.ClauseElement, state: FileState) -> None:
    sources = sources_of(update_of(statement, "order_files", state))
    assert sources
    assert sources <= file_states_before(state)


@pytest.mark.parametrize("state", sorted(RELEASABLE))
def test_a_release_obeys_the_table(state: SubOrderState) -> None:
    assert RELEASABLE[state] <= states_before(state)


def test_no_other_statement_changes_a_state() -> None:
    modules = (path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
    texts = {path.relative_to(ROOT).as_posix(): path.read_text() for path in modules}
    changing = {name for name, text in texts.items() if re.search(r"UPDATE (suborders|order_files)\b", text)}
    built = {name for name, text in texts.items() if re.search(r"update\((SubOrder|OrderFile)\)", text)}
    assert changing == {"models/queries/suborders.py", "models/queries/downloads.py"}
    assert built == {"models/queries/suborders.py", "models/queries/destinations.py"}


FILES = {"pending": "available failed", "available": "downloaded failed", "downloaded": "failed", "failed": "pending"}


@pytest.mark.parametrize(("before", "after"), list(product(FileState, FileState)))
def test_a_state_of_a_file_follows_another_exactly_as_written_here(before: FileState, after: FileState) -> None:
    follows = after.value in FILES[before.value].split()
    assert (after in FILE_TRANSITIONS[before]) == (before in file_states_before(after)) == follows


def test_states_are_written_into_sql_in_the_order_of_their_definition() -> None:
    assert sql_list({SubOrderState.STAGING, SubOrderState.PLANNED}) == "'planned', 'staging'"
