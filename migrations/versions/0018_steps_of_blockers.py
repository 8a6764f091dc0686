"""steps of blockers: what is tried again, how often it was, and when it is next."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Constant defaults: no row is written. What is noted already is of staging, but for an order's own row.
    op.add_column("troubles", sa.Column("step", sa.Text(), server_default="staging", nullable=False))
    op.add_column("troubles", sa.Column("attempts", sa.Integer(), server_default="1", nullable=False))
    op.add_column("troubles", sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE troubles SET step = 'validating' WHERE suborder = 0")


def downgrade() -> None:
    for column in ("next_try_at", "attempts", "step"):
        op.drop_column("troubles", column)
