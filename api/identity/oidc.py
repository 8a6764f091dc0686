"""OpenID Connect as the facade uses it: one issuer's keys, its tokens and logins, put together once for a process."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlsplit

import httpx2
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api.identity.config import OidcConfig
from api.identity.login import Login
from api.identity.provider import ProviderSource
from api.identity.token_verifier import TokenVerifier
from api.identity.users import user_from_claims
from models.queries.users import upsert_user
from models.tables import User

TIMEOUT = 3.0
"""Seconds the issuer has for an answer."""

_REMEMBERED = 10_000


class OpenIdConnect:
    """Verifies the tokens of one issuer, and remembers which users it has written down already."""

    def __init__(
        self, config: OidcConfig, http: httpx2.AsyncClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.config = config
        self._source = ProviderSource(config.issuer, http, clock)
        self.verifier = TokenVerifier(config, self._source)
        self.login = Login(config, self._source, self.verifier, http)
        self._stored: dict[str, tuple[object, ...]] = {}

    async def user_of_token(self, token: str, now: datetime) -> User:
        """Whose bearer token this is. Raises Unauthenticated, Forbidden or IdentityProviderUnavailable."""
        claims = await self.verifier.verify(token, audience=self.config.audience, now=now)
        return user_from_claims(self.config, claims, now)

    async def remember(self, sessions: async_sessionmaker[AsyncSession], user: User) -> None:
        """Store a user where something about them is new: roles of access tokens are those stored."""
        known = (user.name, user.email, *user.roles, None, *user.groups)
        if self._stored.get(user.id) == known:
            return
        async with sessions.begin() as session:
            await session.execute(upsert_user(user))
        if len(self._stored) >= _REMEMBERED:
            self._stored.clear()
        self._stored[user.id] = known


@asynccontextmanager
async def open_oidc(config: OidcConfig) -> AsyncIterator[OpenIdConnect]:
    """Open it with a client of its own. No redirects: keys come from where the issuer says they are."""
    on_this_machine = urlsplit(config.issuer).hostname in {"127.0.0.1", "localhost", "::1"}
    async with httpx2.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=not on_this_machine) as http:
        yield OpenIdConnect(config, http)
