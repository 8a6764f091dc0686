"""Orders, their items, sub-orders, files and timeline: the projection of the order workflows."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.errors import FILE_FAILURES, FailureCode
from models.failure_policy import FailurePolicy, OnMissing
from models.messages.names import order_workflow_id
from models.order import OrderStatus
from models.pricing import STANDARD_CLASS, Measure, PriceUnit, UnitPrice
from models.status_facts import UNSETTLED_SUBORDERS, sql_list
from models.suborder import FileState, SubOrderState
from models.tables import listing
from models.tables.base import INSTANT, new_id, now, one_of, zero

LABEL_INDEX = "uq_orders_customer_folded_label"
LABEL_KEY = (sa.text("customer"), sa.text("folded(label)"))
HOLDS_LABEL = sa.text("status <> 'deleted'")
"""By what no two orders have the same label, and which orders have one at all."""


class Order(SQLModel, table=True):
    """What a customer ordered. `version` is the sequence of the last timeline row the projection has seen."""

    __tablename__ = "orders"
    __table_args__ = (
        one_of("status", OrderStatus),
        one_of("on_missing", OnMissing),
        sa.CheckConstraint("max_failed_percent BETWEEN 0 AND 100", name="max_failed_percent_is_a_percentage"),
        # However it is cased or composed, and free again when its order is deleted.
        sa.Index(LABEL_INDEX, *LABEL_KEY, unique=True, postgresql_where=HOLDS_LABEL),
        sa.Index("ix_orders_newest", sa.text("created_at DESC"), sa.text("id DESC")),
        sa.Index("ix_orders_newest_of_customer", "customer", sa.text("created_at DESC"), sa.text("id DESC")),
        *listing.INDEXES,
        sa.Index("ix_orders_unstarted", "created_at", postgresql_where=sa.text("started_at IS NULL")),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    id: UUID = Field(default=None, primary_key=True, sa_column_kwargs=new_id())
    number: str = Field(sa_type=sa.Text, unique=True)
    customer: str = Field(sa_type=sa.Text)
    label: str = Field(sa_type=sa.Text)
    skus: list[str] = Field(default_factory=list, sa_type=listing.TEXTS, sa_column_kwargs={"server_default": "{}"})
    product_names: list[str] = Field(
        default_factory=list, sa_type=listing.TEXTS, sa_column_kwargs={"server_default": "{}"}
    )
    # Kept by a trigger: everything an order is searched by, folded.
    search: str = Field(default="", sa_type=sa.Text, sa_column_kwargs={"server_default": ""})
    status: str = Field(sa_type=sa.Text)
    status_at: datetime = Field(sa_type=INSTANT)
    version: int = Field(sa_type=sa.BigInteger)
    total_price: Decimal = Field(sa_type=sa.Numeric)
    currency: str = Field(sa_type=sa.Text)
    # What the total is made of; orders of before 0039 keep the total alone, and had neither discounts nor tax.
    subtotal: Decimal | None = Field(default=None, sa_type=sa.Numeric)
    discount: Decimal = Field(default=Decimal(0), sa_type=sa.Numeric, sa_column_kwargs=zero())
    tax: Decimal = Field(default=Decimal(0), sa_type=sa.Numeric, sa_column_kwargs=zero())
    tax_included: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    discounts: list[dict[str, Any]] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"}
    )
    taxes: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"})
    # As they were asked for: the country by which it is taxed, and the code of a coupon.
    country: str | None = Field(default=None, sa_type=sa.Text)
    coupon: str | None = Field(default=None, sa_type=sa.Text)
    created_at: datetime = Field(sa_type=INSTANT)
    started_at: datetime | None = Field(default=None, sa_type=INSTANT)
    # Read by `workflow_id`; orders of before 0030 keep none.
    kept_workflow_id: str | None = Field(default=None, sa_type=sa.Text, sa_column_kwargs={"name": "workflow_id"})
    links_revoked_at: datetime | None = Field(default=None, sa_type=INSTANT)
    expires_at: datetime | None = Field(default=None, sa_type=INSTANT)
    # When live events last told of it; the trigger's own, see migration 0009.
    told_at: datetime | None = Field(default=None, sa_type=INSTANT)
    # What people have written on it; `revision` counts their changes, for `version` is the workflow's.
    tags: list[str] = Field(default_factory=list, sa_type=listing.TEXTS, sa_column_kwargs={"server_default": "{}"})
    revision: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    derived_from: UUID | None = Field(default=None)
    destination_id: UUID | None = Field(default=None)
    destination_name: str | None = Field(default=None, sa_type=sa.Text)
    failure_code: str | None = Field(default=None, sa_type=sa.Text)
    failure_text: str | None = Field(default=None, sa_type=sa.Text)
    faults: list[dict[str, str]] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"})
    # What was left out or has another price, the first hundred in full: no fault, for the order goes on.
    warnings: list[dict[str, str]] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"}
    )
    warnings_total: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    # Files that were ordered and were gone, or others, when the order was planned.
    files_left_out: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    on_missing: str = Field(
        default=OnMissing.DELIVER_THE_REST,
        sa_type=sa.Text,
        sa_column_kwargs={"server_default": OnMissing.DELIVER_THE_REST.value},
    )
    max_failed_percent: Decimal | None = Field(default=None, sa_type=sa.Numeric)
    objects_total: int = Field(sa_type=sa.BigInteger)
    files_total: int = Field(sa_type=sa.BigInteger)
    bytes_total: int = Field(sa_type=sa.BigInteger)
    files_available: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    files_failed: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    bytes_settled: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())

    @property
    def kept_subtotal(self) -> Decimal:
        """The price of all its lines."""
        return self.total_price if self.subtotal is None else self.subtotal

    @property
    def workflow_id(self) -> str:
        """The id of the order's workflow."""
        return order_workflow_id(self.id, self.kept_workflow_id)

    @property
    def failure_policy(self) -> FailurePolicy:
        """What is done where something of it cannot be delivered."""
        return FailurePolicy(OnMissing(self.on_missing), self.max_failed_percent)

    @property
    def files_ordered(self) -> int:
        """All files that were ordered, with those that were gone when it was planned."""
        return self.files_total + self.files_left_out


class OrderItem(SQLModel, table=True):
    """One line of an order: a product, how many of its objects, at what price; frozen at creation."""

    __tablename__ = "order_items"

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id", ondelete="CASCADE")
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    product_id: int = Field(sa_type=sa.BigInteger)
    sku: str = Field(sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)
    configuration: str = Field(default="", sa_type=sa.Text, sa_column_kwargs={"server_default": ""})
    # Which files it is of its objects, as `models.file_filter` writes it; all of them without.
    file_filter: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    quantity: int
    unit_price: Decimal = Field(sa_type=sa.Numeric)
    line_total: Decimal = Field(sa_type=sa.Numeric)
    price_unit: str = Field(
        default=PriceUnit.OBJECT, sa_type=sa.Text, sa_column_kwargs={"server_default": str(PriceUnit.OBJECT)}
    )
    tax_class: str = Field(default=STANDARD_CLASS, sa_type=sa.Text, sa_column_kwargs={"server_default": STANDARD_CLASS})
    # How much of it there was when it was priced; lines of before 0039 know their objects alone.
    files: int | None = Field(default=None, sa_type=sa.BigInteger)
    bytes: int | None = Field(default=None, sa_type=sa.BigInteger)

    @property
    def measure(self) -> Measure:
        """How much is paid for."""
        return Measure(self.quantity, self.files or 0, self.bytes or 0)

    def price_in(self, currency: str) -> UnitPrice:
        """What a unit has cost, in the currency of its order."""
        return UnitPrice(self.unit_price, currency, PriceUnit(self.price_unit))


class OrderSelection(SQLModel, table=True):
    """What an item selects: a whole object, or one file of it. No foreign keys: the catalogue may lose it."""

    __tablename__ = "order_selections"
    __table_args__ = (
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], ondelete="CASCADE"),
        sa.Index("ix_order_selections_object", "object_id", "order_id"),
    )

    order_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    position: int
    object_id: UUID
    file_id: UUID | None = Field(default=None)
    name: str = Field(sa_type=sa.Text)


class SubOrder(SQLModel, table=True):
    """A part of an order. `attempt` is the fencing number: only its newest holder may write."""

    __tablename__ = "suborders"
    __table_args__ = (
        one_of("state", SubOrderState),
        sa.Index("ix_suborders_ready", "order_id", postgresql_where=sa.text(f"state = '{SubOrderState.READY}'")),
        sa.Index(
            "ix_suborders_unsettled",
            "state",
            postgresql_where=sa.text(f"state IN ({sql_list(UNSETTLED_SUBORDERS)})"),
        ),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id", ondelete="CASCADE")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    sku: str = Field(sa_type=sa.Text)
    tier: str = Field(sa_type=sa.Text)
    location: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    state_at: datetime = Field(default=None, sa_type=INSTANT, sa_column_kwargs=now(), nullable=False)
    attempt: int = Field(default=0, sa_column_kwargs=zero())
    objects_total: int
    files_total: int
    bytes_total: int = Field(sa_type=sa.BigInteger)
    files_available: int = Field(default=0, sa_column_kwargs=zero())
    files_failed: int = Field(default=0, sa_column_kwargs=zero())
    bytes_settled: int = Field(default=0, sa_type=sa.BigInteger, sa_column_kwargs=zero())
    archive_bytes: int | None = Field(default=None, sa_type=sa.BigInteger)
    archive_etag: str | None = Field(default=None, sa_type=sa.Text)
    sealed_at: datetime | None = Field(default=None, sa_type=INSTANT)


class OrderFile(SQLModel, table=True):
    """One file of a sub-order. `sha256` and `modified_ns` are the catalogue's until sealing has read the file.

    `modified_ns` and `etag` are the version that was sealed, and that every download has to find again.
    """

    __tablename__ = "order_files"
    __table_args__ = (
        one_of("state", FileState),
        one_of("failure_code", (code for code in FailureCode if code in FILE_FAILURES)),
        sa.CheckConstraint("(state = 'failed') = (failure_code IS NOT NULL)", name="failed_with_a_failure"),
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"], ["suborders.order_id", "suborders.number"], ondelete="CASCADE"
        ),
        sa.Index("ix_order_files_suborder", "order_id", "suborder", "seq"),
        sa.Index("ix_order_files_file", "file_id", "order_id"),
        sa.Index(
            "ix_order_files_failure", "order_id", "failure_code", postgresql_where=sa.text("failure_code IS NOT NULL")
        ),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    order_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    suborder: int
    file_id: UUID
    object_name: str = Field(sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)
    path: str = Field(sa_type=sa.Text)
    href: str = Field(sa_type=sa.Text)
    media_type: str = Field(sa_type=sa.Text)
    size_bytes: int = Field(sa_type=sa.BigInteger)
    modified_ns: int = Field(sa_type=sa.BigInteger)
    etag: str | None = Field(default=None, sa_type=sa.Text)
    sha256: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    crc32: int | None = Field(default=None, sa_type=sa.BigInteger)
    piece_bytes: int | None = Field(default=None, sa_type=sa.BigInteger)
    pieces: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    state: str = Field(sa_type=sa.Text)
    failure_code: str | None = Field(default=None, sa_type=sa.Text)
    failure_text: str | None = Field(default=None, sa_type=sa.Text)


class OrderFolder(SQLModel, table=True):
    """A folder of a sub-order's object that no file is in; there is nothing of it to read, prove or download."""

    __tablename__ = "order_folders"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"], ["suborders.order_id", "suborders.number"], ondelete="CASCADE"
        ),
        sa.Index("ix_order_folders_suborder", "order_id", "suborder", "seq"),
    )

    order_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    suborder: int
    object_name: str = Field(sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)
    path: str = Field(sa_type=sa.Text)


class TimelineRow(SQLModel, table=True):
    """One thing that happened to an order; sequences have no gaps."""

    __tablename__ = "timeline"

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id", ondelete="CASCADE")
    sequence: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=INSTANT)
    actor: str = Field(sa_type=sa.Text)
    what: str = Field(sa_type=sa.Text)
    status_before: str | None = Field(default=None, sa_type=sa.Text)
    status_after: str = Field(sa_type=sa.Text)
    reason_code: str | None = Field(default=None, sa_type=sa.Text)
    reason_text: str | None = Field(default=None, sa_type=sa.Text)
    suborder: int | None = Field(default=None)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})


class Blocker(SQLModel, table=True):
    """What holds up an order (`suborder` 0) or one of its sub-orders while it is tried again by itself."""

    __tablename__ = "troubles"

    order_id: UUID = Field(primary_key=True, foreign_key="orders.id", ondelete="CASCADE")
    suborder: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    step: str = Field(default="staging", sa_type=sa.Text, sa_column_kwargs={"server_default": "staging"})
    code: str = Field(sa_type=sa.Text)
    text: str = Field(sa_type=sa.Text)
    since: datetime = Field(sa_type=INSTANT)
    attempts: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    next_try_at: datetime | None = Field(default=None, sa_type=INSTANT)
