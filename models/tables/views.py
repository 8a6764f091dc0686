"""Saved views: lists of orders that people come back to."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.tables.base import INSTANT, new_id


class SavedView(SQLModel, table=True):
    """Filter, sort and columns of a list under a name, its owner's own or shared among operators."""

    __tablename__ = "saved_views"
    __table_args__ = (
        sa.Index("uq_saved_views_owner_folded_name", "owner", sa.text("folded(name)"), unique=True),
        sa.Index("ix_saved_views_shared", "name", postgresql_where=sa.text("shared")),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    owner: str = Field(sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)
    filter: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    sort: str = Field(sa_type=sa.Text)
    columns: list[str] = Field(default_factory=list, sa_type=JSONB)
    shared: bool = Field(default=False)
    created_at: datetime = Field(sa_type=INSTANT)
