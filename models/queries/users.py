"""Queries for users, their sessions and their access tokens."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from models.tables import AccessToken, Session, User

USE_NOTED_EVERY = timedelta(minutes=1)
"""How exact `last_used_at` is: a script with a hundred requests a second costs one write a minute."""


def upsert_user(user: User) -> sa.sql.dml.ReturningInsert[str] | sa.sql.dml.Insert:
    """Write a user as they are described now; what was said earlier never undoes what was said later."""
    columns = ("issuer", "subject", "name", "email", "roles", "groups", "asserted_at")
    statement = insert(User).values(id=user.id, **{name: getattr(user, name) for name in columns})
    return statement.on_conflict_do_update(
        index_elements=[col(User.id)],
        set_={name: statement.excluded[name] for name in columns},
        where=col(User.asserted_at) <= statement.excluded.asserted_at,
    )


def user_by_id(customer: str) -> sa.Select[User]:
    """One user."""
    return sa.select(User).where(col(User.id) == customer)


def names_of(customers: Collection[str]) -> sa.Select[str, str | None]:
    """Id and name of those users who are known."""
    return sa.select(col(User.id), col(User.name)).where(col(User.id).in_(customers))


def user_of_session(secret_hash: bytes, now: datetime) -> sa.Select[User]:
    """The user of a session that has not expired."""
    return (
        sa.select(User)
        .join(Session, col(Session.customer) == col(User.id))
        .where(col(Session.secret_hash) == secret_hash, col(Session.expires_at) > now)
    )


def end_session(secret_hash: bytes) -> sa.Delete:
    """Delete a session."""
    return sa.delete(Session).where(col(Session.secret_hash) == secret_hash)


def end_sessions_of(customer: str) -> sa.Delete:
    """Delete all sessions of a user."""
    return sa.delete(Session).where(col(Session.customer) == customer)


def revoke_tokens_of(customer: str, now: datetime) -> sa.Update:
    """Revoke all access tokens of a user."""
    mine = col(AccessToken.customer) == customer, col(AccessToken.revoked_at).is_(None)
    return sa.update(AccessToken).where(*mine).values(revoked_at=now)


def sign_out(customer: str, now: datetime) -> sa.Update:
    """Have what was issued for a user until now be refused."""
    return sa.update(User).where(col(User.id) == customer).values(signed_out_at=now)


def end_oldest_sessions(customer: str, *, keep: int) -> sa.Delete:
    """Delete all sessions of a user but the newest."""
    mine = sa.select(col(Session.secret_hash)).where(col(Session.customer) == customer)
    older = mine.order_by(col(Session.created_at).desc(), col(Session.secret_hash)).offset(keep)
    return sa.delete(Session).where(col(Session.secret_hash).in_(older))


def end_stale_sessions(now: datetime) -> sa.Delete:
    """Delete expired sessions."""
    return sa.delete(Session).where(col(Session.expires_at) <= now)


def token_by_secret(secret_hash: bytes) -> sa.Select[AccessToken, User]:
    """An access token and its user, also where it is revoked or expired."""
    return _tokens().where(col(AccessToken.secret_hash) == secret_hash)


def token_by_id(token_id: UUID) -> sa.Select[AccessToken, User]:
    """The same by its id."""
    return _tokens().where(col(AccessToken.id) == token_id)


def _tokens() -> sa.Select[AccessToken, User]:
    return sa.select(AccessToken, User).join(User, col(User.id) == col(AccessToken.customer))


def note_use(token_id: UUID, now: datetime) -> sa.Update:
    """Note that a token was used, unless that was noted less than USE_NOTED_EVERY ago."""
    long_ago = sa.or_(col(AccessToken.last_used_at).is_(None), col(AccessToken.last_used_at) < now - USE_NOTED_EVERY)
    return sa.update(AccessToken).where(col(AccessToken.id) == token_id, long_ago).values(last_used_at=now)


def tokens_counted(customer: str) -> sa.Select[int]:
    """How many access tokens a user has that are not revoked."""
    mine = col(AccessToken.customer) == customer, col(AccessToken.revoked_at).is_(None)
    return sa.select(sa.func.count()).select_from(AccessToken).where(*mine)


def page_of_tokens(customer: str | None, after: UUID | None, limit: int) -> sa.Select[AccessToken]:
    """A page of the same as `live_tokens`, behind `after`."""
    query = live_tokens(customer).limit(limit)
    return query if after is None else query.where(col(AccessToken.id) < after)


def live_tokens(customer: str | None) -> sa.Select[AccessToken]:
    """The tokens of a customer, of everybody for None, that are not revoked; the newest first."""
    query = sa.select(AccessToken).where(col(AccessToken.revoked_at).is_(None))
    if customer is not None:
        query = query.where(col(AccessToken.customer) == customer)
    return query.order_by(col(AccessToken.id).desc())


def live_token(customer: str | None, token_id: UUID) -> sa.Select[AccessToken]:
    """One of these."""
    # Locked, so that of two revocations at once one finds the token and the other finds none.
    return live_tokens(customer).where(col(AccessToken.id) == token_id).with_for_update()
