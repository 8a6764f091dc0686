"""pieces of large files: each has a hash of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_TABLES = ("known_files", "order_files")


def upgrade() -> None:
    # Columns that may be NULL write no row, and an older version that runs beside it need not name them.
    for table in _TABLES:
        op.add_column(table, sa.Column("piece_bytes", sa.BigInteger(), nullable=True))
        op.add_column(table, sa.Column("pieces", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "pieces")
        op.drop_column(table, "piece_bytes")
