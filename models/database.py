"""The connection to PostgreSQL: the engine and the sessions; whoever opens a transaction ends it, nobody commits."""

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

CONNECT_TIMEOUT = 3
"""Seconds until an unreachable database is an error; DESIGN §6 promises an answer within three."""

IDLE_TIMEOUT_MS = 300_000
"""A process that freezes inside a transaction loses its locks after five minutes."""


def make_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for `url`; connections are checked before use, so that a restarted server costs no request."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=CONNECT_TIMEOUT,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT,
            "options": f"-c timezone=UTC -c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS}",
        },
    )


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions whose objects stay readable after their transaction."""
    return async_sessionmaker(engine, expire_on_commit=False)
