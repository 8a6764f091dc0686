"""left out of orders: how many files that were paid for were gone, or others, when the order was planned."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("files_left_out", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("orders", "files_left_out")
