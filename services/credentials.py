"""Who a credential belongs to, as they are now: asked when a request comes, and again while something goes on."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller, Role
from models.credentials import BrowserSession, Grant, IssuerToken, ScriptToken
from models.errors import Forbidden, NotFound, Unauthenticated
from models.queries import users as queries
from models.queries.locks import Kind
from models.tables import AccessToken, User
from services.numbers import MAX_SESSIONS, hold


class SignedOut(NamedTuple):
    """What ended when somebody was signed out everywhere."""

    sessions: int
    access_tokens: int


async def caller_of_secret(session: AsyncSession, secret_hash: bytes, now: datetime) -> Caller:
    """Whose access token this is. Raises Unauthenticated, or Forbidden where they have no role any more."""
    found = (await session.execute(queries.token_by_secret(secret_hash))).one_or_none()
    if found is None:
        raise Unauthenticated("there is no such access token")
    caller = _of_token(*found, now)
    await session.execute(queries.note_use(found[0].id, now))
    return caller


async def caller_of_session(session: AsyncSession, secret_hash: bytes, now: datetime) -> Caller:
    """Whose browser this is. Raises Unauthenticated, or Forbidden where they have no role any more."""
    user = (await session.execute(queries.user_of_session(secret_hash, now))).scalar_one_or_none()
    if user is None:
        raise Unauthenticated("your session is over; sign in again")
    return require_role(Caller.known(user.id, user.roles, user.groups, credential=BrowserSession(secret_hash)))


def caller_of_issuer_token(claimed: User, stored: User, token: IssuerToken) -> Caller:
    """Whose token of the issuer's this is: what it claims, unless the issuer has said something else since.

    Raises Unauthenticated where its owner was signed out since, or Forbidden where they have no role.
    """
    if stored.signed_out_at is not None and (token.issued_at is None or token.issued_at <= stored.signed_out_at):
        raise Unauthenticated("you were signed out everywhere after this token was issued; sign in again")
    last = stored if stored.asserted_at > claimed.asserted_at else claimed
    return require_role(Caller.known(last.id, last.roles, last.groups, credential=token))


async def look_again(session: AsyncSession, caller: Caller, now: datetime) -> Caller:
    """The caller as they are now. Raises Unauthenticated where what they showed has ended, or Forbidden."""
    match caller.credential:
        case ScriptToken(id=token_id):
            return _of_token(*(await session.execute(queries.token_by_id(token_id))).one(), now)
        case BrowserSession(secret_hash=secret_hash):
            return await caller_of_session(session, secret_hash, now)
        case IssuerToken(expires_at=expires_at) as token:
            if expires_at <= now:
                raise Unauthenticated("the token has expired; get a new one")
            user = (await session.execute(queries.user_by_id(caller.customer))).scalar_one()
            return caller_of_issuer_token(user, user, token)
    raise Unauthenticated("there is nothing to go by")


async def caller_of_grant(session: AsyncSession, grant: Grant, scopes: Iterable[str] | None = None) -> Caller:
    """In whose name something goes on, as they are now: a right that was revoked has ended, one that ran out has not.

    Raises Unauthenticated or Forbidden.
    """
    user = (await session.execute(queries.user_by_id(grant.customer))).scalar_one_or_none()
    if user is None or not grant.outlives(user.signed_out_at):
        raise Unauthenticated("whoever made it has been signed out everywhere since")
    if grant.access_token is not None:
        token = (await session.execute(queries.token_by_id(grant.access_token))).one_or_none()
        if token is None or token[0].revoked_at is not None:
            raise Unauthenticated("the access token it was made with has been revoked")
    return require_role(Caller.known(user.id, user.roles, user.groups, scopes))


async def make_room_for_session(session: AsyncSession, customer: str) -> None:
    """End the oldest sessions of a user who has MAX_SESSIONS: nobody is kept out by browsers they have forgotten."""
    await hold(session, Kind.SESSIONS, customer)
    await session.execute(queries.end_oldest_sessions(customer, keep=MAX_SESSIONS - 1))


async def sign_out_everywhere(session: AsyncSession, customer: str, now: datetime) -> SignedOut:
    """End all sessions and access tokens of a user, and whatever the issuer has issued for them. Raises NotFound."""
    if not await _count(session, queries.sign_out(customer, now)):
        raise NotFound("user", customer)
    return SignedOut(
        await _count(session, queries.end_sessions_of(customer)),
        await _count(session, queries.revoke_tokens_of(customer, now)),
    )


def require_role(caller: Caller) -> Caller:
    """Raise Forbidden for somebody without any role: they have none anywhere, whatever they show."""
    if not caller.roles:
        raise Forbidden("you have no role here", Role)
    return caller


def _of_token(known: AccessToken, user: User, now: datetime) -> Caller:
    if known.revoked_at is not None:
        raise Unauthenticated("this access token has been revoked; make a new one")
    if known.expires_at <= now:
        raise Unauthenticated("this access token has expired; make a new one")
    return require_role(Caller.known(user.id, user.roles, user.groups, known.scopes, ScriptToken(known.id)))


async def _count(session: AsyncSession, statement: sa.Update | sa.Delete) -> int:
    return len((await session.execute(statement.returning(sa.literal(1)))).all())
