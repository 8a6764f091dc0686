"""What is wrong with an order, in the words of the shell: commands and no routes."""

import pytest

from cli.hints import fault_in_words

BODY = {"items": [{"product": "scenes"}, {"product": "maps", "objects": ["m1", "m99"]}]}


@pytest.mark.parametrize(
    ("code", "field", "command"),
    [
        ("unknown_id", "items/0/product", "catalog list"),
        ("unknown_id", "items/1/objects/1", "catalog objects maps"),
        ("unknown_id", "items/1", "catalog list"),
        ("unknown_id", "delivery/destination", "destination list"),
        ("nothing_to_order", "items", "catalog list"),
    ],
)
def test_a_fault_names_the_command_that_helps(code: str, field: str, command: str) -> None:
    words = fault_in_words({"code": code, "field": field, "text": "it is not there"}, BODY)
    assert words == f"{field}: it is not there; look it up with `consignor {command}`"


@pytest.mark.parametrize("field", ["label", "items/0/objects", "files/0"])
def test_a_fault_without_a_remedy_in_the_shell_is_only_told(field: str) -> None:
    words = fault_in_words({"code": "label_too_long", "field": field, "text": "it is too long"}, None)
    assert words == f"{field}: it is too long"
