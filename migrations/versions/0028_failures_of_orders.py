"""failures of orders: orders are listed by the code they failed by."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # Building an index waits for everybody's transactions, and blocks none of them meanwhile.
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_orders_failure")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_orders_failure ON orders (failure_code, created_at DESC, id DESC)"
            " WHERE failure_code IS NOT NULL"
        )
        op.execute("SET lock_timeout = '5s'")


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS ix_orders_failure")
