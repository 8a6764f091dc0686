"""sessions of users: a user's are counted with each login, and ended together."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # Building an index waits for everybody's transactions, and blocks none of them meanwhile.
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_sessions_customer")
        op.execute("CREATE INDEX CONCURRENTLY ix_sessions_customer ON sessions (customer, created_at)")
        op.execute("SET lock_timeout = '5s'")


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS ix_sessions_customer")
