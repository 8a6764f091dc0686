"""The names a person gives to or reads of an order: its label, its number, its size in words."""

from datetime import datetime
from typing import TYPE_CHECKING

from models.text import is_blank, refused_character, tidied

if TYPE_CHECKING:
    from models.errors import Fault

MAX_LABEL_CHARACTERS = 50


def default_label(now: datetime) -> str:
    """The label of an order whose customer gave none."""
    return f"Order of {now:%Y/%m/%d at %H:%M:%S}"


def numbered(label: str, count: int) -> str:
    """The label with a number behind it, within the limit, for when the plain one is taken."""
    tail = f" ({count})"
    return tidied(label[: MAX_LABEL_CHARACTERS - len(tail)]) + tail


def label_faults(label: str, *, field: str = "label") -> "list[Fault]":
    """Everything wrong with a label a customer chose."""
    # Imported only now: whoever prints words of an order needs no errors.
    from models.errors import Fault

    label = tidied(label)
    if len(label) > MAX_LABEL_CHARACTERS:
        text = f"a label has at most {MAX_LABEL_CHARACTERS} characters; this one has {len(label)}"
        return [Fault(field=field, code="label_too_long", text=text)]
    if is_blank(label):
        text = "a label needs a visible character; leave it out for a default"
        return [Fault(field=field, code="label_unreadable", text=text)]
    if why := refused_character(label):
        return [Fault(field=field, code="label_unreadable", text=f"a label cannot be kept as it is: {why}")]
    return []


def order_number(year: int, serial: int) -> str:
    """The number people read out, as in CO-2026-000042."""
    return f"CO-{year}-{serial:06d}"


def size_in_words(size_bytes: int) -> str:
    """A size for people, in decimal units, as in 14.4 MB."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    value = float(size_bytes)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} PB"


def counted(count: int, noun: str) -> str:
    """A count with its noun, as in “1 file” and “12,000 files”."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
