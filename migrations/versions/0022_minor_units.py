"""minor units: amounts have the decimals of their currency, not always two. No table is rewritten."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_AMOUNTS = (
    ("products", "unit_price"),
    ("orders", "total_price"),
    ("order_items", "unit_price"),
    ("order_items", "line_total"),
    ("payments", "amount"),
)


def upgrade() -> None:
    for table, column in _AMOUNTS:
        op.alter_column(table, column, type_=sa.Numeric())


def downgrade() -> None:
    # Nothing may lose what it cost: an amount with more than two decimals stops the way back.
    for table, column in _AMOUNTS:
        op.execute(f"""
            DO $$ BEGIN
                IF EXISTS (SELECT FROM {table} WHERE min_scale({column}) > 2) THEN
                    RAISE EXCEPTION '{table}.{column} has amounts with more than two decimals';
                END IF;
            END $$
        """)
    for table, column in _AMOUNTS:
        op.alter_column(table, column, type_=sa.Numeric(12, 2))
