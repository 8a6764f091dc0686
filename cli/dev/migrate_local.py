"""Orders from before there were people: on a dev stack they are its default person's."""

import sqlalchemy as sa

from cli.dev.issuer.people import DEFAULT
from database.engine import make_engine

_ADOPT = sa.text("""
    UPDATE orders SET customer = :customer
    WHERE customer = 'local'
        AND NOT EXISTS (SELECT FROM orders known WHERE known.customer = :customer AND known.label = orders.label)
""")


async def adopt_local_orders(database_url: str) -> None:
    """Give the orders of the one user there used to be to the default person; does nothing the second time."""
    engine = make_engine(database_url, pool_size=1)
    try:
        async with engine.begin() as connection:
            await connection.execute(_ADOPT, {"customer": DEFAULT.customer})
    finally:
        await engine.dispose()
