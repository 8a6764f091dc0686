"""What administrators do to what everybody shares: who, when, and what was different before."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.tables.base import INSTANT, new_id


class AdminAct(SQLModel, table=True):
    """One act on one subject, such as a product; it is written with what it changes and never again.

    `changes` has what was before and what is after by the name of each attribute. No key to the subject: the act is
    kept when that is gone.
    """

    __tablename__ = "admin_acts"
    __table_args__ = (sa.Index("ix_admin_acts_of_subject", "kind", "subject", sa.text("id DESC")),)

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    at: datetime = Field(sa_type=INSTANT)
    actor: str = Field(sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)
    subject: str = Field(sa_type=sa.Text)
    changes: dict[str, Any] = Field(sa_type=JSONB)
