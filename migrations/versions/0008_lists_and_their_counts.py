"""lists and their counts."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Everything here may run again: it leaves its transaction for the indexes, and could be cut off among them.

# The server's own since PostgreSQL 17, which finds its own first. Before that: that of the C library, or else of ICU.
COLLATION = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_collation WHERE collname = 'pg_c_utf8' AND pg_collation_is_visible(oid)) THEN
        BEGIN
            CREATE COLLATION pg_c_utf8 (provider = libc, locale = 'C.UTF-8');
        EXCEPTION WHEN others THEN
            CREATE COLLATION pg_c_utf8 (provider = icu, locale = 'und');
        END;
    END IF;
END $$
"""

SEARCH = r"""
CREATE OR REPLACE FUNCTION orders_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search := lower(concat_ws(E'\n', NEW.id, NEW.number, NEW.label, NEW.customer,
        array_to_string(NEW.skus, E'\n'), array_to_string(NEW.product_names, E'\n')) COLLATE pg_c_utf8);
    RETURN NEW;
END $$
"""

ADD = """
    INSERT INTO order_counts AS c (customer, status, slot, orders, changes)
    SELECT who.customer, d.status, pg_backend_pid() % 16, sum(d.orders), sum(d.changes)
    FROM ({}) d CROSS JOIN LATERAL (VALUES (d.customer), ('')) AS who (customer)
    GROUP BY who.customer, d.status
    ORDER BY who.customer, d.status
    ON CONFLICT (customer, status, slot)
    DO UPDATE SET orders = c.orders + excluded.orders, changes = c.changes + excluded.changes
"""
COME = "SELECT customer, status, count(*) AS orders, count(*) AS changes FROM {} GROUP BY customer, status"
GONE = "SELECT customer, status, -count(*) AS orders, count(*) AS changes FROM old_orders GROUP BY customer, status"
MOVED = """
    SELECT n.customer, n.status, 1 AS orders, 1 AS changes FROM new_orders n JOIN old_orders o USING (id)
    WHERE n.version <> o.version OR n.status <> o.status OR n.customer <> o.customer
    UNION ALL
    SELECT o.customer, o.status, -1, 0 FROM new_orders n JOIN old_orders o USING (id)
    WHERE n.version <> o.version OR n.status <> o.status OR n.customer <> o.customer
"""

COUNT = f"""
CREATE OR REPLACE FUNCTION orders_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN {ADD.format(COME.format("new_orders"))};
    ELSIF TG_OP = 'UPDATE' THEN {ADD.format(MOVED)};
    ELSIF TG_OP = 'DELETE' THEN {ADD.format(GONE)};
    ELSE DELETE FROM order_counts;
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608 - all of it is written above

TRIGGERS = {
    "orders_search": """BEFORE INSERT OR UPDATE OF id, number, label, customer, skus, product_names ON orders
        FOR EACH ROW EXECUTE FUNCTION orders_search()""",
    "orders_count_come": """AFTER INSERT ON orders REFERENCING NEW TABLE AS new_orders
        FOR EACH STATEMENT EXECUTE FUNCTION orders_count()""",
    "orders_count_moved": """AFTER UPDATE ON orders REFERENCING OLD TABLE AS old_orders NEW TABLE AS new_orders
        FOR EACH STATEMENT EXECUTE FUNCTION orders_count()""",
    "orders_count_gone": """AFTER DELETE ON orders REFERENCING OLD TABLE AS old_orders
        FOR EACH STATEMENT EXECUTE FUNCTION orders_count()""",
    "orders_count_emptied": "AFTER TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION orders_count()",
}

FILL = """
WITH batch AS (SELECT id FROM orders WHERE id > :last ORDER BY id LIMIT 5000), filled AS (
    UPDATE orders o SET
        skus = ARRAY(SELECT sku FROM order_items i WHERE i.order_id = o.id ORDER BY position),
        product_names = ARRAY(SELECT name FROM order_items i WHERE i.order_id = o.id ORDER BY position)
    FROM batch WHERE o.id = batch.id
    RETURNING o.id)
SELECT id FROM filled ORDER BY id DESC LIMIT 1
"""

INDEXES = {
    "ix_orders_status_newest": "orders (status, created_at DESC, id DESC)",
    "ix_orders_customer_status_newest": "orders (customer, status, created_at DESC, id DESC)",
    "ix_orders_changed": "orders (status_at DESC, id DESC)",
    "ix_orders_size": "orders (bytes_total DESC, id DESC)",
    "ix_orders_expiry": "orders (COALESCE(expires_at, 'infinity'::timestamp with time zone) DESC, id DESC)",
    "ix_orders_in_numbers_order": "orders (lpad(number, 32, '0'::text) DESC, id DESC)",
    "ix_orders_with_errors": "orders (created_at DESC, id DESC) WHERE files_failed > 0",
    "ix_orders_skus": "orders USING gin (skus)",
    "ix_orders_search": "orders USING gin (search gin_trgm_ops)",
    "ix_suborders_ready": "suborders (order_id) WHERE state = 'ready'",
}


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    # Constant defaults: no row is written, the lock is short.
    op.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS skus text[] DEFAULT '{}' NOT NULL")
    op.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS product_names text[] DEFAULT '{}' NOT NULL")
    op.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS search text DEFAULT '' NOT NULL")
    op.create_table(
        "order_counts",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "status", "slot", name=op.f("pk_order_counts")),
        postgresql_with={"fillfactor": "50"},
        if_not_exists=True,
    )
    op.execute(COLLATION)
    op.execute(SEARCH)
    op.execute(COUNT)
    for name, when in TRIGGERS.items():
        op.execute(f"CREATE OR REPLACE TRIGGER {name} {when}")
    # The triggers' lock keeps writers out until what is there has been counted, in under a second a million.
    op.execute("DELETE FROM order_counts")
    op.execute(ADD.format(COME.format("orders")))
    with op.get_context().autocommit_block():
        _fill()
        # Building an index waits for everybody's transactions, and blocks none of them meanwhile.
        op.execute("SET lock_timeout = 0")
        for name, where in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {where}")
        op.execute("SET lock_timeout = '5s'")


def _fill() -> None:
    """Write what orders are searched by, five thousand at a time."""
    last: object = "00000000-0000-0000-0000-000000000000"
    while last is not None:
        last = op.get_bind().execute(sa.text(FILL), {"last": last}).scalar_one_or_none()


def downgrade() -> None:
    for name in reversed(INDEXES):
        op.execute(f"DROP INDEX IF EXISTS {name}")
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER IF EXISTS {name} ON orders")
    op.execute("DROP FUNCTION orders_count()")
    op.execute("DROP FUNCTION orders_search()")
    op.execute("DROP COLLATION IF EXISTS public.pg_c_utf8")
    op.drop_table("order_counts")
    op.drop_column("orders", "search")
    op.drop_column("orders", "product_names")
    op.drop_column("orders", "skus")
    op.execute("DROP EXTENSION IF EXISTS pg_trgm")
