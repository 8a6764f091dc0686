"""Doubts about known files: a download has found other bytes under the same size and time."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A constant default writes no row, and an older version that runs beside it need not name the column.
    op.add_column("known_files", sa.Column("doubted", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("known_files", "doubted")
