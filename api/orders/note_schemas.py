"""The bodies of notes, and how notes are shown."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas import Body
from models.annotations import MAX_NOTE_CHARACTERS, Visibility
from models.tables import Note, NoteWording

_Text = Annotated[str, Field(max_length=10 * MAX_NOTE_CHARACTERS)]
_READERS = "`operators` is for operators alone, `customer` for the order's customer too."


class NoteCreate(Body):
    """A note."""

    text: _Text = Field(description=f"At most {MAX_NOTE_CHARACTERS} characters; line ends and tabs are kept.")
    # Strict bodies take words for enums only where that is said.
    visibility: Annotated[Visibility, Field(strict=False, description=_READERS)] = Visibility.CUSTOMER


class NoteChange(Body):
    """A new wording of a note, for other readers where that is said."""

    text: _Text
    visibility: Annotated[Visibility, Field(strict=False, description=_READERS)] | None = None


class NoteWordingPublic(BaseModel):
    """What a note said before."""

    text: str
    visibility: Visibility
    written_at: datetime


class NotePublic(BaseModel):
    """A note."""

    id: UUID
    author: str
    visibility: Visibility
    text: str
    written_at: datetime
    edited_at: datetime | None


class NoteDetail(NotePublic):
    """A note with its earlier wordings, oldest first."""

    history: list[NoteWordingPublic]


class NotesPublic(BaseModel):
    """A page of the notes on an order that you may read, in the order they were written."""

    items: list[NotePublic]
    next_cursor: str | None


def note_public(note: Note) -> NotePublic:
    """A note as it is shown."""
    return NotePublic.model_validate(note, from_attributes=True)


def note_detail(note: Note, wordings: Iterable[NoteWording]) -> NoteDetail:
    """A note with what it said before."""
    history = [NoteWordingPublic.model_validate(row, from_attributes=True) for row in wordings]
    return NoteDetail(**note_public(note).model_dump(), history=history)
