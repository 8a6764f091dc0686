"""How Alembic meets the database: a transaction for each revision, and a short wait for locks so that readers are
never blocked. A revision may leave its transaction to build indexes without blocking writers.
"""

import time

import sqlalchemy as sa
from alembic import context

from models.tables import metadata

LOCK_TIMEOUT = "5s"
_ALONE = 7263001
_POLL = 0.1


def run() -> None:
    """Migrate the database of the configured URL."""
    engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.NullPool)
    with engine.connect() as connection:
        _be_alone(connection)
        connection.execute(sa.text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


def _be_alone(connection: sa.Connection) -> None:
    """Two processes that start at once must not both migrate. The lock goes with the connection.

    Asked for again and again: who waited for it inside a statement would hold up the building of an index for ever.
    """
    while not connection.execute(sa.text(f"SELECT pg_try_advisory_lock({_ALONE})")).scalar_one():
        connection.rollback()
        time.sleep(_POLL)


run()
