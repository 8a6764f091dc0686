"""destinations."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "destinations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=True),
        sa.Column("bucket", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("endpoint", sa.Text(), nullable=True),
        sa.Column("credentials", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('local', 's3')", name=op.f("ck_destinations_kind_known")),
        sa.CheckConstraint(
            "CASE kind WHEN 's3' THEN bucket IS NOT NULL AND credentials IS NOT NULL ELSE folder IS NOT NULL END",
            name=op.f("ck_destinations_complete"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destinations")),
        sa.UniqueConstraint("customer", "name", name=op.f("uq_destinations_customer_name")),
    )
    op.create_table(
        "deliveries",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("suborder", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_text", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('delivered', 'failed')", name=op.f("ck_deliveries_state_known")),
        sa.CheckConstraint(
            "(state = 'failed') = (failure_code IS NOT NULL)", name=op.f("ck_deliveries_failed_with_a_failure")
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"],
            ["suborders.order_id", "suborders.number"],
            name=op.f("fk_deliveries_order_id_suborder"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", "suborder", name=op.f("pk_deliveries")),
    )
    op.add_column("orders", sa.Column("destination_id", sa.Uuid(), nullable=True))
    op.add_column("orders", sa.Column("destination_name", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("orders", "destination_name")
    op.drop_column("orders", "destination_id")
    op.drop_table("deliveries")
    op.drop_table("destinations")
