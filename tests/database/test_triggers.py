"""The list of triggers is the database's."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from database.triggers import TRIGGERS

FOUND = sa.text("""
    SELECT t.tgname, c.relname, p.proname FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal
""")


async def test_every_trigger_of_a_migrated_database_is_listed_with_its_purpose(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    async with sessions.begin() as session:
        found = {name: (table, function) for name, table, function in await session.execute(FOUND)}
    assert found == {name: (trigger.table, trigger.function) for name, trigger in TRIGGERS.items()}
