"""Signing in with a browser: the authorization code flow with PKCE (OpenID Connect Core 3.1, RFC 7636)."""

import re
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any

import httpx2
import orjson
import structlog
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from api.identity.config import OidcConfig
from api.identity.provider import ProviderSource
from api.identity.secrets import new_secret
from api.identity.token_verifier import Claims, TokenVerifier
from models.errors import IdentityProviderUnavailable, NotFound, Unauthenticated

_LOCAL_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1000}")

log = structlog.get_logger()


@dataclass(frozen=True)
class Attempt:
    """A login in progress. The browser keeps it in a cookie, so that no other browser can finish it."""

    state: str
    nonce: str
    verifier: str
    return_to: str

    def cookie(self) -> str:
        """The value of the cookie; none of its parts holds a `|` before the last."""
        return f"{self.state}|{self.nonce}|{self.verifier}|{self.return_to}"

    @classmethod
    def of(cls, cookie: str | None) -> "Attempt":
        """The attempt of a cookie. Raises Unauthenticated."""
        parts = (cookie or "").split("|", 3)
        if len(parts) != 4 or not all(parts):
            raise Unauthenticated("this login has not begun in this browser, or too long ago; sign in again")
        return cls(parts[0], parts[1], parts[2], local_path(parts[3]))


def local_path(path: str | None) -> str:
    """A path of this site; anything else leads to its front page, for a login must not send people elsewhere."""
    return path if path is not None and _LOCAL_PATH.fullmatch(path) else "/"


class Login:
    """Redirects browsers to the issuer, and exchanges the codes they come back with for claims."""

    def __init__(
        self, config: OidcConfig, source: ProviderSource, verifier: TokenVerifier, http: httpx2.AsyncClient
    ) -> None:
        self._config = config
        self._source = source
        self._verifier = verifier
        self._http = http

    async def begin(self, callback: str, return_to: str | None) -> tuple[str, Attempt]:
        """Where to send the browser, and what it has to keep.

        Raises NotFound (no client is set) or IdentityProviderUnavailable.
        """
        attempt = Attempt(new_secret(), new_secret(), new_secret(), local_path(return_to))
        provider = await self._source.current()
        url: str = prepare_grant_uri(
            provider.endpoint("authorization_endpoint"),
            self._client_id,
            "code",
            redirect_uri=callback,
            scope="openid profile email",
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),  # type: ignore[no-untyped-call]
            code_challenge_method="S256",
        )
        return url, attempt

    async def finish(self, attempt: Attempt, answer: dict[str, str], callback: str, now: datetime) -> Claims:
        """The claims of the user who has signed in. Raises Unauthenticated or IdentityProviderUnavailable."""
        # Compared as bytes: text beyond ASCII is refused, not an error.
        if not compare_digest(answer.get("state", "").encode("utf-8", "replace"), attempt.state.encode()):
            raise Unauthenticated("this login is not the one that began in this browser; sign in again")
        # RFC 9207: an answer of another issuer, mixed up on purpose.
        if answer.get("iss", self._config.issuer) != self._config.issuer:
            raise Unauthenticated("the answer is from another issuer; sign in again")
        if "code" not in answer:
            log.info("login refused by the issuer", error=answer.get("error", "")[:100])
            raise Unauthenticated("the identity provider has not signed you in; try again")
        tokens = await self._exchange(answer["code"], attempt.verifier, callback)
        claims = await self._verifier.verify(str(tokens.get("id_token", "")), audience=self._client_id, now=now)
        if claims.get("nonce") != attempt.nonce:
            raise Unauthenticated("the identity token belongs to another login; sign in again")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != self._client_id:
            raise Unauthenticated("the identity token was issued to another client; sign in again")
        return {**claims, **await self._access_claims(tokens, claims["sub"], now)}

    @property
    def _client_id(self) -> str:
        if self._config.client_id is None:
            raise NotFound("login", "here: no client of the identity provider is configured")
        return self._config.client_id

    async def _exchange(self, code: str, verifier: str, callback: str) -> dict[str, Any]:
        url = (await self._source.current()).endpoint("token_endpoint")
        body = prepare_token_request(
            "authorization_code", redirect_uri=callback, code=code, code_verifier=verifier, client_id=self._client_id
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self._config.client_secret:
            client = ClientAuth(self._client_id, self._config.client_secret, "client_secret_basic")
            url, headers, body = client.prepare("POST", url, headers, body)  # type: ignore[no-untyped-call]
        try:
            answer = await self._http.post(url, content=body, headers=headers)
            found = orjson.loads(answer.content)
        except (httpx2.HTTPError, ValueError):
            raise IdentityProviderUnavailable from None
        if answer.status_code >= 500:
            raise IdentityProviderUnavailable
        if answer.is_error or not isinstance(found, dict):
            raise Unauthenticated("the identity provider did not accept this login; sign in again")
        return found

    async def _access_claims(self, tokens: dict[str, Any], subject: str, now: datetime) -> Claims:
        """What the access token adds: some issuers write roles and groups only there, others make it opaque."""
        try:
            claims = await self._verifier.verify(
                str(tokens.get("access_token", "")), audience=self._config.audience, now=now
            )
        except Unauthenticated:
            return {}
        return claims if claims["sub"] == subject else {}
