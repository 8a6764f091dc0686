"""An identity provider for tests: its keys are real, its tokens are signed, and it can fail in every way."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from httpx2 import AsyncClient, ConnectError, MockTransport, Request, Response
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from api.identity.config import OidcConfig
from api.identity.oidc import OpenIdConnect

ISSUER = "https://login.example/realms/archive"
REALM = "tests"
AUDIENCE = "consignor"
CLIENT_ID = "consignor-pages"
PEOPLE: dict[str, dict[str, Any]] = {
    "local": {},
    "other": {},
    "sam": {"roles": ["support"]},
    "ada": {"roles": ["admin"]},
}


@cache
def rsa_key(kid: str) -> RSAKey:
    """A key of this id, the same for the whole run: to make one takes a while."""
    return RSAKey.generate_key(2048, parameters={"kid": kid})


class Issuer:
    """What it knows and what it was asked."""

    def __init__(self) -> None:
        self.config = OidcConfig(ISSUER, AUDIENCE, client_id=CLIENT_ID, client_secret="s3cret", realm=REALM)
        self.keys = [rsa_key("one")]
        self.published: list[dict[str, Any]] | None = None
        self.is_away = False
        self.asked: list[str] = []
        self.seconds = 1000.0
        self.codes: dict[str, dict[str, Any]] = {}
        self.claimed_issuer = ISSUER

    def clock(self) -> float:
        """A clock that tests move."""
        return self.seconds

    def token(
        self, subject: str = "local", *, key: Any = None, header: dict[str, Any] | None = None, **more: Any
    ) -> str:
        """A signed token; a claim that is None is left out."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 600}
        claims |= PEOPLE.get(subject, {}) | more
        key = key or self.keys[0]
        head = {"alg": "RS256", "kid": key.kid} | (header or {})
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({k: v for k, v in head.items() if v is not None}, claims, key, algorithms=[head["alg"]])

    def client(self) -> AsyncClient:
        """A client that reaches this issuer and nobody else."""
        return AsyncClient(transport=MockTransport(self._answer))

    def jwks(self) -> list[dict[str, Any]]:
        """The public keys."""
        if self.published is not None:
            return self.published
        return [dict(key) for key in KeySet(list(self.keys)).as_dict(private=False)["keys"]]

    async def _answer(self, request: Request) -> Response:
        path = str(request.url).removeprefix(ISSUER).partition("?")[0]
        self.asked.append(path)
        if self.is_away:
            raise ConnectError("the issuer is away", request=request)
        if path == "/.well-known/openid-configuration":
            found = {
                "issuer": self.claimed_issuer,
                "jwks_uri": f"{ISSUER}/jwks",
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token",
            }
            return Response(200, json=found)
        if path == "/jwks":
            return Response(200, json={"keys": self.jwks()})
        if path == "/token":
            return self._exchanged(request)
        return Response(404)

    def _exchanged(self, request: Request) -> Response:
        form = dict(parse_qsl(request.content.decode()))
        code = self.codes.pop(form.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        basic = request.headers.get("authorization")
        if code is None or challenge != code["challenge"] or basic != "Basic Y29uc2lnbm9yLXBhZ2VzOnMzY3JldA==":
            return Response(400, content=json.dumps({"error": "invalid_grant"}))
        return Response(200, json=code["tokens"])


@asynccontextmanager
async def identified() -> AsyncIterator[OpenIdConnect]:
    """Identity that believes the tests' issuer."""
    issuer = Issuer()
    async with issuer.client() as http:
        yield OpenIdConnect(issuer.config, http, issuer.clock)


def as_(person: str) -> dict[str, str]:
    """The headers of a request of somebody the issuer knows."""
    return {"Authorization": f"Bearer {Issuer().token(person)}"}
