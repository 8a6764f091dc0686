"""Troubles: what makes a step be tried again, told to whoever looks at the order meanwhile."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activities.failures import failure_of
from models.errors import Failed, Failure
from models.queries import blockers as queries


@dataclass(frozen=True)
class Whose:
    """The order whose step may meet trouble, or one attempt of a sub-order of it."""

    order_id: UUID
    number: int | None = None
    attempt: int = 0


@asynccontextmanager
async def noted(sessions: async_sessionmaker[AsyncSession], whose: Whose) -> AsyncIterator[None]:
    """Note why the block has to be tried again. It is cleared by whatever moves: a settled file, another status."""
    try:
        yield
    except (Failed, OSError, MemoryError) as error:
        failure = failure_of(error)
        if failure.retryable:
            # A database that is away cannot be told; the facade says so itself then.
            with suppress(DBAPIError, OSError):
                await _note(sessions, whose, failure)
        raise


async def _note(sessions: async_sessionmaker[AsyncSession], whose: Whose, failure: Failure) -> None:
    values: dict[str, object] = {"order_id": whose.order_id, "code": failure.code.value, "text": failure.text}
    statement: sa.TextClause = queries.NOTE_OF_ORDER
    if whose.number is not None:
        statement = queries.NOTE_OF_SUBORDER
        values |= {"number": whose.number, "attempt": whose.attempt}
    async with sessions.begin() as session:
        await session.execute(statement, values)
