"""Downloads that are under way."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from models.tables.base import INSTANT, new_id


class Download(SQLModel, table=True):
    """A download under way; `seen_at` moves while it lives, so that a crash leaves none open for ever."""

    __tablename__ = "downloads"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"], ["suborders.order_id", "suborders.number"], ondelete="CASCADE"
        ),
        sa.Index("ix_downloads_suborder", "order_id", "suborder"),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    order_id: UUID
    suborder: int
    seen_at: datetime = Field(sa_type=INSTANT)
