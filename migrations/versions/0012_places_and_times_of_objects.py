"""places and times of objects."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Everything here may run again: it leaves its transaction for the rows and indexes, and could be cut off among them.

COLUMNS = {
    "products": ("description text", "license text", "extent jsonb"),
    "catalogue_objects": (
        "geometry jsonb", "west float8", "south float8", "east float8", "north float8",
        "begins_at timestamptz", "ends_at timestamptz", "properties jsonb NOT NULL DEFAULT '{}'",
    ),
}  # fmt: skip

# What was catalogued before has the time of its newest file; the next import says the rest.
FILL = """
WITH batch AS (SELECT id FROM catalogue_objects WHERE id > :last ORDER BY id LIMIT 5000), filled AS (
    UPDATE catalogue_objects o SET begins_at = t.at, ends_at = t.at
    FROM batch CROSS JOIN LATERAL (
        SELECT coalesce(timestamptz 'epoch' + max(modified_ns) / 1000 * interval '1 microsecond', now()) AS at
        FROM catalogue_files f WHERE f.object_id = batch.id
    ) t
    WHERE o.id = batch.id AND o.begins_at IS NULL)
SELECT id FROM batch ORDER BY id DESC LIMIT 1
"""

CHECKS = {
    "box_is_one": "west <= east AND south <= north",
    "ends_after_it_begins": "begins_at <= ends_at",
    "geometry_and_box_together": "num_nulls(geometry, west, south, east, north) IN (0, 5)",
    "has_a_time": "begins_at IS NOT NULL AND ends_at IS NOT NULL",
}

INDEXES = {
    "ix_catalogue_objects_newest": "catalogue_objects (product_id, begins_at DESC, id DESC, ends_at)",
    "ix_catalogue_objects_footprint": "catalogue_objects USING gist (box(point(west, south), point(east, north))) WHERE west IS NOT NULL",
    "ix_catalogue_objects_newest_of_all": "catalogue_objects (begins_at DESC, id DESC)",
    "ix_catalogue_objects_during": "catalogue_objects USING gist (tstzrange(begins_at, ends_at, '[]'))",
    "ix_order_selections_object": "order_selections (object_id, order_id)",
    "ix_order_files_file": "order_files (file_id, order_id)",
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column}")
    for column in ("begins_at", "ends_at"):
        op.alter_column("catalogue_objects", column, server_default=sa.text("now()"))
    with op.get_context().autocommit_block():
        _fill()
        for name, condition in CHECKS.items():
            _check(name, condition)
        # Building an index waits for everybody's transactions, and blocks none of them meanwhile.
        op.execute("SET lock_timeout = 0")
        for name, where in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {where}")
        op.execute("SET lock_timeout = '5s'")
    # Proven by the check, so that no row is read under the lock.
    for column in ("begins_at", "ends_at"):
        op.alter_column("catalogue_objects", column, nullable=False)
    op.execute("ALTER TABLE catalogue_objects DROP CONSTRAINT ck_catalogue_objects_has_a_time")


def _fill() -> None:
    connection = op.get_bind()
    last = sa.bindparam("last", type_=postgresql.UUID(as_uuid=False))
    fill, found = sa.text(FILL).bindparams(last), "00000000-0000-0000-0000-000000000000"
    while (following := connection.execute(fill, {"last": found}).scalar()) is not None:
        found = str(following)


def _check(name: str, condition: str) -> None:
    """A constraint that is proven without keeping anybody from writing."""
    name = f"ck_catalogue_objects_{name}"
    op.execute(f"ALTER TABLE catalogue_objects DROP CONSTRAINT IF EXISTS {name}")
    op.execute(f"ALTER TABLE catalogue_objects ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE catalogue_objects VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.split()[0])
