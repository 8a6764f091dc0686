"""Queries for notes on orders, as far as a reader may see them."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from models.annotations import Visibility
from models.tables import Note, NoteWording


def notes_of(order_id: UUID, *, operator: bool, after: UUID | None = None, limit: int | None = None) -> sa.Select[Note]:
    """The notes on an order, in the order they were written, or a page of them behind `after`."""
    query = sa.select(Note).where(col(Note.order_id) == order_id)
    if not operator:
        query = query.where(col(Note.visibility) == Visibility.CUSTOMER)
    if after is not None:
        query = query.where(col(Note.id) > after)
    return query.order_by(col(Note.id)).limit(limit)


def note(order_id: UUID, note_id: UUID, *, operator: bool) -> sa.Select[Note]:
    """One note on an order."""
    return notes_of(order_id, operator=operator).where(col(Note.id) == note_id)


def notes_counted(order_id: UUID) -> sa.Select[int]:
    """How many notes an order has, for all readers."""
    return sa.select(sa.func.count()).select_from(Note).where(col(Note.order_id) == order_id)


def wordings_of(note_id: UUID, *, operator: bool) -> sa.Select[NoteWording]:
    """What a note said before, oldest first; what was for operators alone stays so."""
    query = sa.select(NoteWording).where(col(NoteWording.note_id) == note_id)
    if not operator:
        query = query.where(col(NoteWording.visibility) == Visibility.CUSTOMER)
    return query.order_by(col(NoteWording.sequence))


def last_wording(note_id: UUID) -> sa.Select[int]:
    """The number of the last of them; 0 if the note was never edited."""
    last = sa.func.coalesce(sa.func.max(NoteWording.sequence), 0)
    return sa.select(last).where(col(NoteWording.note_id) == note_id)
