"""carts of customers: what they hold, their totals, and by what these are known to be out of date."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

# Whoever changes objects, by SQL or by COPY, has the totals of carts counted again. Once for a statement: an import
# changes all objects of a product with a few.
CHANGED = """
CREATE FUNCTION product_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE products SET revision = revision + 1 WHERE id IN (SELECT DISTINCT product_id FROM changed);
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER products_revision_{event} AFTER {event} ON catalogue_objects
REFERENCING {table} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION product_changed()
"""


def upgrade() -> None:
    op.create_table(
        "cart_files",
        sa.Column("cart_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("selection", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "cart_id", "product_id", "object_id", "file_id", "selection", name=op.f("pk_cart_files")
        ),
    )
    op.create_table(
        "cart_objects",
        sa.Column("cart_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("selection", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("cart_id", "product_id", "object_id", "selection", name=op.f("pk_cart_objects")),
    )
    op.create_table(
        "carts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_selection", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("seen", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carts")),
        sa.UniqueConstraint("customer", name=op.f("uq_carts_customer")),
    )
    op.create_table(
        "cart_parts",
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("selection", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_cart_parts_cart_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cart_id", "product_id", "selection", name=op.f("pk_cart_parts")),
    )
    op.create_table(
        "cart_products",
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("file_filter", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("objects", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("files", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("overlapping", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("gone", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("all_files", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("all_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("kinds", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("nearline", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_cart_products_cart_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cart_id", "product_id", name=op.f("pk_cart_products")),
    )
    op.create_table(
        "cart_selections",
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('objects', 'product', 'search', 'names', 'upload', 'order')",
            name=op.f("ck_cart_selections_kind_known"),
        ),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_cart_selections_cart_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cart_id", "number", name=op.f("pk_cart_selections")),
    )
    op.create_table(
        "cart_versions",
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seen", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_cart_versions_cart_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cart_id", "version", name=op.f("pk_cart_versions")),
    )
    op.add_column(
        "order_items",
        sa.Column("file_filter", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column("products", sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.execute(CHANGED)
    for event, table in (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")):
        op.execute(TRIGGER.format(event=event, table=table))


def downgrade() -> None:
    for event in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER products_revision_{event} ON catalogue_objects")
    op.execute("DROP FUNCTION product_changed")
    op.drop_column("products", "revision")
    op.drop_column("order_items", "file_filter")
    op.drop_table("cart_versions")
    op.drop_table("cart_selections")
    op.drop_table("cart_products")
    op.drop_table("cart_parts")
    op.drop_table("carts")
    op.drop_table("cart_objects")
    op.drop_table("cart_files")
