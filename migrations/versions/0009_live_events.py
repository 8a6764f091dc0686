"""live events."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# One place tells of every change, whoever makes it. Progress alone is told at most once a second for each order:
# a notification takes a global lock at commit. An insert is told of after the fact, for it may come to nothing.
TELL = """
CREATE FUNCTION tell_of_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.status, NEW.version, NEW.label) = (OLD.status, OLD.version, OLD.label) THEN
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


def upgrade() -> None:
    op.execute("CREATE SEQUENCE change_serial")
    op.add_column("orders", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(TELL)
    op.execute("CREATE TRIGGER orders_tell_insert AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION tell_of_order()")
    op.execute(
        "CREATE TRIGGER orders_tell_update BEFORE UPDATE OF status, version, label, bytes_settled, files_available,"
        " files_failed ON orders FOR EACH ROW EXECUTE FUNCTION tell_of_order()"
    )
    op.create_index(
        "ix_suborders_unsettled",
        "suborders",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state IN ('planned', 'waiting_slot', 'staging')"),
    )


def downgrade() -> None:
    op.drop_index("ix_suborders_unsettled", table_name="suborders")
    op.execute("DROP TRIGGER orders_tell_update ON orders")
    op.execute("DROP TRIGGER orders_tell_insert ON orders")
    op.execute("DROP FUNCTION tell_of_order()")
    op.drop_column("orders", "told_at")
    op.execute("DROP SEQUENCE change_serial")
