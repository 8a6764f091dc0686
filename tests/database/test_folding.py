"""PostgreSQL folds text as Python does; what was written before is brought under the rule without losing anything."""

from unicodedata import category

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from migrations.run import downgrade, upgrade
from models.text import folded
from tests.databases import Databases

ASSIGNED = "".join(char for char in map(chr, range(1, 0x30000)) if category(char) not in {"Cn", "Cs"})
"""As far as Python's Unicode goes: PostgreSQL's may be a newer one, which knows more characters."""


async def test_postgresql_folds_every_character_as_python_does(sessions: async_sessionmaker[AsyncSession]) -> None:
    texts = [ASSIGNED[start : start + 997] for start in range(0, len(ASSIGNED), 997)]
    async with sessions.begin() as session:
        found = (await session.execute(sa.text("SELECT folded_all(:texts)"), {"texts": texts})).scalar_one()
    assert found == [folded(text) for text in texts]


async def test_whole_words_too(sessions: async_sessionmaker[AsyncSession]) -> None:
    words = ["", "Winter", "ΟΔΥΣΣΕΎΣ", "Straße GROẞ", "Gene\u0300ve", "\u0345\u0301", "a\nB\tÇ", "İstanbul", "\u1e9e"]
    async with sessions.begin() as session:
        found = (await session.execute(sa.text("SELECT folded_all(:words)"), {"words": words})).scalar_one()
    assert found == [folded(word) for word in words]


ORDER = """
    INSERT INTO orders (number, customer, label, status, status_at, version, total_price, currency, created_at,
        objects_total, files_total, bytes_total, tags)
    VALUES (:number, 'maria', :label, :status, now(), 1, 0, '', now() + :age * interval '1 second', 1, 1, 1, :tags)
"""
VIEW = """
    INSERT INTO saved_views (owner, name, sort, filter, columns, shared, created_at)
    VALUES ('m', :name, '', '{}', '[]', false, now())
"""


def test_labels_that_are_one_now_are_told_apart_and_none_is_lost(databases: Databases) -> None:
    url = databases.empty("folding")
    upgrade(url, "0016")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    labels = [
        ("Genève", "fulfilled"), ("Gene\u0300ve", "failed"), ("GENÈVE (2)", "draft"), ("genève ", "draft"),
        ("Winter", "deleted"), ("winter", "draft"), ("x" * 50, "draft"), ("X" * 50, "draft"),
    ]  # fmt: skip
    with engine.begin() as connection:
        for age, (label, status) in enumerate(labels):
            values = {"number": str(age), "label": label, "status": status, "age": age, "tags": ["E\u0301te\u0301"]}
            connection.execute(sa.text(ORDER), values)
        for name in ("Straße", "STRASSE"):
            connection.execute(sa.text(VIEW), {"name": name})
    upgrade(url)
    with engine.begin() as connection:
        rows = connection.execute(sa.text("SELECT label, search, tags FROM orders ORDER BY created_at")).all()
        views = connection.execute(sa.text("SELECT name FROM saved_views ORDER BY created_at, id")).scalars().all()
    assert [row.label for row in rows] == [
        "Genève", "Genève (3)", "GENÈVE (2)", "genève (4)", "Winter", "winter", "x" * 50, "X" * 50 + " (2)",
    ]  # fmt: skip
    assert all(folded(row.label) in row.search and row.tags == ["Été"] for row in rows)
    assert views == ["Straße", "STRASSE (2)"]
    downgrade(url, "0016")
    upgrade(url)
