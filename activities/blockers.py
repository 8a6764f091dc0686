"""Blockers: records why a step is retried, so that the order shows it meanwhile."""

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
class BlockerScope:
    """The order that a blocker belongs to, or one attempt of a sub-order of it."""

    order_id: UUID
    number: int | None = None
    attempt: int = 0


@asynccontextmanager
async def recording_blocker(sessions: async_sessionmaker[AsyncSession], scope: BlockerScope) -> AsyncIterator[None]:
    """Record why the block has to be retried. A settled file or another status clears the record."""
    try:
        yield
    except (Failed, OSError, MemoryError) as error:
        failure = failure_of(error)
        if failure.retryable:
            # An unavailable database records nothing; the API reports that by itself.
            with suppress(DBAPIError, OSError):
                await _note(sessions, scope, failure)
        raise


async def _note(sessions: async_sessionmaker[AsyncSession], scope: BlockerScope, failure: Failure) -> None:
    values: dict[str, object] = {"order_id": scope.order_id, "code": failure.code.value, "text": failure.text}
    statement: sa.TextClause = queries.NOTE_OF_ORDER
    if scope.number is not None:
        statement = queries.NOTE_OF_SUBORDER
        values |= {"number": scope.number, "attempt": scope.attempt}
    async with sessions.begin() as session:
        await session.execute(statement, values)
