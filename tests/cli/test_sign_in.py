"""Signing in by shell: with a browser on this machine or a code on another, kept for one's own eyes, and renewed."""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2 as httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from cli.errors import CommandFailed
from cli.logins import Logins, Tokens
from cli.sign_in import Provider, provider_of, sign_in_elsewhere, sign_in_with_browser

API, ISSUER = "https://orders.test", "https://login.test"
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "device_authorization_endpoint": f"{ISSUER}/device",
}
RESOURCE = {
    "authorization_servers": [ISSUER],
    "scopes_supported": ["openid"],
    "consignor_shell_client_id": "consignor-shell",
}
PROVIDER = Provider(ISSUER, "consignor-shell", "openid", METADATA)
TOKENS = Tokens(ISSUER, "consignor-shell", f"{ISSUER}/token", "old", 0, "renewing")


class Servers:
    """The API and its identity provider; `told` is what the token endpoint answers, one after the other."""

    def __init__(self, *told: Mapping[str, Any], resource: Any = RESOURCE, metadata: Any = METADATA) -> None:
        self.told, self.forms = iter(told), list[dict[str, str]]()
        self.documents = {
            f"{API}/.well-known/oauth-protected-resource": resource,
            f"{ISSUER}/.well-known/openid-configuration": metadata,
            f"{ISSUER}/device": {
                "device_code": "device",
                "user_code": "ABCD-EFGH",
                "verification_uri": f"{ISSUER}/activate",
                "expires_in": 600,
            },
        }
        self.http = httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url == f"{ISSUER}/token":
            self.forms.append({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
            answer = next(self.told)
            return httpx.Response(400 if "error" in answer else 200, json=answer)
        return httpx.Response(200, json=self.documents[str(request.url)])


class Browser:
    """Comes back with answers, one after the other, of which the first ones may be somebody else's."""

    def __init__(self, *answers: Mapping[str, str]) -> None:
        self.answers, self.asked, self.pages = answers, dict[str, str](), list[int]()

    def __call__(self, url: str) -> bool:
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.thread = threading.Thread(target=self._come_back)
        self.thread.start()
        return True

    def _come_back(self) -> None:
        with httpx.Client(trust_env=False) as http:
            for answer in self.answers:
                query = urlencode({"state": self.asked["state"], **answer})
                self.pages.append(http.get(f"{self.asked['redirect_uri']}?{query}").status_code)


@pytest.fixture
def lines() -> list[str]:
    """What the person is told."""
    return []


def test_the_api_says_where_to_sign_in() -> None:
    assert provider_of(API, Servers().http) == PROVIDER


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        (Servers(resource={**RESOURCE, "consignor_shell_client_id": None}), "CONSIGNOR_OIDC_SHELL_CLIENT_ID"),
        (Servers(resource={**RESOURCE, "authorization_servers": ["http://login.test"]}), "not reached over https"),
        (Servers(resource=[]), "is this Consignor's API"),
        (Servers(metadata={**METADATA, "issuer": "https://evil.test"}), "another identity provider: https://evil"),
    ],
)
def test_nothing_is_sent_to_a_provider_that_is_not_the_apis(servers: Servers, said: str) -> None:
    with pytest.raises(CommandFailed, match=said):
        provider_of(API, servers.http)


def test_whoever_comes_back_with_the_browser_is_signed_in(lines: list[str]) -> None:
    servers = Servers({"access_token": "a", "refresh_token": "r", "expires_in": 300})
    # The first answer is one that another page has this machine ask for: it does not know the state.
    browser = Browser({"code": "evil", "state": "guessed"}, {"code": "good", "iss": ISSUER})
    tokens = sign_in_with_browser(PROVIDER, servers.http, lines.append, browser)
    browser.thread.join()
    assert (tokens.access_token, tokens.refresh_token, tokens.is_fresh) == ("a", "r", True)
    (form,) = servers.forms
    assert (form["code"], form["client_id"], form["redirect_uri"]) == (
        "good",
        "consignor-shell",
        browser.asked["redirect_uri"],
    )
    challenge = create_s256_code_challenge(form["code_verifier"])  # type: ignore[no-untyped-call]
    assert (browser.asked["code_challenge"], browser.asked["code_challenge_method"]) == (challenge, "S256")
    assert browser.asked["redirect_uri"].startswith("http://127.0.0.1:")
    assert any(line.startswith(f"{ISSUER}/authorize?") for line in lines)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"error": "access_denied", "error_description": "not you"}, "has refused: not you"),
        ({"code": "x", "iss": "https://evil.test"}, "another identity provider"),
    ],
)
def test_a_login_that_is_refused_or_of_another_provider_is_none(
    lines: list[str], answer: dict[str, str], said: str
) -> None:
    servers, browser = Servers(), Browser(answer)
    with pytest.raises(CommandFailed, match=said):
        sign_in_with_browser(PROVIDER, servers.http, lines.append, browser)
    browser.thread.join()
    assert servers.forms == []


def test_without_a_browser_a_code_is_entered_on_another_device(lines: list[str]) -> None:
    servers = Servers({"error": "authorization_pending"}, {"error": "slow_down"}, {"access_token": "a"})
    pauses = list[float]()
    tokens = sign_in_elsewhere(PROVIDER, servers.http, lines.append, pauses.append)
    assert (tokens.access_token, pauses) == ("a", [5, 5, 10])
    assert lines == [f"Open {ISSUER}/activate on any device and enter the code ABCD-EFGH"]
    with pytest.raises(CommandFailed, match="has refused: access_denied"):
        sign_in_elsewhere(PROVIDER, Servers({"error": "access_denied"}).http, lines.append, pauses.append)


def test_a_login_is_kept_for_its_owner_alone_until_it_is_forgotten(tmp_path: Path) -> None:
    logins = Logins(tmp_path / "consignor")
    assert (logins.of(API), logins.latest) == (None, None)
    fresh = replace(TOKENS, until=time.time() + 600)
    logins.keep(API, fresh)
    logins.keep("https://other.test", fresh)
    login = logins.of(API)
    assert login is not None
    assert (login.token(), logins.latest) == ("old", "https://other.test")
    kept = tmp_path / "consignor" / "logins.json"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    logins.keep(API, fresh)
    assert logins.latest == API
    assert logins.forget(API) == fresh
    assert (logins.of(API), logins.latest, logins.forget(API)) == (None, "https://other.test", None)
    kept.write_text("[]")
    with pytest.raises(CommandFailed, match="is damaged: delete it"):
        logins.of(API)


def test_an_access_token_that_ends_is_renewed_and_one_that_cannot_be_is_told(tmp_path: Path) -> None:
    servers = Servers({"access_token": "new", "expires_in": 600}, {"error": "invalid_grant"})
    logins = Logins(tmp_path, servers.http)
    logins.keep(API, TOKENS)
    first, second = logins.of(API), logins.of(API)
    assert first is not None
    assert second is not None
    assert (first.token(), second.token()) == ("new", "new")
    # The second command has taken what the first one got.
    assert [form["refresh_token"] for form in servers.forms] == ["renewing"]
    logins.keep(API, TOKENS)
    ended = logins.of(API)
    assert ended is not None
    with pytest.raises(CommandFailed, match="has ended; sign in again with `consignor login`"):
        ended.token()
