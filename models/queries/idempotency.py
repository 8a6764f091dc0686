"""Queries for idempotency keys: requests that may be sent again, and the answers they got."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import col

from models.tables import IdempotencyKey

SWEPT = 100
"""Expired keys that are deleted with each new one, so that the table holds a day's."""

TAKE = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:caller || chr(10) || :key, 20260711))")
"""Take the lock of a key until the transaction ends; false, without waiting, where another one has it."""


def kept(caller: str, key: str, now: datetime) -> sa.Select[IdempotencyKey]:
    """The request that has used a key, unless the key has expired."""
    return sa.select(IdempotencyKey).where(
        col(IdempotencyKey.caller) == caller, col(IdempotencyKey.key) == key, col(IdempotencyKey.expires_at) > now
    )


def keep(values: Mapping[str, Any]) -> Insert:
    """Store an answer under its key, in the place of one that has expired."""
    statement = insert(IdempotencyKey).values(**values)
    return statement.on_conflict_do_update(
        index_elements=[col(IdempotencyKey.caller), col(IdempotencyKey.key)],
        set_={name: statement.excluded[name] for name in values if name not in {"caller", "key"}},
    )


def sweep(now: datetime) -> sa.Delete:
    """Delete expired keys; concurrent runs skip each other's rows."""
    expired = (
        sa.select(col(IdempotencyKey.caller), col(IdempotencyKey.key))
        .where(col(IdempotencyKey.expires_at) <= now)
        .limit(SWEPT)
        .with_for_update(skip_locked=True)
    )
    return sa.delete(IdempotencyKey).where(sa.tuple_(col(IdempotencyKey.caller), col(IdempotencyKey.key)).in_(expired))


def free(caller: str, key: str) -> sa.Delete:
    """Delete a request that has no answer because it was refused."""
    return sa.delete(IdempotencyKey).where(
        col(IdempotencyKey.caller) == caller, col(IdempotencyKey.key) == key, col(IdempotencyKey.status).is_(None)
    )
