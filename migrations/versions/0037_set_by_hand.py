"""set by hand: what administrators set of products, and a record of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_LIMITS = ("most_objects", "most_bytes")


def upgrade() -> None:
    op.create_table(
        "admin_acts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_acts")),
    )
    op.create_index("ix_admin_acts_of_subject", "admin_acts", ["kind", "subject", sa.literal_column("id DESC")])
    # A constant default writes no row, and an older version that runs beside it need not name the column.
    op.add_column(
        "products", sa.Column("set_by_hand", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    for name in _LIMITS:
        op.add_column("products", sa.Column(name, sa.BigInteger(), nullable=True))
        op.create_check_constraint(op.f(f"ck_products_{name}_positive"), "products", f"{name} > 0")


def downgrade() -> None:
    for name in (*_LIMITS, "set_by_hand"):
        op.drop_column("products", name)
    op.drop_table("admin_acts")
