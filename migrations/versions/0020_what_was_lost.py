"""what was lost: what orders select and the catalogue has lost is found by its name, now or when it comes back."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Names are those of objects, or `object/file` where one file is selected.
LOST = """
CREATE TEMPORARY TABLE lost ON COMMIT DROP AS
SELECT s.order_id, s.seq, i.product_id, s.name, s.object_id, s.file_id, r.created_at,
    coalesce(o.name, CASE WHEN s.file_id IS NULL THEN s.name ELSE split_part(s.name, '/', 1) END) AS object_name
FROM order_selections s JOIN order_items i USING (order_id, position) JOIN orders r ON r.id = s.order_id
LEFT JOIN catalogue_objects o ON o.id = s.object_id
WHERE o.id IS NULL OR s.file_id IS NOT NULL AND NOT EXISTS (SELECT FROM catalogue_files f WHERE f.id = s.file_id)
"""

# What has come back under another id.
FOUND = """
CREATE TEMPORARY TABLE found ON COMMIT DROP AS
SELECT l.order_id, l.seq, l.created_at, o.id AS object_id, NULL::uuid AS file_id
FROM lost l JOIN catalogue_objects o ON (o.product_id, o.name) = (l.product_id, l.name)
WHERE l.file_id IS NULL
UNION ALL
SELECT l.order_id, l.seq, l.created_at, o.id, f.id
FROM lost l JOIN catalogue_objects o ON o.product_id = l.product_id
JOIN catalogue_files f ON f.object_id = o.id AND o.name || '/' || f.name = l.name
WHERE l.file_id IS NOT NULL
"""

SELECT_FOUND = """
UPDATE order_selections s SET object_id = f.object_id, file_id = f.file_id
FROM found f WHERE (s.order_id, s.seq) = (f.order_id, f.seq)
"""

# Nobody knows whether it is as it was. It is taken for that: its orders were refused without a reason.
UNCHANGED = """
UPDATE catalogue_objects o SET changed_at = f.ordered_at
FROM (SELECT object_id, min(created_at) AS ordered_at FROM found GROUP BY object_id) f
WHERE o.id = f.object_id AND o.changed_at > f.ordered_at
"""

STILL_LOST = "DELETE FROM lost l USING found f WHERE (l.order_id, l.seq) = (f.order_id, f.seq)"

# Of several ids that one name has had, one stays, and all of its orders select that.
OBJECTS = """
INSERT INTO withdrawn_objects (product_id, name, id, withdrawn_at, changed_at)
SELECT DISTINCT ON (product_id, object_name) product_id, object_name, object_id, now(),
    min(created_at) OVER (PARTITION BY product_id, object_name)
FROM lost l
WHERE NOT EXISTS (SELECT FROM catalogue_objects o WHERE (o.product_id, o.name) = (l.product_id, l.object_name))
ORDER BY product_id, object_name, created_at DESC
ON CONFLICT DO NOTHING
"""

FILES = """
INSERT INTO withdrawn_files (object_id, name, id, withdrawn_at, changed_before)
SELECT DISTINCT ON (1, 2) coalesce(o.id, w.id), substr(l.name, length(l.object_name) + 2), l.file_id, now(),
    min(l.created_at) OVER (PARTITION BY l.product_id, l.name)
FROM lost l
LEFT JOIN catalogue_objects o ON (o.product_id, o.name) = (l.product_id, l.object_name)
LEFT JOIN withdrawn_objects w ON (w.product_id, w.name) = (l.product_id, l.object_name)
WHERE l.file_id IS NOT NULL AND coalesce(o.id, w.id) IS NOT NULL
ORDER BY 1, 2, l.created_at DESC
ON CONFLICT DO NOTHING
"""

SELECT_LOST = """
UPDATE order_selections s SET object_id = k.object_id, file_id = k.file_id
FROM (
    SELECT l.order_id, l.seq, coalesce(o.id, w.id) AS object_id, f.id AS file_id
    FROM lost l
    LEFT JOIN catalogue_objects o ON (o.product_id, o.name) = (l.product_id, l.object_name)
    LEFT JOIN withdrawn_objects w ON (w.product_id, w.name) = (l.product_id, l.object_name)
    LEFT JOIN withdrawn_files f ON l.file_id IS NOT NULL AND f.object_id = coalesce(o.id, w.id)
        AND f.name = substr(l.name, length(l.object_name) + 2)
    WHERE (l.file_id IS NULL) = (f.id IS NULL)
) k
WHERE (s.order_id, s.seq) = (k.order_id, k.seq) AND k.object_id IS NOT NULL
    AND (s.object_id, s.file_id) IS DISTINCT FROM (k.object_id, k.file_id)
"""


def upgrade() -> None:
    steps = (LOST, "ANALYZE lost", FOUND, SELECT_FOUND, UNCHANGED, STILL_LOST, OBJECTS, FILES, SELECT_LOST)
    for statement in steps:
        op.execute(statement)


def downgrade() -> None:
    """Change nothing: orders select what is there."""
