"""Verification of JSON Web Tokens (RFC 7519): signed by the issuer's key, meant for us, and within their time."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidKeyIdError,
    JoseError,
    MissingClaimError,
)
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry, Token

from api.identity.config import OidcConfig
from api.identity.provider import Provider, ProviderSource
from models.errors import Unauthenticated

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures with a private key: `none` and those with a shared secret can be forged with what is public (RFC 8725)."""

MAX_TOKEN = 16_384

Claims = Mapping[str, Any]

_BOUND = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
"""Claims that bind an ID token to one login."""

# Unknown headers are ignored; critical ones that are unknown are refused.
_REGISTRY = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


class TokenVerifier:
    """Verifies tokens of one issuer."""

    def __init__(self, config: OidcConfig, source: ProviderSource) -> None:
        self._config = config
        self._source = source

    async def verify(self, token: str, *, audience: str, now: datetime) -> Claims:
        """The claims of a valid token. Raises Unauthenticated; IdentityProviderUnavailable where there are no keys."""
        return (await self._verified(token, audience, now)).claims

    async def verify_bearer(self, token: str, *, audience: str, now: datetime) -> Claims:
        """The same of a token that was issued to be shown to an API, and so is neither an ID nor a logout token.

        Where client id and audience are equal, nothing but its kind keeps what every page sees from being one.
        """
        verified = await self._verified(token, audience, now)
        if kind := _other_kind(verified):
            raise Unauthenticated(f"this is {kind}, not an access token; send the access token of the same login")
        return verified.claims

    async def _verified(self, token: str, audience: str, now: datetime) -> Token:
        if len(token) > MAX_TOKEN:
            raise Unauthenticated("the token is too long")
        try:
            decoded = await self._decoded(token)
            self._registry(audience, now).validate(decoded.claims)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise Unauthenticated(_reason(error)) from None
        if not decoded.claims["sub"].strip() or "\0" in decoded.claims["sub"]:
            raise Unauthenticated("the token names nobody")
        return decoded

    async def _decoded(self, token: str) -> Token:
        """With the keys we have, and where the key is unknown, with those the issuer has now."""
        provider = await self._source.current()
        try:
            return _decode(token, provider)
        except InvalidKeyIdError:
            renewed = await self._source.renewed()
            if renewed is provider:
                raise
            return _decode(token, renewed)

    def _registry(self, audience: str, now: datetime) -> JWTClaimsRegistry:
        return JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=int(self._config.leeway.total_seconds()),
            iss={"essential": True, "value": self._config.issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )


@lru_cache(maxsize=1_000)
def _decode(token: str, provider: Provider) -> Token:
    """What a token says that these keys have signed; its time and its audience are looked at again each time."""
    return jwt.decode(token, provider.keys, algorithms=ALGORITHMS, registry=_REGISTRY)


def _other_kind(token: Token) -> str | None:
    """What a token is that is no access token; None for one that is, or that does not say.

    Issuers that follow RFC 9068 say so in the header, Keycloak in a claim; of the others, ID tokens are known by what
    only they bind (OpenID Connect Core, 2 and 3.1.3.6), and logout tokens by their event (Back-Channel Logout, 2.4).
    """
    claims = token.claims
    kind = str(token.header.get("typ", "JWT")).lower().removeprefix("application/")
    said = str(claims.get("typ", "")).lower()
    if "events" in claims or kind in {"logout+jwt", "secevent+jwt"} or said == "logout":
        return "a logout token"
    if said in {"id", "refresh", "offline"}:
        return f"a token of the kind {said}"
    if kind not in {"jwt", "at+jwt"}:
        return "a token of another kind"
    declared = kind == "at+jwt" or said == "bearer"
    return "an ID token" if not declared and not _BOUND.isdisjoint(claims) else None


def _reason(error: Exception) -> str:
    """Why a token is refused, without a word of what is in it."""
    match error:
        case ExpiredTokenError():
            return "the token has expired; get a new one"
        case MissingClaimError():
            return "the token lacks one of the claims iss, aud, sub, exp"
        case InvalidClaimError(claim="iss"):
            return "the token is from another issuer"
        case InvalidClaimError(claim="aud"):
            return "the token is meant for somebody else"
        case InvalidClaimError(claim="nbf" | "iat"):
            return "the token is not valid yet"
        case InvalidKeyIdError():
            return "the token is signed with a key that the issuer does not have"
        case BadSignatureError():
            return "the token's signature is wrong"
    return "this is no token that can be believed"
