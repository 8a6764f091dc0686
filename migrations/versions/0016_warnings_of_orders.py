"""warnings of orders: what was left out of them, and what has another price than it had."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Constant defaults: no row is written.
    op.add_column("orders", sa.Column("warnings", JSONB(), server_default="[]", nullable=False))
    op.add_column("orders", sa.Column("warnings_total", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("orders", "warnings_total")
    op.drop_column("orders", "warnings")
