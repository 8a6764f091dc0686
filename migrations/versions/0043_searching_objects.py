"""searching objects: what they are searched and counted by stands beside them, and products have texts in languages."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

# Everything here may run again: it leaves its transaction for the rows and indexes, and could be cut off among them.

COLUMNS = {
    "products": ("titles jsonb NOT NULL DEFAULT '{}'", "descriptions jsonb NOT NULL DEFAULT '{}'"),
    "catalogue_objects": (
        "search text NOT NULL DEFAULT ''", "files integer NOT NULL DEFAULT 0", "bytes bigint NOT NULL DEFAULT 0",
        "kinds text[] NOT NULL DEFAULT '{}'", "tiers text[] NOT NULL DEFAULT '{}'",
    ),
}  # fmt: skip

COUNTS = """
CREATE TABLE IF NOT EXISTS object_counts (
    product_id bigint NOT NULL,
    year integer NOT NULL,
    kinds text[] NOT NULL,
    tiers text[] NOT NULL,
    objects bigint NOT NULL,
    files bigint NOT NULL,
    bytes bigint NOT NULL,
    CONSTRAINT pk_object_counts PRIMARY KEY (product_id, year, kinds, tiers)
)
"""

# `keywords` are a list, or a text that a source wrote instead of one.
SEARCHED = "{schema}folded(concat_ws(E'\\n', {o}.name, {o}.properties ->> 'title', {o}.properties ->> 'keywords'))"

# What an object holds, in the order in which `models.tables.catalogue` names kinds and tiers.
WEIGHED = """
    SELECT f.object_id, count(*)::integer AS files, sum(f.size_bytes)::bigint AS bytes,
        array_remove(ARRAY[CASE WHEN bool_or(f.kind = 'data') THEN 'data' END,
            CASE WHEN bool_or(f.kind = 'quicklook') THEN 'quicklook' END,
            CASE WHEN bool_or(f.kind = 'metadata') THEN 'metadata' END], NULL) AS kinds,
        array_remove(ARRAY[CASE WHEN bool_or(f.tier = 'online') THEN 'online' END,
            CASE WHEN bool_or(f.tier = 'nearline') THEN 'nearline' END], NULL) AS tiers
    FROM catalogue_files f
"""

MOVED = {
    "added": "SELECT 1 AS n, a.* FROM added a WHERE NOT accompanies",
    "removed": "SELECT -1 AS n, r.* FROM removed r WHERE NOT accompanies",
    "changed": "SELECT 1 AS n, a.* FROM added a WHERE NOT accompanies UNION ALL SELECT -1, r.* FROM removed r WHERE NOT accompanies",
}

WEIGH = """
CREATE OR REPLACE FUNCTION catalogue_files_weigh() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE $sql$
    UPDATE catalogue_objects o
    SET files = w.files, bytes = w.bytes, kinds = w.kinds, tiers = w.tiers
    FROM ({weighed} WHERE f.object_id IN (SELECT object_id FROM touched) GROUP BY f.object_id) w
    WHERE o.id = w.object_id AND (o.files, o.bytes, o.kinds, o.tiers) IS DISTINCT FROM
        (w.files, w.bytes, w.kinds, w.tiers)
    $sql$;
    RETURN NULL;
END $$
"""

COUNT = """
CREATE OR REPLACE FUNCTION object_counts_{action}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH moved AS ({moved}), changes AS (
        SELECT product_id, extract(year FROM begins_at AT TIME ZONE 'UTC')::integer AS year, kinds, tiers,
            sum(n) AS objects, sum(n * files) AS files, sum(n * bytes) AS bytes
        FROM moved GROUP BY 1, 2, 3, 4
        HAVING sum(n) <> 0 OR sum(n * files) <> 0 OR sum(n * bytes) <> 0
        ORDER BY 1, 2, 3, 4
    )
    INSERT INTO object_counts AS c SELECT * FROM changes
    ON CONFLICT (product_id, year, kinds, tiers) DO UPDATE SET objects = c.objects + excluded.objects,
        files = c.files + excluded.files, bytes = c.bytes + excluded.bytes;
    RETURN NULL;
END $$
"""

FUNCTIONS = [
    f"""
CREATE OR REPLACE FUNCTION catalogue_objects_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search := {SEARCHED.format(schema="", o="NEW")};
    RETURN NEW;
END $$
""",
    # An object that has lost its last file is withdrawn in the same transaction: to weigh it would only cost time. It
    # is planned each time, for a plan that is right for one file takes for ever for a million.
    WEIGH.format(weighed=WEIGHED),
    *(COUNT.format(action=action, moved=moved) for action, moved in MOVED.items()),
]

TRIGGERS = {
    "catalogue_objects_search": "BEFORE INSERT OR UPDATE OF name, properties ON catalogue_objects"
    " FOR EACH ROW EXECUTE FUNCTION catalogue_objects_search()",
    "catalogue_files_added": "AFTER INSERT ON catalogue_files REFERENCING NEW TABLE AS touched"
    " FOR EACH STATEMENT EXECUTE FUNCTION catalogue_files_weigh()",
    "catalogue_files_changed": "AFTER UPDATE ON catalogue_files REFERENCING NEW TABLE AS touched"
    " FOR EACH STATEMENT EXECUTE FUNCTION catalogue_files_weigh()",
    "catalogue_files_removed": "AFTER DELETE ON catalogue_files REFERENCING OLD TABLE AS touched"
    " FOR EACH STATEMENT EXECUTE FUNCTION catalogue_files_weigh()",
    "catalogue_objects_added": "AFTER INSERT ON catalogue_objects REFERENCING NEW TABLE AS added"
    " FOR EACH STATEMENT EXECUTE FUNCTION object_counts_added()",
    "catalogue_objects_changed": "AFTER UPDATE ON catalogue_objects REFERENCING NEW TABLE AS added OLD TABLE AS removed"
    " FOR EACH STATEMENT EXECUTE FUNCTION object_counts_changed()",
    "catalogue_objects_removed": "AFTER DELETE ON catalogue_objects REFERENCING OLD TABLE AS removed"
    " FOR EACH STATEMENT EXECUTE FUNCTION object_counts_removed()",
}

FILL = f"""
WITH batch AS (SELECT id FROM catalogue_objects WHERE id > :last ORDER BY id LIMIT 5000), filled AS (
    UPDATE catalogue_objects o SET search = {SEARCHED.format(schema="", o="o")}, files = w.files, bytes = w.bytes,
        kinds = w.kinds, tiers = w.tiers
    FROM ({WEIGHED} WHERE f.object_id IN (SELECT id FROM batch) GROUP BY f.object_id) w
    WHERE o.id = w.object_id AND o.files = 0)
SELECT id FROM batch ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - nothing of a stranger's

INDEXES = {
    "ix_catalogue_objects_search": "catalogue_objects USING gin (search gin_trgm_ops)",
    "ix_catalogue_objects_properties": "catalogue_objects USING gin (properties jsonb_path_ops)",
    "ix_catalogue_objects_cloud_cover": "catalogue_objects ((properties -> 'eo:cloud_cover'))"
    " WHERE properties -> 'eo:cloud_cover' IS NOT NULL",
    "ix_catalogue_objects_by_name": "catalogue_objects (name, id)",
    "ix_catalogue_objects_by_size": "catalogue_objects (bytes, id)",
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column}")
    op.execute(COUNTS)
    for function in FUNCTIONS:
        op.get_bind().exec_driver_sql(function)
    for name, trigger in TRIGGERS.items():
        op.execute(f"CREATE OR REPLACE TRIGGER {name} {trigger}")
    # Nobody writes until this transaction, which has made triggers, has ended: from then on these count.
    op.execute("DELETE FROM object_counts")
    op.execute(
        "INSERT INTO object_counts SELECT product_id, extract(year FROM begins_at AT TIME ZONE 'UTC')::integer, kinds,"
        " tiers, count(*), sum(files), sum(bytes) FROM catalogue_objects WHERE NOT accompanies GROUP BY 1, 2, 3, 4"
    )
    with op.get_context().autocommit_block():
        _fill()
        # Building an index waits for everybody's transactions, and blocks none of them meanwhile.
        op.execute("SET lock_timeout = 0")
        for name, where in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {where}")
        op.execute("SET lock_timeout = '5s'")


def _fill() -> None:
    last: object = "00000000-0000-0000-0000-000000000000"
    while last is not None:
        last = op.get_bind().execute(sa.text(FILL), {"last": last}).scalar_one_or_none()


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    for name, trigger in TRIGGERS.items():
        op.execute(
            f"DROP TRIGGER {name} ON {'catalogue_files' if ' ON catalogue_files' in trigger else 'catalogue_objects'}"
        )
    for function in ("catalogue_objects_search", "catalogue_files_weigh", *(f"object_counts_{a}" for a in MOVED)):
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("object_counts")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.split()[0])
