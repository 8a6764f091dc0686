"""failures of files: orders are found by the codes that their files failed by."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # Building an index waits for everybody's transactions, and blocks none of them meanwhile.
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_order_files_failure")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_order_files_failure ON order_files (order_id, failure_code)"
            " WHERE failure_code IS NOT NULL"
        )
        op.execute("SET lock_timeout = '5s'")


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS ix_order_files_failure")
