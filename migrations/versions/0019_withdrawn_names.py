"""withdrawn names: what comes back to the catalogue gets its old id."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("products", sa.Column("document", sa.Text(), nullable=True))
    op.add_column("catalogue_objects", sa.Column("document", sa.Text(), nullable=True))
    op.create_table(
        "withdrawn_products",
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_withdrawn_products")),
        sa.UniqueConstraint("id", name=op.f("uq_withdrawn_products_id")),
    )
    op.create_table(
        "withdrawn_objects",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("product_id", "name", name=op.f("pk_withdrawn_objects")),
        sa.UniqueConstraint("id", name=op.f("uq_withdrawn_objects_id")),
    )
    op.create_table(
        "withdrawn_files",
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("modified_ns", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_before", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("object_id", "name", name=op.f("pk_withdrawn_files")),
        sa.UniqueConstraint("id", name=op.f("uq_withdrawn_files_id")),
    )


def downgrade() -> None:
    for table in ("withdrawn_files", "withdrawn_objects", "withdrawn_products"):
        op.drop_table(table)
    op.drop_column("catalogue_objects", "document")
    op.drop_column("products", "document")
    op.drop_column("products", "source")
