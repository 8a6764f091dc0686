"""Bulks: one command for many orders, the frozen list of them, and what became of each."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from models.bulk import BulkCommand, BulkState, ItemResult, state_of
from models.credentials import Grant
from models.tables.base import INSTANT, new_id, now, one_of, zero


class Bulk(SQLModel, table=True):
    """One command for many orders. `asked` is the filter; `scopes` are those of the access token it was asked with.

    `stopped_why` says why it was cancelled where nobody asked for that.
    """

    __tablename__ = "bulks"
    __table_args__ = (
        one_of("command", BulkCommand),
        sa.CheckConstraint("(command = 'label') = (label IS NOT NULL)", name="label_given"),
        sa.CheckConstraint("done + skipped + failed <= total", name="no_order_twice"),
        sa.CheckConstraint("finished_at IS NULL OR done + skipped + failed = total", name="finished_without_gap"),
        sa.Index("ix_bulks_newest_of_customer", "customer", sa.text("id DESC")),
        sa.Index("ix_bulks_unfinished", "created_at", postgresql_where=sa.text("finished_at IS NULL")),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    customer: str = Field(sa_type=sa.Text)
    actor: str = Field(sa_type=sa.Text)
    command: str = Field(sa_type=sa.Text)
    label: str | None = Field(default=None, sa_type=sa.Text)
    reason: str | None = Field(default=None, sa_type=sa.Text)
    asked: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    scopes: list[str] | None = Field(default=None, sa_type=ARRAY(sa.Text))
    access_token: UUID | None = None
    stopped_why: str | None = Field(default=None, sa_type=sa.Text)
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)
    started_at: datetime | None = Field(default=None, sa_type=INSTANT)
    cancelled_at: datetime | None = Field(default=None, sa_type=INSTANT)
    finished_at: datetime | None = Field(default=None, sa_type=INSTANT)
    total: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    done: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    skipped: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    failed: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())

    @property
    def grant(self) -> Grant:
        """In whose name it goes on."""
        return Grant(self.customer, self.created_at, self.access_token)

    @property
    def state(self) -> BulkState:
        """Where it stands."""
        return state_of(
            started=self.started_at is not None,
            cancelled=self.cancelled_at is not None,
            finished=self.finished_at is not None,
        )


class BulkItem(SQLModel, table=True):
    """One order of a bulk; without a result it is still to do. `sent_at`: the command may have reached the order.

    No key to the order: it may be purged, and an id that was named need not exist.
    """

    __tablename__ = "bulk_items"
    __table_args__ = (
        one_of("result", ItemResult),
        sa.CheckConstraint("(result IN ('skipped', 'failed')) = (code IS NOT NULL)", name="code_where_not_done"),
        sa.Index("ix_bulk_items_by_result", "bulk_id", "result", "order_id"),
        sa.Index("ix_bulk_items_to_do", "bulk_id", "order_id", postgresql_where=sa.text("result IS NULL")),
    )

    bulk_id: UUID = Field(primary_key=True, foreign_key="bulks.id", ondelete="CASCADE")
    order_id: UUID = Field(primary_key=True)
    sent_at: datetime | None = Field(default=None, sa_type=INSTANT)
    result: str | None = Field(default=None, sa_type=sa.Text)
    code: str | None = Field(default=None, sa_type=sa.Text)
    text: str | None = Field(default=None, sa_type=sa.Text)
