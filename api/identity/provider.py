"""The metadata and keys of the issuer: fetched when needed, kept while it is unavailable."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from models.errors import IdentityProviderUnavailable

FRESH_FOR = 600.0
"""Seconds after which keys are fetched again; a key that the issuer withdraws is accepted no longer than this."""

RETRY_AFTER = 30.0
"""Seconds between two attempts while there are keys: tokens with made-up key ids must not become requests."""

RETRY_AFTER_WITHOUT_KEYS = 2.0
"""The same while there are none and no token can be verified."""

log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Provider:
    """The issuer's metadata and keys as last fetched."""

    metadata: Mapping[str, Any]
    keys: KeySet

    def endpoint(self, name: str) -> str:
        """The address of an endpoint. Raises IdentityProviderUnavailable where the issuer names none."""
        if not isinstance(url := self.metadata.get(name), str):
            log.error("the issuer's description lacks an endpoint", endpoint=name)
            raise IdentityProviderUnavailable
        return url


class ProviderSource:
    """Fetches the description of an issuer (OpenID Connect Discovery 1.0) and its keys (RFC 7517)."""

    def __init__(self, issuer: str, http: httpx2.AsyncClient, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._http = http
        self._clock = clock
        self._known: Provider | None = None
        self._fetched_at = 0.0
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()

    async def current(self) -> Provider:
        """The issuer, as fresh as can be had. Raises IdentityProviderUnavailable where it was never reached."""
        if self._known is None or self._clock() - self._fetched_at > FRESH_FOR:
            await self._refresh()
        return self._there()

    async def renewed(self) -> Provider:
        """The issuer, fetched again unless that was tried a moment ago: for an unknown key id."""
        await self._refresh()
        return self._there()

    def _there(self) -> Provider:
        if self._known is None:
            raise IdentityProviderUnavailable
        return self._known

    async def _refresh(self) -> None:
        """Fetch, one at a time; while there are keys to go on with, a fetch in progress is not waited for."""
        if self._known is not None and self._fetching.locked():
            return
        async with self._fetching:
            pause = RETRY_AFTER_WITHOUT_KEYS if self._known is None else RETRY_AFTER
            if self._tried_at is not None and self._clock() - self._tried_at < pause:
                return
            self._tried_at = self._clock()
            try:
                self._known = await self._fetch()
            except (httpx2.HTTPError, ValueError, TypeError, KeyError, JoseError) as error:
                log.warning("the issuer's keys cannot be fetched", issuer=self._issuer, error=str(error))
            else:
                self._fetched_at = self._clock()

    async def _fetch(self) -> Provider:
        metadata = await self._get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        # Section 4.3: otherwise one tenant of a host could speak for another.
        if metadata["issuer"] != self._issuer:
            raise ValueError(f"the description at {self._issuer} is that of {metadata['issuer']}")
        found = await self._get(metadata["jwks_uri"])
        keys = [key for data in found["keys"] if (key := _verifying(data)) is not None]
        if not keys:
            raise ValueError("there is no key that could verify a signature")
        return Provider(metadata, KeySet(keys))

    async def _get(self, url: str) -> dict[str, Any]:
        answer = (await self._http.get(url)).raise_for_status().json()
        if not isinstance(answer, dict):
            raise TypeError(f"{url} is no JSON object")
        return answer


def _verifying(data: Any) -> Key | None:
    """A public key for signatures; None for any other, also for a kind that is not known here."""
    # A shared secret verifies nothing: all who can read it can sign with it.
    if not isinstance(data, dict) or data.get("use", "sig") != "sig" or data.get("kty") == "oct":
        return None
    try:
        return JWKRegistry.import_key(data)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
