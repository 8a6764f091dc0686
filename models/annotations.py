"""The rules of what people write on orders: tags and notes."""

from collections.abc import Sequence
from enum import StrEnum

from models.errors import Fault
from models.text import folded, is_blank, refused_character, tidied

MAX_TAGS = 20
MAX_TAG_CHARACTERS = 50
MAX_NOTES = 500
MAX_WORDINGS = 100
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
        if reason := _why_no_tag(tidied(tag)):
            faults.append(Fault(field=f"tags/{index}", code="tag_unreadable", text=reason))
    return faults


def _why_no_tag(tag: str) -> str | None:
    if len(tag) > MAX_TAG_CHARACTERS:
        return f"a tag has at most {MAX_TAG_CHARACTERS} characters; this one has {len(tag)}"
    if is_blank(tag):
        return "a tag needs a visible character"
    why = refused_character(tag)
    return f"a tag cannot be kept as it is: {why}" if why else None


def distinct_tags(tags: Sequence[str]) -> list[str]:
    """Tidy tags and keep the first of those that compare as one."""
    distinct: dict[str, str] = {}
    for tag in map(tidied, tags):
        distinct.setdefault(folded(tag), tag)
    return list(distinct.values())


def note_faults(text: str) -> list[Fault]:
    """Everything wrong with the text of a note."""
    text = tidied(text, lines=True)
    if len(text) > MAX_NOTE_CHARACTERS:
        reason = f"a note has at most {MAX_NOTE_CHARACTERS:,} characters; this one has {len(text):,}: write two"
        return [Fault(field="text", code="note_too_long", text=reason)]
    if is_blank(text):
        return [Fault(field="text", code="note_unreadable", text="a note needs a visible character")]
    if why := refused_character(text, lines=True):
        return [Fault(field="text", code="note_unreadable", text=f"a note cannot be kept as it is: {why}")]
    return []
