"""Keeps what an import could not look at: known files of such places count as found, as they were."""

from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import SourceUnreadable
from models.labels import counted
from models.text import shown
from services.catalogue.merge_objects import copy_into
from services.catalogue.source_contents import FoundProduct, Scope, Unseen
from services.catalogue.tree import is_below

MAX_NAMED: Final = 1_000
_SHOWN: Final = 5

_UNSEEN: Final = """
    CREATE TEMPORARY TABLE unseen (scope text NOT NULL, path text NOT NULL, object_name text NOT NULL) ON COMMIT DROP
"""

# What leads to a collection that the catalogue knows led to nothing else; of anything else nobody knows.
_CHILDREN: Final = """
    INSERT INTO unseen SELECT DISTINCT 'all', '', '' FROM unseen u
    WHERE u.scope = 'child' AND NOT EXISTS (SELECT FROM products p WHERE p.document = u.path)
"""

# Set by set: asked of each file, the same takes ten times as long. An object of which it is not known what described it
# may have been described by anything.
_KEEP: Final = sa.text("""
    WITH missing AS MATERIALIZED (
        SELECT k.*, EXISTS (SELECT FROM incoming i WHERE i.object_name = k.object_name) AS object_found
        FROM known k
        WHERE NOT EXISTS (SELECT FROM incoming i WHERE (i.object_name, i.name) = (k.object_name, k.name))
    ), kept AS (
        SELECT m.id FROM missing m WHERE EXISTS (SELECT FROM unseen WHERE scope = 'all')
        UNION
        SELECT m.id
        FROM missing m CROSS JOIN LATERAL (SELECT string_to_array(m.href, '/') AS parts) p
        CROSS JOIN LATERAL generate_series(1, cardinality(parts)) AS n
        JOIN unseen u ON u.scope = 'below' AND u.path = array_to_string(parts[1\\:n], '/')
        UNION
        SELECT m.id FROM missing m JOIN unseen u ON u.scope = 'asset' AND u.object_name = m.object_name
        WHERE u.path IN ('', regexp_replace(m.href, '^.*/', ''))
        UNION
        SELECT m.id FROM missing m JOIN unseen u ON u.scope = 'item' AND u.path = m.document WHERE NOT m.object_found
        UNION
        SELECT m.id FROM missing m
        WHERE NOT m.object_found AND m.document IS NULL AND EXISTS (SELECT FROM unseen WHERE scope = 'item')
    )
    INSERT INTO incoming
        (position, object_name, name, href, size_bytes, media_type, kind, modified_ns, sha256, kept)
    SELECT 9e15::bigint, object_name, name, CAST(:prefix AS text) || href, size_bytes, media_type, kind, modified_ns,
        sha256, true
    FROM missing JOIN kept USING (id)
""")

_KEPT: Final = sa.text("""
    SELECT object_name, count(*), sum(size_bytes)::bigint FROM incoming WHERE kept
    GROUP BY object_name ORDER BY object_name
""")

_IN_EMPTY: Final = sa.text("""
    SELECT e.path, count(*) FROM unnest(CAST(:empty AS text[])) AS e(path)
    JOIN incoming i ON i.kept AND starts_with(i.href, e.path || '/')
    GROUP BY e.path ORDER BY e.path
""")


class Kept(NamedTuple):
    """What stays though it was not seen; the first thousand objects by name."""

    files: int = 0
    size_bytes: int = 0
    objects: tuple[str, ...] = ()
    note: str = ""


def in_terms_of(found: FoundProduct, location: str) -> None:
    """Have a product that was not looked at all over keep its location, if that is further up.

    What could not be seen may lie there; its files are then seen from the old location, and named so.
    """
    if not (found.unseen and is_below(found.location, location)):
        return
    prefix = found.location[len(location.rstrip("/")) + 1 :] + "/"
    for index, file in enumerate(found.files):
        name = f"{prefix}{file.name}" if "/" in file.name and file.name == file.href else file.name
        found.files[index] = file._replace(name=name, href=f"{prefix}{file.href}")
    found.unseen = {
        place._replace(path=f"{prefix}{place.path}") if place.scope is Scope.BELOW else place for place in found.unseen
    }
    found.location = location


async def keep_unseen(
    session: AsyncSession, found: FoundProduct, moved_from: str | None, *, believe_empty: bool
) -> Kept:
    """Add to the table `incoming` what is in `known` and lies where nobody could look.

    A folder that is there and empty, where files are known, is most likely the mount point of something that is away.
    """
    empty = set() if believe_empty else {Unseen.below(folder) for folder in found.empty}
    if not (places := found.unseen | empty):
        return Kept()
    await session.execute(sa.text(_UNSEEN))
    await copy_into(session, "unseen", ((place.scope.value, place.path, place.object_name) for place in places))
    for statement in (_CHILDREN, "ANALYZE unseen, incoming"):
        await session.execute(sa.text(statement))
    deeper = moved_from is not None and is_below(moved_from, found.location)
    prefix = f"{moved_from[len(found.location.rstrip('/')) + 1 :]}/" if deeper and moved_from else ""
    await session.execute(_KEEP, {"prefix": prefix})
    rows = (await session.execute(_KEPT)).all()
    for folder, files in await session.execute(_IN_EMPTY, {"empty": sorted(place.path for place in empty)}):
        text = f"it is empty, where {counted(files, 'file')} are known; if nothing has to be mounted there, give "
        found.refuse(f"{folder}/", SourceUnreadable(f"{text}--allow-withdrawals"))
    await session.execute(sa.text("DROP TABLE unseen"))
    return _summary([tuple(row) for row in rows])


def _summary(rows: "list[tuple[str, int, int]]") -> Kept:
    names = [name for name, _, _ in rows]
    files = sum(count for _, count, _ in rows)
    listed = shown(", ".join(names[:_SHOWN])) + (" and more" if len(names) > _SHOWN else "")
    note = f"{counted(files, 'file')} of {counted(len(rows), 'object')} could not be looked at and stay known: {listed}"
    return Kept(files, sum(size for _, _, size in rows), tuple(names[:MAX_NAMED]), note)
