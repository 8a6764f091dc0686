"""The catalogue: products, their objects and the files of these."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from models.pricing import STANDARD_CLASS, PriceUnit
from models.tables.base import INSTANT, new_id, now, one_of, zero

TIERS = ("online", "nearline")
FOOTPRINT = "box(point(west, south), point(east, north))"
"""An object's box as PostgreSQL overlaps them."""
DURING = "tstzrange(begins_at, ends_at, '[]'::text)"
"""An object's time, both ends included."""

KINDS = ("data", "quicklook", "metadata")

ORDERED_PROPERTIES = ("eo:cloud_cover",)
"""Properties with an index of their own, by which few values below or above a bound are found at once."""

LANGUAGES = ("en", "fr")
"""In which products may have texts."""


class Product(SQLModel, table=True):
    """A dataset that is for sale or for free. `location` is the root its files' hrefs are relative to.

    `extent` has a `bbox` in degrees and an `interval` of two instants, either of which may be open. `source` is the
    path that was imported, `document` the file in it that describes this product, none of a plain folder.
    `set_by_hand` are the attributes that an administrator has set, which an import leaves as they are; `most_objects`
    and `most_bytes` are what one order may have of it.
    """

    __tablename__ = "products"
    __table_args__ = (
        one_of("price_unit", PriceUnit),
        sa.CheckConstraint("most_objects > 0", name="most_objects_positive"),
        sa.CheckConstraint("most_bytes > 0", name="most_bytes_positive"),
    )

    id: int = Field(default=None, sa_type=sa.BigInteger, primary_key=True)
    sku: str = Field(sa_type=sa.Text, unique=True)
    name: str = Field(sa_type=sa.Text)
    unit_price: Decimal = Field(default=Decimal(0), sa_type=sa.Numeric, sa_column_kwargs={"server_default": "0"})
    currency: str = Field(default="EUR", sa_type=sa.Text, sa_column_kwargs={"server_default": "EUR"})
    price_unit: str = Field(
        default=PriceUnit.OBJECT, sa_type=sa.Text, sa_column_kwargs={"server_default": str(PriceUnit.OBJECT)}
    )
    tax_class: str = Field(default=STANDARD_CLASS, sa_type=sa.Text, sa_column_kwargs={"server_default": STANDARD_CLASS})
    access_groups: list[str] = Field(
        default_factory=list, sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": "{}"}
    )
    location: str = Field(sa_type=sa.Text)
    description: str | None = Field(default=None, sa_type=sa.Text)
    license: str | None = Field(default=None, sa_type=sa.Text)
    extent: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    # By language. They come from people; `name` and `description` from the source.
    titles: dict[str, str] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"}, nullable=False
    )
    descriptions: dict[str, str] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"}, nullable=False
    )
    source: str | None = Field(default=None, sa_type=sa.Text)
    document: str | None = Field(default=None, sa_type=sa.Text)
    set_by_hand: list[str] = Field(
        default_factory=list, sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": "{}"}
    )
    most_objects: int | None = Field(default=None, sa_type=sa.BigInteger)
    most_bytes: int | None = Field(default=None, sa_type=sa.BigInteger)
    # Kept by a trigger: counts the changes of its objects, so that totals are counted again only after one.
    revision: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    created_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)


class CatalogueObject(SQLModel, table=True):
    """One thing of a product. `changed_at` moves when it, or any of its files, is added, changed or withdrawn.

    Its box is in degrees; one that crosses the antimeridian goes on beyond 180. What has no geometry has no box.
    `empty_folders` are those of its folders that no file is in, named as files are, with a `/` at the end. What
    `accompanies` are files of the product itself: nobody orders or sees it, and it goes along with whatever is ordered.
    """

    __tablename__ = "catalogue_objects"
    __table_args__ = (
        sa.UniqueConstraint("product_id", "name"),
        sa.Index("ix_catalogue_objects_newest", "product_id", sa.text("begins_at DESC"), sa.text("id DESC"), "ends_at"),
        sa.Index(
            "ix_catalogue_objects_footprint",
            sa.text(FOOTPRINT),
            postgresql_using="gist",
            postgresql_where=sa.text("west IS NOT NULL"),
        ),
        sa.Index("ix_catalogue_objects_newest_of_all", sa.text("begins_at DESC"), sa.text("id DESC")),
        sa.Index("ix_catalogue_objects_during", sa.text(DURING), postgresql_using="gist"),
        sa.Index("ix_catalogue_objects_accompanying", "product_id", postgresql_where=sa.text("accompanies")),
        sa.Index(
            "ix_catalogue_objects_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}
        ),
        sa.Index(
            "ix_catalogue_objects_properties",
            "properties",
            postgresql_using="gin",
            postgresql_ops={"properties": "jsonb_path_ops"},
        ),
        sa.Index(
            "ix_catalogue_objects_cloud_cover",
            sa.text("(properties -> 'eo:cloud_cover')"),
            postgresql_where=sa.text("(properties -> 'eo:cloud_cover') IS NOT NULL"),
        ),
        sa.Index("ix_catalogue_objects_by_name", "name", "id"),
        sa.Index("ix_catalogue_objects_by_size", "bytes", "id"),
        sa.CheckConstraint("west <= east AND south <= north", name="box_is_one"),
        sa.CheckConstraint("begins_at <= ends_at", name="ends_after_it_begins"),
        sa.CheckConstraint("num_nulls(geometry, west, south, east, north) IN (0, 5)", name="geometry_and_box_together"),
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    product_id: int = Field(sa_type=sa.BigInteger, foreign_key="products.id")
    name: str = Field(sa_type=sa.Text)
    geometry: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    west: float | None = Field(default=None, sa_type=sa.Double)
    south: float | None = Field(default=None, sa_type=sa.Double)
    east: float | None = Field(default=None, sa_type=sa.Double)
    north: float | None = Field(default=None, sa_type=sa.Double)
    begins_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)
    ends_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)
    properties: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"}, nullable=False
    )
    changed_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)
    empty_folders: list[str] = Field(
        default_factory=list, sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": "{}"}
    )
    accompanies: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    # The item that describes it, seen from the folder of its product's document.
    document: str | None = Field(default=None, sa_type=sa.Text)
    # Triggers write the rest: what texts are looked for in, and what its files come to.
    search: str = Field(default="", sa_type=sa.Text, sa_column_kwargs={"server_default": ""})
    files: int = Field(default=0, sa_type=sa.Integer, sa_column_kwargs={"server_default": "0"})
    bytes: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs={"server_default": "0"})
    kinds: list[str] = Field(default_factory=list, sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": "{}"})
    tiers: list[str] = Field(default_factory=list, sa_type=ARRAY(sa.Text), sa_column_kwargs={"server_default": "{}"})


class ObjectCount(SQLModel, table=True):
    """Objects of a product that begin in a year (UTC) and have files of the same kinds on the same tiers.

    Triggers keep it; a row may have come to nothing.
    """

    __tablename__ = "object_counts"

    product_id: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kinds: list[str] = Field(primary_key=True, sa_type=ARRAY(sa.Text))
    tiers: list[str] = Field(primary_key=True, sa_type=ARRAY(sa.Text))
    objects: int = Field(sa_type=sa.BigInteger)
    files: int = Field(sa_type=sa.BigInteger)
    bytes: int = Field(sa_type=sa.BigInteger)


class CatalogueFile(SQLModel, table=True):
    """One file of an object; `sha256` as the source promises it, `modified_ns` as the storage said at import."""

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


class KnownFile(SQLModel, table=True):
    """What a read of a catalogue file has proven, and of which version. `sha256` of the catalogue is only promised.

    No foreign key, which would cost a look-up for each file that is sealed: the import forgets with what it withdraws.
    """

    __tablename__ = "known_files"

    file_id: UUID = Field(primary_key=True)
    size_bytes: int = Field(sa_type=sa.BigInteger)
    modified_ns: int = Field(sa_type=sa.BigInteger)
    etag: str | None = Field(default=None, sa_type=sa.Text)
    sha256: bytes = Field(sa_type=sa.LargeBinary)
    crc32: int = Field(sa_type=sa.BigInteger)
    piece_bytes: int | None = Field(default=None, sa_type=sa.BigInteger)
    pieces: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    """The SHA-256 of each `piece_bytes`, one behind the other, written with `sha256` or not at all."""
    read_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)
    doubted: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    """Whether a download has found other bytes under the same size and time: then only a new read proves anything."""


class WithdrawnProduct(SQLModel, table=True):
    """The id of a product that was removed; if its SKU comes back, so does the id, and orders find it again."""

    __tablename__ = "withdrawn_products"

    sku: str = Field(sa_type=sa.Text, primary_key=True)
    id: int = Field(sa_type=sa.BigInteger, unique=True, sa_column_kwargs={"autoincrement": False})


class WithdrawnObject(SQLModel, table=True):
    """The id of an object that was withdrawn, for when it comes back; `changed_at` as it was if nobody knows its files.

    No foreign key: it outlives its product, too.
    """

    __tablename__ = "withdrawn_objects"

    product_id: int = Field(sa_type=sa.BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(sa_type=sa.Text, primary_key=True)
    id: UUID = Field(unique=True)
    withdrawn_at: datetime = Field(sa_type=INSTANT)
    changed_at: datetime | None = Field(default=None, sa_type=INSTANT)


class WithdrawnFile(SQLModel, table=True):
    """The id of a file that was withdrawn and the version it had, of which nothing may be known.

    `changed_before` is its object's `changed_at` before: if all comes back as it was, the object has not changed.
    """

    __tablename__ = "withdrawn_files"

    object_id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=sa.Text, primary_key=True)
    id: UUID = Field(unique=True)
    size_bytes: int | None = Field(default=None, sa_type=sa.BigInteger)
    modified_ns: int | None = Field(default=None, sa_type=sa.BigInteger)
    sha256: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    withdrawn_at: datetime = Field(sa_type=INSTANT)
    changed_before: datetime = Field(sa_type=INSTANT)


class CataloguePage(SQLModel, table=True):
    """A page of items that an import has read from an API, until all are read: an import that was cut goes on there.

    `source` is what was asked, `following` the request of the next page, none on the last one. Both are JSON as bytes:
    strangers' documents hold what PostgreSQL's own type refuses.
    """

    __tablename__ = "catalogue_pages"

    source: str = Field(sa_type=sa.Text, primary_key=True)
    number: int = Field(sa_type=sa.BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    following: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    items: bytes = Field(sa_type=sa.LargeBinary)
    read_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)
