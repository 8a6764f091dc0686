"""Empty folders of objects, and of the sub-orders they are delivered with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A constant default writes no row, and an older version that runs beside it need not name the column.
    op.add_column(
        "catalogue_objects",
        sa.Column("empty_folders", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.create_table(
        "order_folders",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("suborder", sa.Integer(), nullable=False),
        sa.Column("object_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id", "suborder"],
            ["suborders.order_id", "suborders.number"],
            name=op.f("fk_order_folders_order_id_suborder"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", "seq", name=op.f("pk_order_folders")),
    )
    op.create_index("ix_order_folders_suborder", "order_folders", ["order_id", "suborder", "seq"], unique=False)


def downgrade() -> None:
    op.drop_table("order_folders")
    op.drop_column("catalogue_objects", "empty_folders")
