"""the first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The server's own since PostgreSQL 18, which finds its own first. Before that: milliseconds of the clock, then chance.
UUIDV7 = """
CREATE FUNCTION uuidv7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$
"""


def upgrade() -> None:
    if not op.get_bind().execute(sa.text("SELECT to_regproc('uuidv7') IS NOT NULL")).scalar_one():
        op.execute(UUIDV7)
    op.execute("CREATE SEQUENCE order_serial")
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("total_price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_text", sa.Text(), nullable=True),
        sa.Column("faults", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("objects_total", sa.BigInteger(), nullable=False),
        sa.Column("files_total", sa.BigInteger(), nullable=False),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("files_available", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("files_failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("bytes_settled", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'pending_payment', 'payment_confirmed', 'validating', 'provisioning', 'paused', 'fulfilled', 'fulfilled_with_warnings', 'failed', 'cancelled', 'expired', 'deleted')",
            name=op.f("ck_orders_status_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("customer", "label", name=op.f("uq_orders_customer_label")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "ix_orders_newest", "orders", [sa.literal_column("created_at DESC"), sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "ix_orders_newest_of_customer",
        "orders",
        ["customer", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_orders_unstarted", "orders", ["created_at"], unique=False, postgresql_where=sa.text("started_at IS NULL")
    )
    op.create_table(
        "products",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=12, scale=2), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), server_default="EUR", nullable=False),
        sa.Column("access_groups", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("sku", name=op.f("uq_products_sku")),
    )
    op.create_table(
        "catalogue_objects",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_catalogue_objects_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_objects")),
        sa.UniqueConstraint("product_id", "name", name=op.f("uq_catalogue_objects_product_id_name")),
    )
    op.create_table(
        "order_items",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("configuration", sa.Text(), server_default="", nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("line_total", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_items_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_id", "position", name=op.f("pk_order_items")),
    )
    op.create_table(
        "order_selections",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_order_selections_order_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("order_id", "seq", name=op.f("pk_order_selections")),
    )
    op.create_table(
        "suborders",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("objects_total", sa.Integer(), nullable=False),
        sa.Column("files_total", sa.Integer(), nullable=False),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("files_available", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("files_failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("bytes_settled", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("archive_bytes", sa.BigInteger(), nullable=True),
        sa.Column("archive_etag", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('planned', 'waiting_slot', 'staging', 'ready', 'downloaded', 'failed', 'cancelled', 'expired')",
            name=op.f("ck_suborders_state_known"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_suborders_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_id", "number", name=op.f("pk_suborders")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "timeline",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("status_before", sa.Text(), nullable=True),
        sa.Column("status_after", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("reason_text", sa.Text(), nullable=True),
        sa.Column("suborder", sa.Integer(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_timeline_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_id", "sequence", name=op.f("pk_timeline")),
    )
    op.create_table(
        "catalogue_files",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("href", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("crc32", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('data', 'quicklook', 'metadata')", name=op.f("ck_catalogue_files_kind_known")),
        sa.CheckConstraint("tier IN ('online', 'nearline')", name=op.f("ck_catalogue_files_tier_known")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_catalogue_files_size_not_negative")),
        sa.ForeignKeyConstraint(["object_id"], ["catalogue_objects.id"], name=op.f("fk_catalogue_files_object_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_files")),
        sa.UniqueConstraint("object_id", "name", name=op.f("uq_catalogue_files_object_id_name")),
    )
    op.create_table(
        "order_files",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("suborder", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("object_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("href", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("crc32", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_text", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'failed') = (failure_code IS NOT NULL)", name=op.f("ck_order_files_failed_with_a_failure")
        ),
        sa.CheckConstraint(
            "failure_code IN ('unknown_id', 'catalogue_changed', 'nothing_to_order', 'source_missing', 'source_changed', 'source_forbidden', 'size_mismatch', 'checksum_mismatch', 'disk_full', 'too_many_open_files', 'out_of_memory', 'source_unavailable', 'database_unavailable', 'timed_out', 'worker_lost', 'internal')",
            name=op.f("ck_order_files_failure_code_known"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'available', 'downloaded', 'failed')", name=op.f("ck_order_files_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"],
            ["suborders.order_id", "suborders.number"],
            name=op.f("fk_order_files_order_id_suborder"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", "seq", name=op.f("pk_order_files")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index("ix_order_files_suborder", "order_files", ["order_id", "suborder", "seq"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_order_files_suborder", table_name="order_files")
    op.drop_table("order_files")
    op.drop_table("catalogue_files")
    op.drop_table("timeline")
    op.drop_table("suborders")
    op.drop_table("order_selections")
    op.drop_table("order_items")
    op.drop_table("catalogue_objects")
    op.drop_table("products")
    op.drop_index("ix_orders_unstarted", table_name="orders", postgresql_where=sa.text("started_at IS NULL"))
    op.drop_index("ix_orders_newest_of_customer", table_name="orders")
    op.drop_index("ix_orders_newest", table_name="orders")
    op.drop_table("orders")
    op.execute("DROP SEQUENCE order_serial")
    op.execute("DROP FUNCTION IF EXISTS public.uuidv7()")
