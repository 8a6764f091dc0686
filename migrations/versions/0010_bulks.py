"""bulks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulks",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "command IN ('cancel', 'pause', 'resume', 'retry', 'delete', 'label')", name=op.f("ck_bulks_command_known")
        ),
        sa.CheckConstraint("(command = 'label') = (label IS NOT NULL)", name=op.f("ck_bulks_label_given")),
        sa.CheckConstraint("done + skipped + failed <= total", name=op.f("ck_bulks_no_order_twice")),
        sa.CheckConstraint(
            "finished_at IS NULL OR done + skipped + failed = total", name=op.f("ck_bulks_finished_without_gap")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulks")),
    )
    op.create_index("ix_bulks_newest_of_customer", "bulks", ["customer", sa.literal_column("id DESC")])
    op.create_index("ix_bulks_unfinished", "bulks", ["created_at"], postgresql_where=sa.text("finished_at IS NULL"))
    op.create_table(
        "bulk_items",
        sa.Column("bulk_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.CheckConstraint("result IN ('done', 'skipped', 'failed')", name=op.f("ck_bulk_items_result_known")),
        sa.CheckConstraint(
            "(result IN ('skipped', 'failed')) = (code IS NOT NULL)", name=op.f("ck_bulk_items_code_where_not_done")
        ),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulks.id"], name=op.f("fk_bulk_items_bulk_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bulk_id", "order_id", name=op.f("pk_bulk_items")),
    )
    op.create_index("ix_bulk_items_by_result", "bulk_items", ["bulk_id", "result", "order_id"])
    op.create_index(
        "ix_bulk_items_to_do", "bulk_items", ["bulk_id", "order_id"], postgresql_where=sa.text("result IS NULL")
    )


def downgrade() -> None:
    op.drop_table("bulk_items")
    op.drop_table("bulks")
