"""what has arrived."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("suborders", sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE suborders SET sealed_at = state_at WHERE archive_etag IS NOT NULL")
    op.create_table(
        "archive_coverage",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("suborder", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("covered", postgresql.INT8MULTIRANGE(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"],
            ["suborders.order_id", "suborders.number"],
            name=op.f("fk_archive_coverage_order_id_suborder"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", "suborder", name=op.f("pk_archive_coverage")),
    )
    op.create_table(
        "file_coverage",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("covered", postgresql.INT8MULTIRANGE(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id", "seq"],
            ["order_files.order_id", "order_files.seq"],
            name=op.f("fk_file_coverage_order_id_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", "seq", name=op.f("pk_file_coverage")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("suborder", sa.Integer(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("reason_text", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"],
            ["suborders.order_id", "suborders.number"],
            name=op.f("fk_notices_order_id_suborder"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_oldest", "notices", ["at"], unique=False)
    op.create_index("ix_notices_order", "notices", ["order_id"], unique=False)


def downgrade() -> None:
    op.drop_table("notices")
    op.drop_table("file_coverage")
    op.drop_table("archive_coverage")
    op.drop_column("suborders", "sealed_at")
