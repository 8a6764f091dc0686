"""The tables of notes on orders, with their earlier wordings."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from models.annotations import Visibility
from models.tables.base import INSTANT, new_id, one_of


class Note(SQLModel, table=True):
    """What somebody has written about an order, in its present wording."""

    __tablename__ = "notes"
    __table_args__ = (one_of("visibility", Visibility), sa.Index("ix_notes_order_id", "order_id", "id"))

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    order_id: UUID = Field(foreign_key="orders.id", ondelete="CASCADE")
    author: str = Field(sa_type=sa.Text)
    visibility: str = Field(sa_type=sa.Text)
    text: str = Field(sa_type=sa.Text)
    written_at: datetime = Field(sa_type=INSTANT)
    edited_at: datetime | None = Field(default=None, sa_type=INSTANT)


class NoteWording(SQLModel, table=True):
    """What a note said before it was edited, and who could read that."""

    __tablename__ = "note_wordings"

    note_id: UUID = Field(primary_key=True, foreign_key="notes.id", ondelete="CASCADE")
    sequence: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    visibility: str = Field(sa_type=sa.Text)
    text: str = Field(sa_type=sa.Text)
    written_at: datetime = Field(sa_type=INSTANT)
