"""The dev stack's own issuer: for this machine only, with PKCE, and with tokens that the API believes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from httpx2 import ASGITransport, AsyncClient
from joserfc import jwt
from joserfc.jwk import KeySet

from cli.credentials import credential_for, token_of
from cli.dev.data import DataFolder
from cli.dev.issuer.app import issuer_app
from cli.dev.issuer.devices import DEVICE_GRANT
from cli.dev.issuer.kept_token import forget_kept_token, kept_token
from cli.dev.issuer.keys import signing_key
from cli.dev.issuer.people import DEFAULT, PEOPLE
from cli.dev.migrate_local import adopt_local_orders
from cli.errors import CommandFailed
from cli.logins import Tokens
from cli.runtime.oidc import DEV_CLIENT_ID, DEV_ISSUER_PATH, DEV_SHELL_CLIENT_ID, oidc_config
from cli.runtime.settings import Settings
from cli.sign_in import Provider, sign_in_elsewhere
from models.access import Caller, Role
from models.tables import Order
from tests.factories import Sessions, add_order, add_product

API = "http://127.0.0.1:8000"
ISSUER = API + DEV_ISSUER_PATH
VERIFIER = "v" * 43
ASKED = {
    "response_type": "code",
    "client_id": DEV_CLIENT_ID,
    "redirect_uri": f"{API}/api/v1/callback",
    "state": "s",
    "nonce": "n",
    "code_challenge": create_s256_code_challenge(VERIFIER),  # type: ignore[no-untyped-call]
    "code_challenge_method": "S256",
}


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A data folder of its own."""
    return DataFolder(tmp_path)


def browser(folder: DataFolder, *, client: str = "127.0.0.1", base: str = API) -> AsyncClient:
    """Somebody at this address who calls the issuer by this name."""
    app = issuer_app(ISSUER, API, folder)
    return AsyncClient(transport=ASGITransport(app, client=(client, 1)), base_url=base)


async def test_somebody_picks_who_they_are_and_gets_their_tokens(folder: DataFolder) -> None:
    async with browser(folder) as client:
        page = await client.get("/authorize", params=ASKED)
        assert all(person.name in page.text for person in PEOPLE.values())
        # Browsers hold a form's redirects to it too.
        assert f"form-action 'self' {API};" in page.headers["content-security-policy"]
        back = await client.post("/authorize", data={**ASKED, "user": "sam"})
        brought = {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}
        assert (brought["state"], brought["iss"]) == ("s", ISSUER)
        form = {
            "grant_type": "authorization_code",
            "code": brought["code"],
            "code_verifier": VERIFIER,
            "redirect_uri": ASKED["redirect_uri"],
            "client_id": DEV_CLIENT_ID,
        }
        tokens = (await client.post("/token", data=form)).json()
        assert (await client.post("/token", data=form)).json() == {"error": "invalid_grant"}
        keys = KeySet.import_key_set((await client.get("/jwks")).json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"]).claims
    assert (claims["sub"], claims["nonce"], claims["aud"], claims["roles"]) == ("sam", "n", DEV_CLIENT_ID, ["support"])


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example"},
        {"client_id": "x"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"response_type": "token"},
    ],
)
async def test_a_request_that_is_not_ours_is_refused_here(folder: DataFolder, changed: dict[str, str]) -> None:
    async with browser(folder) as client:
        assert (await client.get("/authorize", params=ASKED | changed)).status_code == 400
        assert (await client.post("/authorize", data=ASKED | changed | {"user": "sam"})).status_code == 400


async def test_a_shell_signs_in_with_a_port_of_this_machine_and_nowhere_else(folder: DataFolder) -> None:
    asked = {**ASKED, "client_id": DEV_SHELL_CLIENT_ID, "redirect_uri": "http://127.0.0.1:4711/callback"}
    async with browser(folder) as client:
        page = await client.get("/authorize", params=asked)
        assert f"form-action 'self' {API} http://127.0.0.1:4711;" in page.headers["content-security-policy"]
        back = await client.post("/authorize", data={**asked, "user": "bob"})
        assert back.headers["location"].startswith("http://127.0.0.1:4711/callback?code=")
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        # A code is for the client and the address that it was asked for.
        answer = await client.post(
            "/token", data={**form, "client_id": DEV_CLIENT_ID, "redirect_uri": asked["redirect_uri"]}
        )
        assert answer.status_code == 400
        for wrong in ("http://evil.example:4711/callback", "http://127.0.0.1/callback", "http://127.0.0.1:4711/x"):
            assert (await client.get("/authorize", params={**asked, "redirect_uri": wrong})).status_code == 400


async def test_a_shell_without_a_browser_is_let_in_by_the_code_that_it_shows(folder: DataFolder) -> None:
    """The command's own code on one side, the issuer on the other, and a person between them."""
    app = issuer_app(ISSUER, API, folder)

    def sign_in(answers: "Callable[[httpx.Request], httpx.Response]") -> Tokens:
        with httpx.Client(transport=httpx.MockTransport(answers)) as http:
            metadata = http.get(f"{ISSUER}/.well-known/openid-configuration").json()
            provider = Provider(ISSUER, DEV_SHELL_CLIENT_ID, "openid", metadata)
            return sign_in_elsewhere(provider, http, lines.append, let_in)

    lines, paused = list[str](), list[float]()
    loop = asyncio.get_running_loop()
    async with AsyncClient(transport=ASGITransport(app, client=("127.0.0.1", 1)), base_url=API) as client:

        def ask(method: str, path: str, **options: Any) -> httpx.Response:
            answer = asyncio.run_coroutine_threadsafe(client.request(method, path, **options), loop).result(30)
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

        def answers(request: httpx.Request) -> httpx.Response:
            path = request.url.path.removeprefix(DEV_ISSUER_PATH)
            return ask(request.method, path, content=request.content, headers=request.headers)

        def let_in(pause: float) -> None:
            """The person, who is let look after the first question of the device."""
            paused.append(pause)
            if len(paused) == 2:
                shown = lines[0].rsplit(" ", 1)[1]
                assert shown in ask("GET", f"/activate?user_code={shown}").text
                assert ask("POST", "/activate", data={"user_code": "NO-SUCH", "user": "bob"}).status_code == 400
                assert ask("POST", "/activate", data={"user_code": shown.lower(), "user": "bob"}).status_code == 200

        tokens = await asyncio.to_thread(sign_in, answers)
        assert jwt.decode(tokens.access_token, signing_key(folder)).claims["sub"] == "bob"
        assert paused == [1, 1]
        assert (await client.post("/device", data={"client_id": DEV_CLIENT_ID})).status_code == 400
        form = {"grant_type": DEVICE_GRANT, "device_code": "guessed", "client_id": DEV_SHELL_CLIENT_ID}
        assert (await client.post("/token", data=form)).json() == {"error": "invalid_grant"}


async def test_a_code_is_nothing_without_its_verifier(folder: DataFolder) -> None:
    async with browser(folder) as client:
        back = await client.post("/authorize", data={**ASKED, "user": "admin"})
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "client_id": DEV_CLIENT_ID, "code_verifier": "w" * 43}
        assert (await client.post("/token", data=form)).status_code == 400


async def test_a_strange_state_cannot_break_out_of_the_page(folder: DataFolder) -> None:
    async with browser(folder) as client:
        page = await client.get("/authorize", params={**ASKED, "state": '"><script>alert(1)</script>'})
        assert "<script>" not in page.text


@pytest.mark.parametrize("path", ["/authorize", "/jwks", "/.well-known/openid-configuration"])
async def test_nobody_from_elsewhere_is_served(folder: DataFolder, path: str) -> None:
    async with browser(folder, client="192.0.2.7") as client:
        assert (await client.get(path, params=ASKED)).status_code == 403
    async with browser(folder, base="http://evil.example") as client:
        assert (await client.get(path, params=ASKED)).status_code == 403


def test_the_key_is_made_once_and_is_its_owners_alone(folder: DataFolder) -> None:
    assert signing_key(folder).kid == signing_key(folder).kid
    path = folder.path / "secrets" / "issuer.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["issuer.json"]


@pytest.mark.parametrize(
    "settings",
    [
        Settings(dev_issuer=True, host="0.0.0.0"),
        Settings(dev_issuer=True, host="192.0.2.7"),
        Settings(dev_issuer=True, public_url="https://orders.example"),
    ],
)
def test_off_loopback_it_refuses_to_start(settings: Settings) -> None:
    with pytest.raises(CommandFailed, match="this machine only"):
        oidc_config(settings)


def test_an_api_that_would_believe_nobody_does_not_start() -> None:
    with pytest.raises(CommandFailed, match="CONSIGNOR_OIDC_ISSUER"):
        oidc_config(Settings())


def test_another_issuer_is_believed_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNOR_OIDC_ISSUER", "https://login.example/realms/archive")
    monkeypatch.setenv("CONSIGNOR_OIDC_ROLES_CLAIM", "realm_access.roles")
    monkeypatch.setenv("CONSIGNOR_OIDC_ROLE_NAMES", '{"archive-admin": "admin"}')
    monkeypatch.setenv("CONSIGNOR_OIDC_DEFAULT_ROLE", "none")
    config = oidc_config(Settings())
    assert (config.issuer, config.audience) == ("https://login.example/realms/archive", "consignor")
    assert (config.claims.known_roles, config.claims.default_role) == ({"archive-admin": Role.ADMIN}, None)


def test_commands_show_the_token_they_are_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONSIGNOR_DATA", str(tmp_path))
    assert credential_for(API).token() is None
    with pytest.raises(CommandFailed, match="no dev stack"):
        token_of("alice", API, lifetime=60)
    with pytest.raises(CommandFailed, match="alice, bob, sam, admin"):
        token_of("eve", API, lifetime=60)
    monkeypatch.setenv("CONSIGNOR_TOKEN", "mine")
    assert credential_for(API).token() == "mine"
    # Beyond this machine only where nobody can read it on the way, or somebody says so.
    assert credential_for("https://orders.example").token() == "mine"
    with pytest.raises(CommandFailed, match="CONSIGNOR_PLAIN_HTTP"):
        credential_for("http://orders.example").token()
    monkeypatch.setenv("CONSIGNOR_PLAIN_HTTP", "true")
    assert credential_for("http://orders.example").token() == "mine"
    monkeypatch.setenv("CONSIGNOR_TOKEN", "")
    with pytest.raises(CommandFailed, match="set to nothing"):
        credential_for(API).token()


def test_commands_mint_a_token_once_and_not_for_another_address(tmp_path: Path) -> None:
    first = kept_token(tmp_path, API)
    assert kept_token(tmp_path, API) == first
    path = tmp_path / "secrets" / "commands-token.json"
    assert path.stat().st_mode & 0o777 == 0o600
    other = kept_token(tmp_path, "http://127.0.0.1:9000")
    assert (
        jwt.decode(other, signing_key(DataFolder(tmp_path))).claims["iss"] == f"http://127.0.0.1:9000{DEV_ISSUER_PATH}"
    )
    path.write_text(path.read_text().replace('"until": 1', '"until": 0'))
    assert kept_token(tmp_path, "http://127.0.0.1:9000") != other


async def test_orders_from_before_there_were_people_are_the_default_persons(
    sessions: Sessions, database_url: str, tmp_path: Path
) -> None:
    await add_product(sessions, tmp_path, "scenes", {"a": {"b": b"c"}})
    for label, customer in (("Old", "local"), ("Twice", "local"), ("Twice", DEFAULT.customer), ("Hers", "somebody")):
        await add_order(sessions, {"scenes": "all"}, label=label, caller=Caller(customer))
    for _ in range(2):
        await adopt_local_orders(database_url)
    async with sessions.begin() as session:
        rows = (await session.execute(sa.select(Order.label, Order.customer))).all()  # type: ignore[call-overload]
    mine = DEFAULT.customer
    assert sorted(rows) == sorted([("Old", mine), ("Twice", "local"), ("Twice", mine), ("Hers", "somebody")])


async def test_an_issuer_on_an_ipv6_address_is_found_where_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSIGNOR_DEV_ISSUER", "true")
    monkeypatch.setenv("CONSIGNOR_HOST", "::1")
    monkeypatch.setenv("CONSIGNOR_DATA", str(tmp_path))
    issuer = f"http://[::1]:8000{DEV_ISSUER_PATH}"
    assert oidc_config(Settings()).issuer == issuer
    async with browser(DataFolder(tmp_path), client="::1", base="http://[::1]:8000") as client:
        assert (await client.get("/jwks")).status_code == 200
    # Behind a proxy the API has another address, and its issuer has not.
    monkeypatch.setenv("CONSIGNOR_PUBLIC_URL", "http://localhost:9000/orders")
    token = credential_for("http://localhost:9000/orders").token()
    assert jwt.decode(token or "", signing_key(DataFolder(tmp_path))).claims["iss"] == issuer


def test_a_kept_token_that_was_refused_is_shown_no_more(tmp_path: Path) -> None:
    first = kept_token(tmp_path, API)
    forget_kept_token(tmp_path)
    forget_kept_token(tmp_path)
    assert kept_token(tmp_path, API) != first
