"""bulks in whose name: the access token a bulk was asked with, and why it was stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bulks", sa.Column("access_token", sa.Uuid(), nullable=True))
    op.add_column("bulks", sa.Column("stopped_why", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("bulks", "stopped_why")
    op.drop_column("bulks", "access_token")
