"""How Alembic meets the database: one transaction, and a short wait for locks so that readers are never blocked."""

import sqlalchemy as sa
from alembic import context

from models.tables import metadata

LOCK_TIMEOUT = "5s"


def run() -> None:
    """Migrate the database of the configured URL."""
    engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
        with context.begin_transaction():
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            # Two processes that start at once must not both migrate.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7263001)"))
            context.run_migrations()
    engine.dispose()


run()
