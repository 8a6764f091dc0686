"""The dev issuer over HTTP: discovery, keys, a page to pick a person from, and tokens (OpenID Connect with PKCE)."""

import re
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cli.dev.data import DataFolder
from cli.dev.issuer.devices import DEVICE_GRANT, Devices
from cli.dev.issuer.keys import ALGORITHM, LIFETIME, signing_key, token_for
from cli.dev.issuer.pages import NO_STORE, form_of, page_of_people, refused
from cli.dev.issuer.people import PEOPLE, DevPerson, issuer_url
from cli.runtime.addresses import LOOPBACK_NAMES
from cli.runtime.oidc import DEV_CLIENT_ID, DEV_ISSUER_PATH, DEV_SHELL_CLIENT_ID
from cli.runtime.settings import Settings

CODE_LIFETIME = 60.0
_LOOPBACK_CALLBACK = re.compile(r"http://127\.0\.0\.1:[1-9][0-9]{1,4}/callback", re.ASCII)


@dataclass(frozen=True)
class Code:
    """What an authorization code stands for; it is good once, and not for long."""

    person: DevPerson
    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str | None
    until: float


@dataclass
class Issuer:
    """The issuer of one dev stack."""

    url: str
    api: str
    folder: DataFolder
    codes: dict[str, Code] = field(default_factory=dict)
    devices: Devices = field(default_factory=Devices)

    async def metadata(self, _: Request) -> Response:
        """Discovery."""
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "device_authorization_endpoint": f"{self.url}/device",
                "jwks_uri": f"{self.url}/jwks",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", DEVICE_GRANT],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "scopes_supported": ["openid", "profile", "email"],
            }
        )

    async def jwks(self, _: Request) -> Response:
        """The public key."""
        return JSONResponse({"keys": [signing_key(self.folder).as_dict(private=False, use="sig", alg=ALGORITHM)]})

    async def pick(self, request: Request) -> Response:
        """The page that asks who one is."""
        asked = request.query_params
        if wrong := self._wrong(asked):
            return refused(wrong)
        kept = (
            "response_type",
            "client_id",
            "redirect_uri",
            "state",
            "nonce",
            "code_challenge",
            "code_challenge_method",
        )
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(asked[name])}">' for name in kept if name in asked
        )
        page = page_of_people(hidden)
        policy = self._policy(asked["redirect_uri"])
        return HTMLResponse(page, headers={**NO_STORE, "Content-Security-Policy": policy})

    async def picked(self, request: Request) -> Response:
        """Send the person back with a code."""
        form = await form_of(request)
        if wrong := self._wrong(form):
            return refused(wrong)
        if (person := PEOPLE.get(form.get("user", ""))) is None:
            return refused("there is no such person")
        now = time.monotonic()
        self.codes = {code: known for code, known in self.codes.items() if known.until > now}
        code = secrets.token_urlsafe(32)
        client, callback = form["client_id"], form["redirect_uri"]
        self.codes[code] = Code(
            person, client, callback, form["code_challenge"], form.get("nonce"), now + CODE_LIFETIME
        )
        answer = {"code": code, "state": form.get("state", ""), "iss": self.url}
        return RedirectResponse(f"{callback}?{urlencode(answer)}", 303, NO_STORE)

    async def token(self, request: Request) -> Response:
        """A code and its verifier for tokens, or the code of a device that somebody has let in."""
        form = await form_of(request)
        if form.get("grant_type") == DEVICE_GRANT:
            person, error = self.devices.redeem(form.get("device_code", ""), form.get("client_id", ""))
            return JSONResponse({"error": error}, 400, NO_STORE) if person is None else self._tokens(person)
        code = self.codes.pop(form.get("code", ""), None)
        verifier = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if (
            form.get("grant_type") != "authorization_code"
            or code is None
            or code.until < time.monotonic()
            or not compare_digest(verifier.encode(), code.challenge.encode())
            or form.get("redirect_uri") != code.redirect_uri
            or form.get("client_id") != code.client_id
        ):
            return JSONResponse({"error": "invalid_grant"}, 400, NO_STORE)
        return self._tokens(code.person, aud=code.client_id, nonce=code.nonce)

    def _tokens(self, person: DevPerson, **claims: Any) -> Response:
        body = {
            "access_token": token_for(self.folder, self.api, person),
            **({"id_token": token_for(self.folder, self.api, person, **claims)} if claims else {}),
            "token_type": "Bearer",
            "expires_in": LIFETIME,
        }
        return JSONResponse(body, headers=NO_STORE)

    async def device(self, request: Request) -> Response:
        """Codes for a device without a browser (RFC 8628)."""
        form = await form_of(request)
        if form.get("client_id") != DEV_SHELL_CLIENT_ID:
            return JSONResponse({"error": "invalid_client"}, 400, NO_STORE)
        return JSONResponse(self.devices.begin(form["client_id"], f"{self.url}/activate"), headers=NO_STORE)

    def _policy(self, callback: str) -> str:
        """What the page may do: send its form here, and be led on from there, maybe to another origin."""
        api, back = urlsplit(self.api), urlsplit(callback)
        origins = " ".join(dict.fromkeys(f"{place.scheme}://{place.netloc}" for place in (api, back)))
        return (
            f"default-src 'none'; style-src 'unsafe-inline'; form-action 'self' {origins};"
            " base-uri 'none'; frame-ancestors 'none'"
        )

    def _wrong(self, asked: Mapping[str, str]) -> str | None:
        """Why a request to sign in is refused: shown here, for nobody is sent to an address that is not ours."""
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            return "response_type has to be code, and code_challenge_method S256"
        if len(asked.get("code_challenge", "")) != 43:
            return "code_challenge is missing"
        callback = asked.get("redirect_uri", "")
        match asked.get("client_id"):
            case client if client == DEV_CLIENT_ID:
                expected = f"{self.api}/api/v1/callback"
                return None if callback == expected else f"redirect_uri has to be {expected}"
            case client if client == DEV_SHELL_CLIENT_ID:
                # Any port of this machine: the command takes a free one (RFC 8252, section 7.3).
                if _LOOPBACK_CALLBACK.fullmatch(callback):
                    return None
                return "redirect_uri has to be http://127.0.0.1:PORT/callback"
        return f"client_id has to be {DEV_CLIENT_ID} or {DEV_SHELL_CLIENT_ID}"


def issuer_app(url: str, api: str, folder: DataFolder) -> Starlette:
    """The issuer as an application, to be mounted at its path; it makes its key at once."""
    signing_key(folder)
    issuer = Issuer(url, api, folder)
    routes = [
        Route("/.well-known/openid-configuration", issuer.metadata),
        Route("/jwks", issuer.jwks),
        Route("/authorize", issuer.pick),
        Route("/authorize", issuer.picked, methods=["POST"]),
        Route("/token", issuer.token, methods=["POST"]),
        Route("/device", issuer.device, methods=["POST"]),
        Route("/activate", issuer.devices.page),
        Route("/activate", issuer.devices.let_in, methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(BaseHTTPMiddleware, dispatch=_on_this_machine)])


def mount_issuer(app: Starlette, settings: Settings) -> None:
    """Serve the issuer inside the API."""
    url = issuer_url(settings.local_url)
    app.mount(DEV_ISSUER_PATH, issuer_app(url, settings.api_url, DataFolder(settings.data)))


async def _on_this_machine(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse other machines, and other names of this one: a page may have its own name lead to 127.0.0.1."""
    client = request.client.host if request.client else ""
    if client not in LOOPBACK_NAMES or request.url.hostname not in LOOPBACK_NAMES:
        return JSONResponse({"error": "the dev stack's issuer serves this machine only"}, 403)
    return await call_next(request)
