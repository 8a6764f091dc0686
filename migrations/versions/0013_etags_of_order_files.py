"""ETags of order files: a storage that has them proves by them, too, that a file is still the sealed one."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nullable and without a default, so that no row is written and an older version goes on beside it.
    op.add_column("order_files", sa.Column("etag", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("order_files", "etag")
