"""The catalogue: products, their objects and the files of these."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from models.tables.base import INSTANT, new_id, now, one_of

TIERS = ("online", "nearline")
KINDS = ("data", "quicklook", "metadata")


class Product(SQLModel, table=True):
    """A dataset that is for sale or for free. `location` is the root its files' hrefs are relative to."""

    __tablename__ = "products"

    id: int = Field(default=None, sa_type=sa.BigInteger, primary_key=True)
    sku: str = Field(sa_type=sa.Text, unique=True)
    name: str = Field(sa_type=sa.Text)
    unit_price: Decimal = Field(default=Decimal(0), sa_type=sa.Numeric(12, 2), sa_column_kwargs={"server_default": "0"})
    currency: str = Field(default="EUR", sa_type=sa.Text, sa_column_kwargs={"server_default": "EUR"})
    access_groups: list[str] = Field(
        default_factory=list, sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": "{}"}
    )
    location: str = Field(sa_type=sa.Text)
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)


class CatalogueObject(SQLModel, table=True):
    """One thing of a product. `changed_at` moves when any of its files is added, changed or withdrawn."""

    __tablename__ = "catalogue_objects"
    __table_args__ = (sa.UniqueConstraint("product_id", "name"),)

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    product_id: int = Field(sa_type=sa.BigInteger, foreign_key="products.id")
    name: str = Field(sa_type=sa.Text)
    changed_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)


class CatalogueFile(SQLModel, table=True):
    """One file of an object; `sha256` where the catalogue knows it, `modified_ns` as the storage said at import."""

    __tablename__ = "catalogue_files"
    __table_args__ = (
        sa.UniqueConstraint("object_id", "name"),
        one_of("tier", TIERS),
        one_of("kind", KINDS),
        sa.CheckConstraint("size_bytes >= 0", name="size_not_negative"),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    object_id: UUID = Field(foreign_key="catalogue_objects.id")
    name: str = Field(sa_type=sa.Text)
    href: str = Field(sa_type=sa.Text)
    size_bytes: int = Field(sa_type=sa.BigInteger)
    media_type: str = Field(sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)
    tier: str = Field(sa_type=sa.Text)
    modified_ns: int = Field(sa_type=sa.BigInteger)
    sha256: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    crc32: int | None = Field(default=None, sa_type=sa.BigInteger)
