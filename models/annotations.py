"""The rules of what people write on orders: tags and notes."""

from collections.abc import Sequence
from enum import StrEnum

from models.errors import Fault
from models.text import is_printable, is_trimmed

MAX_TAGS = 20
MAX_TAG_CHARACTERS = 50
MAX_NOTES = 500
MAX_NOTE_CHARACTERS = 4_000


class Visibility(StrEnum):
    """Who may read a note: the order's customer and operators, or operators alone."""

    CUSTOMER = "customer"
    OPERATORS = "operators"


def tag_faults(tags: Sequence[str]) -> list[Fault]:
    """Everything wrong with the tags of an order."""
    faults = []
    if len(tags) > MAX_TAGS:
        text = f"an order has at most {MAX_TAGS} tags; these are {len(tags)}"
        faults.append(Fault(field="tags", code="too_many_tags", text=text))
    for index, tag in enumerate(tags[:MAX_TAGS]):
        if len(tag) > MAX_TAG_CHARACTERS or not is_trimmed(tag):
            text = f"a tag has 1 to {MAX_TAG_CHARACTERS} visible characters and no blank at either end"
            faults.append(Fault(field=f"tags/{index}", code="tag_unreadable", text=text))
    return faults


def note_faults(text: str) -> list[Fault]:
    """Everything wrong with the text of a note."""
    if len(text) > MAX_NOTE_CHARACTERS:
        why = f"a note has at most {MAX_NOTE_CHARACTERS:,} characters; this one has {len(text):,}: write two"
        return [Fault(field="text", code="note_too_long", text=why)]
    if not text.strip() or not all(is_printable(char) or char in "\n\t" for char in text):
        why = "a note needs a visible character, and has no control characters but line ends and tabs"
        return [Fault(field="text", code="note_unreadable", text=why)]
    return []
