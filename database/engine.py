"""The connection to PostgreSQL: engine and sessions. The block that opens a transaction ends it; nobody commits."""

import orjson
from sqlalchemy import AsyncAdaptedQueuePool
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from database.fair_pool import FairPool
from database.liveness import AnsweringConnection

CONNECT_TIMEOUT = 3
"""Seconds until an unreachable database is an error; DESIGN §6 promises an answer within three."""

IDLE_TIMEOUT_MS = 300_000
"""A process that freezes inside a transaction loses its locks after five minutes."""


POOL_TIMEOUT_ANSWERING = 1.5
"""Seconds a request waits for a free connection, where somebody waits for the request."""


def make_engine(url: str, *, pool_size: int = 10, answering: bool = False) -> AsyncEngine:
    """An engine for `url`; connections are checked before use, so that a restarted server costs no request.

    With `answering`, for processes on which somebody waits, no statement outlives a server that has frozen, and nobody
    takes all connections.
    """
    return create_async_engine(
        url,
        poolclass=FairPool if answering else AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        # An error that is logged, or becomes a failure in Temporal, does not tell what the statement was about.
        hide_parameters=True,
        pool_timeout=POOL_TIMEOUT_ANSWERING if answering else CONNECT_TIMEOUT,
        # PostgreSQL writes 1e300 out in full, and Python's own parser makes of that a whole number no client can hold.
        json_deserializer=orjson.loads,
        connect_args={
            **({"async_creator_fn": AnsweringConnection.connect} if answering else {}),
            "connect_timeout": CONNECT_TIMEOUT,
            "options": f"-c timezone=UTC -c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS}",
        },
    )


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions whose objects stay readable after their transaction."""
    return async_sessionmaker(engine, expire_on_commit=False)
