"""failure policies: what an order wants done where something of it cannot be delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0032"
branch_labels = None
depends_on = None

_CHECKS = {
    "on_missing_known": "on_missing IN ('deliver_the_rest', 'refuse')",
    "max_failed_percent_is_a_percentage": "max_failed_percent BETWEEN 0 AND 100",
}


def upgrade() -> None:
    op.add_column("orders", sa.Column("on_missing", sa.Text(), server_default="deliver_the_rest", nullable=False))
    op.add_column("orders", sa.Column("max_failed_percent", sa.Numeric(), nullable=True))
    for name, condition in _CHECKS.items():
        # No row can violate it: what is checked later is checked without a lock on writes.
        op.execute(f"ALTER TABLE orders ADD CONSTRAINT ck_orders_{name} CHECK ({condition}) NOT VALID")
    with op.get_context().autocommit_block():
        for name in _CHECKS:
            op.execute(f"ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_{name}")


def downgrade() -> None:
    op.drop_column("orders", "max_failed_percent")
    op.drop_column("orders", "on_missing")
