"""workflow ids: orders keep the id of their workflow, which begins with their number; older ones keep none."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("workflow_id", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("orders", "workflow_id")
