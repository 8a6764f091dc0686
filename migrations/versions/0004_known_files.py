"""known files."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_files",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_known_files")),
    )
    # Never filled: what sealing learns stands in known_files, with the version it is true of.
    op.drop_column("catalogue_files", "crc32")


def downgrade() -> None:
    op.add_column("catalogue_files", sa.Column("crc32", sa.BigInteger(), nullable=True))
    op.drop_table("known_files")
