"""Signing in at the identity provider of an API, as a public client: with a browser here, or on another device.

With a browser it is the authorization code with PKCE and a redirect to this machine (RFC 8252, RFC 7636); without one
the person types a code on any device (RFC 8628). Endpoints come from the provider itself, and the provider from the
API (RFC 9728).
"""

import secrets
import time
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2 as httpx

from cli.errors import CommandFailed
from cli.logins import Tokens
from cli.runtime.addresses import is_plain_beyond_loopback

PATIENCE: Final = 300.0
"""Seconds that somebody has to sign in with the browser."""

_DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True)
class Provider:
    """An identity provider, and what our commands are to it."""

    issuer: str
    client_id: str
    scope: str
    metadata: Mapping[str, Any]

    def endpoint(self, name: str) -> str:
        """The address of an endpoint. Raises CommandFailed where the provider has none."""
        url = self.metadata.get(f"{name}_endpoint")
        if not isinstance(url, str) or is_plain_beyond_loopback(url):
            raise CommandFailed(f"the identity provider {self.issuer} offers no {name.replace('_', ' ')} endpoint")
        return url


def provider_of(api: str, http: httpx.Client) -> Provider:
    """The identity provider whose tokens an API believes. Raises CommandFailed."""
    told = _json(http, f"{api}/.well-known/oauth-protected-resource")
    issuers, client_id = told.get("authorization_servers") or [], told.get("consignor_shell_client_id")
    if not issuers or not client_id:
        raise CommandFailed(
            f"the API at {api} offers no login to commands (its operator sets CONSIGNOR_OIDC_SHELL_CLIENT_ID):"
            " set CONSIGNOR_TOKEN to a token instead"
        )
    issuer = str(issuers[0])
    if is_plain_beyond_loopback(issuer):
        raise CommandFailed(f"the identity provider {issuer} is not reached over https, so nothing is sent to it")
    metadata = _json(http, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if metadata.get("issuer") != issuer:
        raise CommandFailed(f"what is at {issuer} says that it is another identity provider: {metadata.get('issuer')}")
    return Provider(issuer, str(client_id), " ".join(told.get("scopes_supported") or ["openid"]), metadata)


def sign_in_with_browser(
    provider: Provider, http: httpx.Client, tell: Callable[[str], None], browse: Callable[[str], bool] = webbrowser.open
) -> Tokens:
    """Tokens of whoever signs in with the browser that is opened. Raises CommandFailed."""
    from authlib.common.security import generate_token
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    verifier, state = generate_token(64), secrets.token_urlsafe(24)
    with HTTPServer(("127.0.0.1", 0), _Callback) as server:
        callback = f"http://127.0.0.1:{server.server_port}/callback"
        asked = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": callback,
            "scope": provider.scope,
            "state": state,
            "code_challenge": create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]
            "code_challenge_method": "S256",
        }
        url = f"{provider.endpoint('authorization')}?{urlencode(asked)}"
        tell("Sign in with your browser; if none opens, follow this link on this machine:")
        tell(url)
        browse(url)
        answer = _answer_to(server, state)
    if answer.get("iss", provider.issuer) != provider.issuer:
        raise CommandFailed("another identity provider than the API's has answered; nothing was sent to it")
    if "code" not in answer:
        raise CommandFailed(f"the identity provider has refused: {answer.get('error_description') or answer['error']}")
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": callback,
        "code_verifier": verifier,
    }
    return _tokens(provider, _form(provider, http, "token", form))


def sign_in_elsewhere(
    provider: Provider,
    http: httpx.Client,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Tokens:
    """Tokens of whoever signs in on another device with the code that is shown. Raises CommandFailed."""
    told = _form(provider, http, "device_authorization", {"scope": provider.scope})
    if "device_code" not in told:
        raise _refused(told)
    tell(f"Open {told['verification_uri']} on any device and enter the code {told['user_code']}")
    if whole := told.get("verification_uri_complete"):
        tell(f"or follow {whole}")
    pause, until = float(told.get("interval") or 5), time.monotonic() + float(told["expires_in"])
    form = {"grant_type": _DEVICE_GRANT, "device_code": told["device_code"]}
    while time.monotonic() < until:
        sleep(pause)
        answer = _form(provider, http, "token", form)
        match answer.get("error"):
            case None:
                return _tokens(provider, answer)
            case "authorization_pending":
                pass
            case "slow_down":
                pause += 5
            case _:
                raise _refused(answer)
    raise CommandFailed("nobody has signed in while the code was good; run the command again")


def end_login(tokens: Tokens) -> None:
    """Have the provider end a login (RFC 7009), where it can; here it is forgotten in any case."""
    with suppress(httpx.HTTPError, ValueError), httpx.Client(timeout=10) as http:
        metadata = http.get(f"{tokens.issuer.rstrip('/')}/.well-known/openid-configuration").json()
        url = metadata.get("revocation_endpoint")
        if tokens.refresh_token and isinstance(url, str) and not is_plain_beyond_loopback(url):
            http.post(url, data={"token": tokens.refresh_token, "client_id": tokens.client_id})


class _Callback(BaseHTTPRequestHandler):
    """Takes the one answer that a browser brings from the identity provider."""

    def do_GET(self) -> None:
        """Answer the browser; what it brought is the server's from then on."""
        parts = urlsplit(self.path)
        brought = dict(parse_qsl(parts.query))
        if parts.path != "/callback" or not brought.keys() & {"code", "error"}:
            return self.send_error(404)
        vars(self.server)["brought"] = brought
        page = b"<!doctype html><title>Consignor</title><p>You may close this page and go back to the shell."
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
        return None

    def log_message(self, *_: Any) -> None:
        """Nothing of it is for the terminal: there is a code in the path."""


def _answer_to(server: HTTPServer, state: str) -> Mapping[str, str]:
    """What the browser brings that was sent away with this state. Raises CommandFailed when it does not come back."""
    until = time.monotonic() + PATIENCE
    while (left := until - time.monotonic()) > 0:
        server.timeout = left
        server.handle_request()
        brought: Mapping[str, str] | None = vars(server).pop("brought", None)
        if brought and secrets.compare_digest(brought.get("state", "").encode(), state.encode()):
            return brought
    raise CommandFailed("nobody has signed in for five minutes; run the command again, or with --device")


def _tokens(provider: Provider, answer: Mapping[str, Any]) -> Tokens:
    if not isinstance(answer.get("access_token"), str):
        raise _refused(answer)
    empty = Tokens(provider.issuer, provider.client_id, provider.endpoint("token"), "", 0)
    return empty.with_answer(answer)


def _refused(answer: Mapping[str, Any]) -> CommandFailed:
    why = answer.get("error_description") or answer.get("error") or "it gave no token"
    return CommandFailed(f"the identity provider has refused: {why}")


def _form(provider: Provider, http: httpx.Client, endpoint: str, form: dict[str, str]) -> Mapping[str, Any]:
    try:
        answer = http.post(provider.endpoint(endpoint), data={**form, "client_id": provider.client_id})
        if answer.is_server_error:
            answer.raise_for_status()
        told = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise CommandFailed(f"the identity provider {provider.issuer} does not answer ({error})") from None
    return told if isinstance(told, dict) else {}


def _json(http: httpx.Client, url: str) -> Mapping[str, Any]:
    try:
        answer = http.get(url)
        told = answer.json() if answer.is_success else None
    except (httpx.HTTPError, ValueError) as error:
        raise CommandFailed(f"{url} does not answer ({error}); is this the address of Consignor's API?") from None
    if not isinstance(told, dict):
        raise CommandFailed(f"{url} answered {answer.status_code} and no description; is this Consignor's API?")
    return told
