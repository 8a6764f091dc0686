"""prices: their units, price lists of groups, discounts and coupons, tax; what an order's total is made of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "discounts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("percent", sa.Numeric(), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("minimum", sa.Numeric(), nullable=True),
        sa.Column("skus", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("groups", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("most_uses", sa.Integer(), nullable=True),
        sa.Column("most_uses_each", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "currency IS NOT NULL OR num_nonnulls(amount, minimum) = 0",
            name=op.f("ck_discounts_sums_have_a_currency"),
        ),
        sa.CheckConstraint("num_nonnulls(percent, amount) = 1", name=op.f("ck_discounts_percent_or_amount")),
        sa.CheckConstraint("(percent > 0 AND percent <= 100) OR amount > 0", name=op.f("ck_discounts_takes_off")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discounts")),
        sa.UniqueConstraint("code", name=op.f("uq_discounts_code")),
    )
    op.create_table(
        "list_prices",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("unit_price", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("price_unit", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "price_unit IN ('object', 'file', 'gb', 'flat')", name=op.f("ck_list_prices_price_unit_known")
        ),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_list_prices_price_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_prices")),
        sa.UniqueConstraint("sku", "group_name", name=op.f("uq_list_prices_sku_group_name")),
    )
    op.create_table(
        "price_terms",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tax_included", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_price_terms_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_terms")),
    )
    op.create_table(
        "tax_rates",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("tax_class", sa.Text(), nullable=False),
        sa.Column("percent", sa.Numeric(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_tax_rates_percent_in_bounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rates")),
        sa.UniqueConstraint("country", "tax_class", name=op.f("uq_tax_rates_country_tax_class")),
    )
    op.create_table(
        "coupon_uses",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("discount_id", sa.Uuid(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["discount_id"], ["discounts.id"], name=op.f("fk_coupon_uses_discount_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_coupon_uses_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_coupon_uses")),
    )
    op.create_index("ix_coupon_uses_discount", "coupon_uses", ["discount_id", "customer"], unique=False)
    op.add_column("order_items", sa.Column("price_unit", sa.Text(), server_default="object", nullable=False))
    op.add_column("order_items", sa.Column("tax_class", sa.Text(), server_default="standard", nullable=False))
    op.add_column("order_items", sa.Column("files", sa.BigInteger(), nullable=True))
    op.add_column("order_items", sa.Column("bytes", sa.BigInteger(), nullable=True))
    op.add_column("orders", sa.Column("subtotal", sa.Numeric(), nullable=True))
    op.add_column("orders", sa.Column("discount", sa.Numeric(), server_default=sa.text("0"), nullable=False))
    op.add_column("orders", sa.Column("tax", sa.Numeric(), server_default=sa.text("0"), nullable=False))
    op.add_column("orders", sa.Column("tax_included", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column(
        "orders", sa.Column("discounts", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False)
    )
    op.add_column(
        "orders", sa.Column("taxes", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False)
    )
    op.add_column("orders", sa.Column("country", sa.Text(), nullable=True))
    op.add_column("orders", sa.Column("coupon", sa.Text(), nullable=True))
    op.add_column("products", sa.Column("price_unit", sa.Text(), server_default="object", nullable=False))
    op.add_column("products", sa.Column("tax_class", sa.Text(), server_default="standard", nullable=False))
    op.create_check_constraint("price_unit_known", "products", "price_unit IN ('object', 'file', 'gb', 'flat')")


def downgrade() -> None:
    op.drop_constraint("ck_products_price_unit_known", "products")
    op.drop_column("products", "tax_class")
    op.drop_column("products", "price_unit")
    op.drop_column("orders", "coupon")
    op.drop_column("orders", "country")
    op.drop_column("orders", "taxes")
    op.drop_column("orders", "discounts")
    op.drop_column("orders", "tax_included")
    op.drop_column("orders", "tax")
    op.drop_column("orders", "discount")
    op.drop_column("orders", "subtotal")
    op.drop_column("order_items", "bytes")
    op.drop_column("order_items", "files")
    op.drop_column("order_items", "tax_class")
    op.drop_column("order_items", "price_unit")
    op.drop_index("ix_coupon_uses_discount", table_name="coupon_uses")
    op.drop_table("coupon_uses")
    op.drop_table("tax_rates")
    op.drop_table("price_terms")
    op.drop_table("list_prices")
    op.drop_table("discounts")
