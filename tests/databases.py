"""Databases for tests: copies of one migrated template, emptied between tests."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from cli.dev.postgres import EmbeddedPostgres
from migrations.run import upgrade
from models.tables import metadata

TEMPLATE = "consignor_template"


@dataclass(frozen=True)
class Databases:
    """A running PostgreSQL with the migrated template in it."""

    server: EmbeddedPostgres

    def migrate_template(self) -> None:
        """Migrate once; every database of the tests is a copy of this one."""
        self.server.ensure_database(TEMPLATE)
        upgrade(self.server.url(TEMPLATE))

    def migrated(self, name: str) -> str:
        """The URL of a database of this name, made as a copy of the template."""
        self.server.ensure_database(name, template=TEMPLATE)
        return self.server.url(name)

    def empty(self, name: str) -> str:
        """The URL of a database of this name without any table."""
        self.server.ensure_database(name)
        return self.server.url(name)


_FILLED = sa.text(
    " UNION ALL ".join(f"(SELECT '{table.fullname}' FROM {table.fullname} LIMIT 1)" for table in metadata.sorted_tables)
)


async def truncate(engine: AsyncEngine) -> None:
    """Empty every table; those that are empty are left alone, for a TRUNCATE of all takes longer than most tests."""
    async with engine.begin() as connection:
        if tables := (await connection.execute(_FILLED)).scalars().all():
            await connection.execute(sa.text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
