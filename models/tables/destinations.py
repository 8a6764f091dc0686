"""Destinations that customers have saved, and what became of the deliveries to them."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from models.destination import DEFAULT_PREFIX, DeliveryState, DestinationKind, DestinationLocation, owner_of
from models.tables.base import INSTANT, new_id, now, one_of


class Destination(SQLModel, table=True):
    """A customer's folder or bucket; `credentials` are encrypted. Orders name it without a key: it may be removed."""

    __tablename__ = "destinations"
    __table_args__ = (
        one_of("kind", DestinationKind),
        sa.UniqueConstraint("customer", "name"),
        sa.CheckConstraint(
            "CASE kind WHEN 's3' THEN bucket IS NOT NULL AND credentials IS NOT NULL ELSE folder IS NOT NULL END",
            name="complete",
        ),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    customer: str = Field(sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)
    prefix: str = Field(default=DEFAULT_PREFIX, sa_type=sa.Text)
    folder: str | None = Field(default=None, sa_type=sa.Text)
    bucket: str | None = Field(default=None, sa_type=sa.Text)
    region: str | None = Field(default=None, sa_type=sa.Text)
    endpoint: str | None = Field(default=None, sa_type=sa.Text)
    credentials: str | None = Field(default=None, sa_type=sa.Text)
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)

    @property
    def place(self) -> DestinationLocation:
        """Where it is."""
        return DestinationLocation.model_validate(
            {name: getattr(self, name) for name in DestinationLocation.model_fields}
        )

    @property
    def owner(self) -> str:
        """For whom its credentials are encrypted: for nobody else they open."""
        return owner_of(self.customer, self.name)


class Delivery(SQLModel, table=True):
    """What became of one sub-order's delivery; `etag` is the archive's, so that a later archive is another delivery."""

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("state", DeliveryState),
        sa.CheckConstraint("(state = 'failed') = (failure_code IS NOT NULL)", name="failed_with_a_failure"),
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"], ["suborders.order_id", "suborders.number"], ondelete="CASCADE"
        ),
    )

    order_id: UUID = Field(primary_key=True)
    suborder: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    state: str = Field(sa_type=sa.Text)
    etag: str | None = Field(default=None, sa_type=sa.Text)
    location: str | None = Field(default=None, sa_type=sa.Text)
    size_bytes: int | None = Field(default=None, sa_type=sa.BigInteger)
    failure_code: str | None = Field(default=None, sa_type=sa.Text)
    failure_text: str | None = Field(default=None, sa_type=sa.Text)
    at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)
