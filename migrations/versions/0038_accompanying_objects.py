"""accompanying objects: files of a product itself go along with whatever is ordered of it."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A constant default writes no row, and an older version that runs beside it need not name the column.
    op.add_column(
        "catalogue_objects", sa.Column("accompanies", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    with op.get_context().autocommit_block():
        # Building an index waits for everybody's transactions, and blocks none of them meanwhile.
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_catalogue_objects_accompanying")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_catalogue_objects_accompanying ON catalogue_objects (product_id)"
            " WHERE accompanies"
        )
        op.execute("SET lock_timeout = '5s'")


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS ix_catalogue_objects_accompanying")
    op.drop_column("catalogue_objects", "accompanies")
