"""The cart of a customer: what it holds, and the totals of it, which are counted when it changes (ADR 0041)."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.cart import SelectionKind
from models.tables.base import INSTANT, now, one_of, zero


class Cart(SQLModel, table=True):
    """A customer's cart. `version` grows with everything that a customer can see of it; `seen` is that, in short."""

    __tablename__ = "carts"

    id: int = Field(default=None, sa_type=sa.BigInteger, primary_key=True)
    customer: str = Field(sa_type=sa.Text, unique=True)
    version: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    last_selection: int = Field(default=0, sa_column_kwargs=zero())
    seen: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
    changed_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)


class CartVersion(SQLModel, table=True):
    """What the last few versions of a cart have looked like, to say what has changed since one was seen."""

    __tablename__ = "cart_versions"

    cart_id: int = Field(sa_type=sa.BigInteger, primary_key=True, foreign_key="carts.id", ondelete="CASCADE")
    version: int = Field(sa_type=sa.BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    seen: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)


class CartSelection(SQLModel, table=True):
    """One choice: what was asked for, and when."""

    __tablename__ = "cart_selections"
    __table_args__ = (one_of("kind", SelectionKind),)

    cart_id: int = Field(sa_type=sa.BigInteger, primary_key=True, foreign_key="carts.id", ondelete="CASCADE")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(sa_type=sa.Text)
    request: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
    made_at: datetime = Field(sa_type=INSTANT)


class CartProduct(SQLModel, table=True):
    """What a cart holds of a product: the files to have of it, and totals as of `revision` of the product.

    `gone` objects have no file any more and are in no other figure. `all_files` and `all_bytes` are without the filter.
    No foreign key to the product: the catalogue may lose it.
    """

    __tablename__ = "cart_products"

    cart_id: int = Field(sa_type=sa.BigInteger, primary_key=True, foreign_key="carts.id", ondelete="CASCADE")
    product_id: int = Field(sa_type=sa.BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    sku: str = Field(sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)
    file_filter: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    revision: int = Field(sa_type=sa.BigInteger)
    objects: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    files: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    bytes: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    overlapping: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    gone: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    all_files: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    all_bytes: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    kinds: dict[str, int] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
    nearline: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())


class CartPart(SQLModel, table=True):
    """What a selection holds of a product, after the product's filter; by itself, whatever other selections hold."""

    __tablename__ = "cart_parts"

    cart_id: int = Field(sa_type=sa.BigInteger, primary_key=True, foreign_key="carts.id", ondelete="CASCADE")
    product_id: int = Field(sa_type=sa.BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    selection: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    objects: int = Field(sa_type=sa.BigInteger)
    files: int = Field(sa_type=sa.BigInteger)
    bytes: int = Field(sa_type=sa.BigInteger)


class CartObject(SQLModel, table=True):
    """An object that a selection holds as a whole. No foreign keys: there may be a million, and any may go."""

    __tablename__ = "cart_objects"

    cart_id: int = Field(sa_type=sa.BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    product_id: int = Field(sa_type=sa.BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    object_id: UUID = Field(primary_key=True)
    selection: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class CartFile(SQLModel, table=True):
    """A single file that a selection holds."""

    __tablename__ = "cart_files"

    cart_id: int = Field(sa_type=sa.BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    product_id: int = Field(sa_type=sa.BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    object_id: UUID = Field(primary_key=True)
    file_id: UUID = Field(primary_key=True)
    selection: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
