"""OpenID Connect as the facade uses it: one issuer's keys, its tokens and logins, put together once for a process."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api.identity.config import OidcConfig
from api.identity.login import Login
from api.identity.provider import ProviderSource
from api.identity.token_verifier import TokenVerifier
from api.identity.users import issuer_token, user_from_claims
from models.access import Caller
from models.queries.users import upsert_user, user_by_id
from models.tables import User
from services.credentials import caller_of_issuer_token

TIMEOUT = 3.0
"""Seconds the issuer has for an answer."""

REMEMBERED_FOR = 10.0
"""Seconds for which what is stored of a user is believed; what was ended elsewhere goes on in this process so long."""

_MAX_REMEMBERED = 10_000


class OpenIdConnect:
    """Verifies the tokens of one issuer, and remembers for a moment which users are written down, and how."""

    def __init__(
        self, config: OidcConfig, http: httpx2.AsyncClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.config = config
        self._source = ProviderSource(config.issuer, http, clock)
        self.verifier = TokenVerifier(config, self._source)
        self.login = Login(config, self._source, self.verifier, http)
        self._clock = clock
        self._remembered: dict[str, _Remembered] = {}

    async def caller_of_token(self, sessions: async_sessionmaker[AsyncSession], token: str, now: datetime) -> Caller:
        """Whose bearer token this is. Raises Unauthenticated, Forbidden or IdentityProviderUnavailable."""
        claims = await self.verifier.verify_bearer(token, audience=self.config.audience, now=now)
        claimed = user_from_claims(self.config, claims, now)
        return caller_of_issuer_token(claimed, await self._stored(sessions, claimed), issuer_token(claims))

    async def _stored(self, sessions: async_sessionmaker[AsyncSession], user: User) -> User:
        """The user as the issuer last described them, written where something about them is new.

        Roles of access tokens are those stored, and what another process has heard since is known here before long.
        """
        known = self._remembered.get(user.id)
        if known is not None and self._clock() - known.at < REMEMBERED_FOR and _says_nothing_new(user, known.stored):
            return known.stored
        async with sessions.begin() as session:
            found = user_by_id(user.id).execution_options(populate_existing=True)
            stored = (await session.execute(found)).scalar_one_or_none()
            if stored is None or not _is_old(user, stored):
                await session.execute(upsert_user(user))
                stored = (await session.execute(found)).scalar_one()
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[user.id] = _Remembered(stored, self._clock())
        return stored

    def forget(self, customer: str) -> None:
        """Look at a user again with their next request: something about them has changed."""
        self._remembered.pop(customer, None)


def _is_old(claimed: User, stored: User) -> bool:
    """Whether nothing of a token needs to be written: the issuer has said the same or something else since."""
    since = stored.asserted_at - claimed.asserted_at
    return since > timedelta(0) or (since == timedelta(0) and _described(claimed) == _described(stored))


def _says_nothing_new(claimed: User, stored: User) -> bool:
    """Whether a token says what is known already, or said it before the issuer said something else."""
    return claimed.asserted_at < stored.asserted_at or _described(claimed) == _described(stored)


def _described(user: User) -> tuple[object, ...]:
    return (user.name, user.email, *user.roles, None, *user.groups)


class _Remembered(NamedTuple):
    stored: User
    at: float


@asynccontextmanager
async def open_oidc(config: OidcConfig) -> AsyncIterator[OpenIdConnect]:
    """Open it with a client of its own. No redirects: keys come from where the issuer says they are."""
    on_this_machine = urlsplit(config.issuer).hostname in {"127.0.0.1", "localhost", "::1"}
    async with httpx2.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=not on_this_machine) as http:
        yield OpenIdConnect(config, http)
