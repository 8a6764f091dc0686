"""hashed keys: idempotency keys by their hashes, and no answer that shows a secret."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        UPDATE idempotency_keys SET
            key = encode(sha256(convert_to(caller || chr(10) || key, 'UTF8')), 'hex'),
            body = CASE WHEN headers ->> 'Cache-Control' = 'no-store' THEN '' ELSE body END
    """)


def downgrade() -> None:
    # Nobody can tell a key from its hash: a request sent again across the way back has its effect again.
    op.execute("DELETE FROM idempotency_keys")
