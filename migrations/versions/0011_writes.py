"""writes: idempotency keys, tags, notes, saved views."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


# As in 0009, and a change of what people write beside an order is a change too.
TELL = """
CREATE OR REPLACE FUNCTION tell_of_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.status, NEW.version, NEW.label{more_new}) = (OLD.status, OLD.version, OLD.label{more_old})
    THEN
        IF (NEW.bytes_settled, NEW.files_available, NEW.files_failed)
            = (OLD.bytes_settled, OLD.files_available, OLD.files_failed)
            OR OLD.told_at > clock_timestamp() - interval '1 second'
        THEN
            RETURN NEW;
        END IF;
    END IF;
    NEW.told_at := clock_timestamp();
    PERFORM pg_notify('consignor_orders', json_build_object(
        'id', nextval('change_serial'), 'order', NEW.id, 'customer', left(NEW.customer, 1000),
        'status', NEW.status, 'version', NEW.version)::text);
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE OR REPLACE TRIGGER orders_tell_update BEFORE UPDATE OF status, version, label, bytes_settled, files_available,
    files_failed{more} ON orders FOR EACH ROW EXECUTE FUNCTION tell_of_order()
"""


def upgrade() -> None:
    # Constant defaults: no row is written, the lock is short.
    op.add_column("orders", sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("orders", sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.execute(TELL.format(more_new=", NEW.revision", more_old=", OLD.revision"))
    op.execute(TRIGGER.format(more=", revision"))
    op.create_index(
        "ix_orders_tags",
        "orders",
        ["tags"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("tags <> '{}'::text[]"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"], unique=False)
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("visibility IN ('customer', 'operators')", name=op.f("ck_notes_visibility_known")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_notes_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_order_id", "notes", ["order_id", "id"], unique=False)
    op.create_table(
        "note_wordings",
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name=op.f("fk_note_wordings_note_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("note_id", "sequence", name=op.f("pk_note_wordings")),
    )
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(), nullable=False),
        sa.Column("sort", sa.Text(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_saved_views_owner_name")),
    )
    op.create_index("ix_saved_views_shared", "saved_views", ["name"], unique=False, postgresql_where=sa.text("shared"))


def downgrade() -> None:
    op.drop_table("saved_views")
    op.drop_table("note_wordings")
    op.drop_table("notes")
    op.drop_table("idempotency_keys")
    op.drop_index("ix_orders_tags", table_name="orders")
    op.execute(TRIGGER.format(more=""))
    op.execute(TELL.format(more_new="", more_old=""))
    op.drop_column("orders", "revision")
    op.drop_column("orders", "tags")
