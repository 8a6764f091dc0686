"""The bytes of archives and files that have arrived at customers, and the outbox of events about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB
from sqlmodel import Field, SQLModel

from models.tables.base import INSTANT, new_id


class ArchiveCoverage(SQLModel, table=True):
    """The bytes of an archive that have arrived; those of an archive of another ETag do not count."""

    __tablename__ = "archive_coverage"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"], ["suborders.order_id", "suborders.number"], ondelete="CASCADE"
        ),
    )

    order_id: UUID = Field(primary_key=True)
    suborder: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    etag: str = Field(sa_type=sa.Text)
    covered: Any = Field(sa_type=INT8MULTIRANGE)


class FileCoverage(SQLModel, table=True):
    """The bytes of a single file that have arrived; the row goes when the file is whole."""

    __tablename__ = "file_coverage"
    __table_args__ = (
        sa.ForeignKeyConstraint(["order_id", "seq"], ["order_files.order_id", "order_files.seq"], ondelete="CASCADE"),
    )

    order_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    covered: Any = Field(sa_type=INT8MULTIRANGE)


class OutboxEvent(SQLModel, table=True):
    """What has happened to a sub-order and its workflow has yet to record (the outbox); delivery deletes the row."""

    __tablename__ = "notices"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"], ["suborders.order_id", "suborders.number"], ondelete="CASCADE"
        ),
        sa.Index("ix_notices_order", "order_id"),
        sa.Index("ix_notices_oldest", "at"),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    order_id: UUID
    suborder: int
    what: str = Field(sa_type=sa.Text)
    at: datetime = Field(sa_type=INSTANT)
    actor: str = Field(sa_type=sa.Text)
    reason_code: str | None = Field(default=None, sa_type=sa.Text)
    reason_text: str | None = Field(default=None, sa_type=sa.Text)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
