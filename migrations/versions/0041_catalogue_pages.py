"""catalogue pages: an import of an API that was cut goes on where it was."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogue_pages",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("following", sa.LargeBinary(), nullable=True),
        sa.Column("items", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("source", "number", name=op.f("pk_catalogue_pages")),
    )


def downgrade() -> None:
    op.drop_table("catalogue_pages")
