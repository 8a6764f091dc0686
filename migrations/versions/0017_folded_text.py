"""folded text: what people write is searched and unique whatever its case and Unicode form; no deleted order holds a label.

Whoever places orders with an older version meanwhile is answered 500: it names a constraint that is gone.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Everything here may run again: it leaves its transaction for the indexes, and could be cut off among them.

# What `str.casefold` does to each character, for PostgreSQL has a casefold of its own since 18 only.
FOLDED_CHARACTERS = json.dumps(
    {char: char.casefold() for char in map(chr, range(0x80, 0x110000)) if char.casefold() != char}
    | {char: char.lower() for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    separators=(",", ":"),
    ensure_ascii=False,
)

# The same as `models.text.folded`. It names nothing but PostgreSQL's own, for indexes are built under no search path.
FOLDED = """
CREATE OR REPLACE FUNCTION folded(text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF octet_length($1) = char_length($1) THEN
        RETURN lower($1 COLLATE "C");
    END IF;
    RETURN (SELECT normalize(string_agg(coalesce($map${characters}$map$::jsonb ->> c, c), '' ORDER BY n), NFC)
        FROM regexp_split_to_table(normalize($1, NFD), '') WITH ORDINALITY AS s (c, n));
END $$
"""
FOLDED_ALL = """
CREATE OR REPLACE FUNCTION folded_all(text[]) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(SELECT {schema}.folded(t) FROM unnest($1) WITH ORDINALITY AS s (t, n) ORDER BY n);
END $$
"""

SEARCH = r"""
CREATE OR REPLACE FUNCTION orders_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search := folded(concat_ws(E'\n', NEW.id, NEW.number, NEW.label, NEW.customer,
        array_to_string(NEW.skus, E'\n'), array_to_string(NEW.product_names, E'\n')));
    RETURN NEW;
END $$
"""
SEARCH_BEFORE = r"""
CREATE OR REPLACE FUNCTION orders_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search := lower(concat_ws(E'\n', NEW.id, NEW.number, NEW.label, NEW.customer,
        array_to_string(NEW.skus, E'\n'), array_to_string(NEW.product_names, E'\n')) COLLATE pg_c_utf8);
    RETURN NEW;
END $$
"""

# Of texts that are one now the oldest keeps its own; each of the others gets the first free number and loses nothing.
NUMBER_TWINS = """
DO $$
DECLARE twin record; count integer; candidate text;
BEGIN
    FOR twin IN
        SELECT id, owner, written FROM (
            SELECT id, {owner} AS owner, {text} AS written, created_at,
                row_number() OVER (PARTITION BY {owner}, folded({text}) ORDER BY created_at, id) AS place
            FROM {table} WHERE {where}) found
        WHERE place > 1 ORDER BY created_at, id
    LOOP
        count := 1;
        LOOP
            count := count + 1;
            candidate := twin.written || ' (' || count || ')';
            EXIT WHEN NOT EXISTS (SELECT FROM {table}
                WHERE {owner} = twin.owner AND {where} AND folded({text}) = folded(candidate));
        END LOOP;
        UPDATE {table} SET {text} = candidate WHERE id = twin.id;
    END LOOP;
END $$
"""
LABELS = {"table": "orders", "owner": "customer", "text": "label", "where": "status <> 'deleted'"}
VIEWS = {"table": "saved_views", "owner": "owner", "text": "name", "where": "true"}

TIDY = [
    "UPDATE orders SET label = btrim(normalize(label, NFC)) WHERE label <> btrim(normalize(label, NFC))",
    "UPDATE saved_views SET name = normalize(name, NFC) WHERE name IS NOT NFC NORMALIZED",
    *(
        f"UPDATE {table} SET {column} = ARRAY(SELECT normalize(t, NFC) FROM unnest({column}) AS t)"  # noqa: S608
        f" WHERE EXISTS (SELECT FROM unnest({column}) AS t WHERE t IS NOT NFC NORMALIZED)"
        for table, column in [("orders", "tags"), ("products", "access_groups"), ("people", "groups")]
    ),
]

FILL = """
WITH batch AS (
    SELECT id, folded(concat_ws(E'\\n', id, number, label, customer, array_to_string(skus, E'\\n'),
        array_to_string(product_names, E'\\n'))) AS search
    FROM orders WHERE id > :last ORDER BY id LIMIT 5000
), filled AS (
    UPDATE orders o SET search = batch.search FROM batch WHERE o.id = batch.id AND o.search <> batch.search
)
SELECT id FROM batch ORDER BY id DESC LIMIT 1
"""

INDEXES = {
    "uq_orders_customer_folded_label": "UNIQUE INDEX {} ON orders (customer, folded(label)) WHERE status <> 'deleted'",
    "uq_saved_views_owner_folded_name": "UNIQUE INDEX {} ON saved_views (owner, folded(name))",
    "ix_orders_folded_tags": "INDEX {} ON orders USING gin (folded_all(tags)) WHERE tags <> '{{}}'::text[]",
}


def upgrade() -> None:
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    op.get_bind().exec_driver_sql(FOLDED.format(characters=FOLDED_CHARACTERS))
    op.execute(FOLDED_ALL.format(schema=schema))
    op.execute(SEARCH)
    op.execute("ALTER TABLE orders DROP CONSTRAINT IF EXISTS uq_orders_customer_label")
    op.execute("ALTER TABLE saved_views DROP CONSTRAINT IF EXISTS uq_saved_views_owner_name")
    for tidy in TIDY:
        op.execute(tidy)
    for twins in (LABELS, VIEWS):
        op.execute(NUMBER_TWINS.format(**twins))
    with op.get_context().autocommit_block():
        _fill()
        # Building an index waits for everybody's transactions, and blocks none of them meanwhile.
        op.execute("SET lock_timeout = 0")
        for name, index in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute("CREATE " + index.format(name).replace("INDEX", "INDEX CONCURRENTLY", 1))
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_orders_tags")
        op.execute("SET lock_timeout = '5s'")


def _fill() -> None:
    """Write what orders are searched by where it is another now, five thousand at a time."""
    last: object = "00000000-0000-0000-0000-000000000000"
    while last is not None:
        last = op.get_bind().execute(sa.text(FILL), {"last": last}).scalar_one_or_none()


def downgrade() -> None:
    op.execute("CREATE INDEX ix_orders_tags ON orders USING gin (tags) WHERE tags <> '{}'::text[]")
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
    # Labels of deleted orders may be others' by now.
    op.execute(NUMBER_TWINS.format(**LABELS | {"where": "true"}).replace("folded(", "("))
    op.create_unique_constraint("uq_orders_customer_label", "orders", ["customer", "label"])
    op.create_unique_constraint("uq_saved_views_owner_name", "saved_views", ["owner", "name"])
    op.execute(SEARCH_BEFORE)
    op.execute("DROP FUNCTION folded_all(text[])")
    op.execute("DROP FUNCTION folded(text)")
