"""What travels through Temporal: frozen, forward compatible, and the same on the other side."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.errors import Failure, Fault
from models.messages import (
    Message,
    OutboxEventMessage,
    Projection,
    TimelineEntry,
    new_order_workflow_id,
    order_workflow_id,
    suborder_workflow_id,
)

KINDS: list[type[Message]] = sorted(Message.__subclasses__(), key=lambda kind: kind.__name__)
ORDER = UUID("0198c0de-0000-7000-8000-000000000001")
LEAVES = st.none() | st.booleans() | st.integers() | st.text()
DETAILS = st.dictionaries(st.text(), st.recursive(LEAVES, st.lists, max_leaves=5), max_size=3)


# A fault's hint is for the words of the facade alone, and in no payload.
st.register_type_strategy(Fault, st.builds(Fault, field=st.text(), code=st.text(), text=st.text()))


def _any(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Any message of a kind, its optional fields filled too."""
    given_fields: dict[str, Any] = dict.fromkeys(kind.model_fields, ...)
    if kind in {TimelineEntry, OutboxEventMessage}:
        given_fields["details"] = DETAILS
    if kind is Projection:
        given_fields["entries"] = st.lists(_any(TimelineEntry), max_size=2).map(tuple)
    return st.builds(kind, **given_fields)


def test_the_messages_are_found() -> None:
    assert {"OrderInput", "Projection", "TimelineEntry", "SubOrderResult", "SettlementTotals"} <= {
        k.__name__ for k in KINDS
    }


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_message_arrives_as_it_was_sent_and_ignores_what_only_a_newer_version_knows(
    kind: type[Message], data: st.DataObject
) -> None:
    sent = data.draw(_any(kind))
    assert kind.model_validate_json(sent.model_dump_json()) == sent
    newer = {**sent.model_dump(mode="json"), "a_field_of_tomorrow": {"deep": [1]}}
    assert kind.model_validate(newer) == sent


@pytest.mark.parametrize("kind", [*KINDS, Failure, Fault])
@given(data=st.data())
def test_a_message_cannot_be_changed(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(_any(kind))
    for name in kind.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(message, name, getattr(message, name))


@pytest.mark.parametrize("kind", KINDS)
def test_no_message_is_a_list_of_files(kind: type[Message]) -> None:
    # `files` may be counted, never carried: a payload of a large order would burst the history.
    assert not {"hrefs", "paths", "file_ids"} & set(kind.model_fields)
    assert all(field.annotation is int for name, field in kind.model_fields.items() if name.startswith("files"))


def test_workflow_ids_show_whose_child_is_whose() -> None:
    old, new = order_workflow_id(ORDER, None), new_order_workflow_id("CO-2026-000018", ORDER)
    assert (old, new) == (f"order-{ORDER}", f"CO-2026-000018/{ORDER}")
    assert order_workflow_id(ORDER, new) == new
    assert suborder_workflow_id(old, 3) == f"order-{ORDER}/sub-3"
