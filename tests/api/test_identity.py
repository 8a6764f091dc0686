"""Bearer tokens: what is believed, and every way to forge one that is not."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from joserfc.jwk import ECKey, RSAKey

from api.identity.config import ClaimNames, OidcConfig
from api.identity.provider import ProviderSource
from api.identity.token_verifier import TokenVerifier
from api.identity.users import user_from_claims
from models.access import Caller, Permission, Role, Scope, customer_id, granted
from models.errors import Forbidden, InsufficientScope, Unauthenticated
from tests.api.conftest import MakeProduct
from tests.factories import Sessions, add_order
from tests.issuer import AUDIENCE, ISSUER, REALM, Issuer, rsa_key


async def shown(client: AsyncClient, token: str) -> Response:
    """What `/me` answers to a token."""
    return await client.get("/me", headers={"Authorization": f"Bearer {token}"})


def part(value: Any) -> str:
    """A part of a token, as it is written."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def claims(**more: Any) -> dict[str, Any]:
    """Claims that would be believed, were they signed."""
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": now + 600, "roles": ["admin"], **more}


def unsigned(issuer: Issuer) -> str:
    return f"{part({'alg': 'none'})}.{part(claims())}."


def unsigned_in_capitals(issuer: Issuer) -> str:
    return f"{part({'alg': 'nOnE', 'kid': 'one'})}.{part(claims())}."


def signed_with_the_public_key_as_a_secret(issuer: Issuer) -> str:
    signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims())}"
    signature = hmac.digest(issuer.keys[0].as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def signed_with_a_key_of_its_own(issuer: Issuer) -> str:
    key = RSAKey.generate_key(2048, parameters={"kid": "one"})
    return issuer.token("ada", key=key)


def signed_with_a_key_it_brings_along(issuer: Issuer) -> str:
    key = ECKey.generate_key("P-256", parameters={"kid": "mine"})
    return issuer.token("ada", key=key, header={"alg": "ES256", "jwk": key.as_dict(private=False)})


def with_another_payload(issuer: Issuer) -> str:
    head, _, signature = issuer.token("local").split(".")
    return f"{head}.{part(claims())}.{signature}"


def with_a_critical_header(issuer: Issuer) -> str:
    head = part({"alg": "RS256", "kid": "one", "crit": ["new"], "new": 1})
    return f"{head}.{part(claims())}.AAAA"


FORGERIES = [
    unsigned,
    unsigned_in_capitals,
    signed_with_the_public_key_as_a_secret,
    signed_with_a_key_of_its_own,
    signed_with_a_key_it_brings_along,
    with_another_payload,
    with_a_critical_header,
]


@pytest.mark.parametrize("forged", FORGERIES, ids=lambda forged: forged.__name__)
async def test_a_forged_token_is_refused(
    anonymous: AsyncClient, issuer: Issuer, forged: Callable[[Issuer], str]
) -> None:
    answer = await shown(anonymous, forged(issuer))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="consignor", error="invalid_token"'
    assert answer.headers["content-type"] == "application/problem+json"


NOW = int(time.time())
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"iss": "https://login.example/realms/other"}, "another issuer"),
    ({"iss": None}, "lacks"),
    ({"iss": [ISSUER]}, "another issuer"),
    ({"aud": "somebody-else"}, "meant for somebody else"),
    ({"aud": ["a", "b"]}, "meant for somebody else"),
    ({"aud": None}, "lacks"),
    ({"aud": {"consignor": 1}}, "meant for somebody else"),
    ({"exp": NOW - 3600}, "expired"),
    ({"exp": None}, "lacks"),
    ({"exp": "tomorrow"}, "no token that can be believed"),
    ({"exp": True}, "no token that can be believed"),
    ({"nbf": NOW + 3600}, "not valid yet"),
    ({"iat": NOW + 3600}, "not valid yet"),
    ({"sub": None}, "lacks"),
    ({"sub": ""}, ""),
    ({"sub": 7}, ""),
    ({"sub": "  "}, ""),
    ({"sub": "a\0b"}, ""),
]


@pytest.mark.parametrize(("changed", "reason"), WRONG, ids=range(len(WRONG)))
async def test_a_token_for_others_or_for_another_time_is_refused(
    anonymous: AsyncClient, issuer: Issuer, changed: dict[str, Any], reason: str
) -> None:
    answer = await shown(anonymous, issuer.token(**({"subject": "local"} | changed_sub(changed))))
    assert answer.status_code == 401
    assert reason in answer.json()["detail"]


def changed_sub(changed: dict[str, Any]) -> dict[str, Any]:
    """`sub` is the helper's first argument."""
    return {"subject": changed["sub"]} if "sub" in changed else changed


@pytest.mark.parametrize(
    "text", ["", "x", "a.b.c", "....", "é.é.é", "A" * 20_000, "eyJ.eyJ.x", "cnsg_", "cnsg_" + "0" * 64]
)
async def test_what_is_no_token_is_refused(anonymous: AsyncClient, text: str) -> None:
    answer = await anonymous.get("/me", headers=[(b"Authorization", f"Bearer {text}".encode())])
    assert answer.status_code == 401
    assert text not in answer.json()["detail"] or len(text) < 2


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Basic bG9jYWw6eA==")],
        [("Authorization", "Bearer")],
        [("Authorization", "")],
        [("Authorization", "Bearer a b")],
        [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
    ],
)
async def test_another_scheme_or_two_tokens_are_refused(anonymous: AsyncClient, headers: list[tuple[str, str]]) -> None:
    assert (await anonymous.get("/me", headers=headers)).status_code == 401


OTHER_KINDS: dict[str, dict[str, Any]] = {
    "an ID token by its nonce": {"nonce": "n"},
    "an ID token by its hash": {"at_hash": "h"},
    "an ID token of Keycloak": {"typ": "ID"},
    "a refresh token of Keycloak": {"typ": "Refresh"},
    "a logout token": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    "a logout token by its header": {"header": {"typ": "logout+jwt"}},
    "a kind that nobody knows": {"header": {"typ": "dpop+jwt"}},
}


@pytest.mark.parametrize("more", OTHER_KINDS.values(), ids=OTHER_KINDS)
async def test_a_token_that_was_issued_for_something_else_is_no_bearer(
    anonymous: AsyncClient, issuer: Issuer, more: dict[str, Any]
) -> None:
    answer = await shown(anonymous, issuer.token(**more))
    assert answer.status_code == 401
    assert "not an access token" in answer.json()["detail"]


ACCESS: list[dict[str, Any]] = [
    {"header": {"typ": "at+jwt"}, "nonce": "n"},
    {"header": {"typ": "application/at+jwt"}},
    {"header": {"typ": "JWT"}},
    {"typ": "Bearer", "nonce": "n"},
]


@pytest.mark.parametrize("more", ACCESS, ids=range(len(ACCESS)))
async def test_an_access_token_is_one_however_its_issuer_says_so(
    anonymous: AsyncClient, issuer: Issuer, more: dict[str, Any]
) -> None:
    assert (await shown(anonymous, issuer.token(**more))).status_code == 200


async def test_clocks_may_differ_a_little(anonymous: AsyncClient, issuer: Issuer) -> None:
    now = int(time.time())
    assert (await shown(anonymous, issuer.token(exp=now - 5, iat=now - 60))).status_code == 200
    assert (await shown(anonymous, issuer.token(nbf=now + 5, iat=now + 5))).status_code == 200


async def test_a_token_that_was_believed_is_not_once_its_time_is_over(issuer: Issuer) -> None:
    now = datetime.now(UTC)
    token = issuer.token(exp=int(now.timestamp()) + 60)
    async with issuer.client() as http:
        verifier = TokenVerifier(issuer.config, ProviderSource(issuer.config.issuer, http, issuer.clock))
        assert (await verifier.verify_bearer(token, audience=AUDIENCE, now=now))["sub"]
        with pytest.raises(Unauthenticated, match="expired"):
            await verifier.verify_bearer(token, audience=AUDIENCE, now=now + timedelta(minutes=5))


async def test_an_audience_among_others_and_headers_that_are_not_known_are_no_reason_to_refuse(
    anonymous: AsyncClient, issuer: Issuer
) -> None:
    token = issuer.token(aud=["account", AUDIENCE])
    assert (await shown(anonymous, token)).status_code == 200


async def test_keys_are_fetched_once_and_a_new_key_is_found(anonymous: AsyncClient, issuer: Issuer) -> None:
    assert (await shown(anonymous, issuer.token())).status_code == 200
    assert (await shown(anonymous, issuer.token())).status_code == 200
    assert issuer.asked.count("/jwks") == 1
    issuer.seconds += 60
    issuer.keys = [rsa_key("two"), rsa_key("one")]
    assert (await shown(anonymous, issuer.token())).status_code == 200
    assert (await shown(anonymous, issuer.token(key=rsa_key("one")))).status_code == 200
    assert issuer.asked.count("/jwks") == 2


async def test_a_key_that_is_withdrawn_is_not_believed_for_long(anonymous: AsyncClient, issuer: Issuer) -> None:
    old = issuer.token()
    assert (await shown(anonymous, old)).status_code == 200
    issuer.keys = [rsa_key("two")]
    issuer.seconds += 601
    assert (await shown(anonymous, old)).status_code == 401


async def test_made_up_key_ids_do_not_become_requests(anonymous: AsyncClient, issuer: Issuer) -> None:
    await shown(anonymous, issuer.token())
    issuer.seconds += 60
    for number in range(20):
        answer = await shown(anonymous, issuer.token(header={"kid": f"made-up-{number}"}))
        assert answer.status_code == 401
    assert issuer.asked.count("/jwks") == 2


async def test_a_key_set_may_hold_what_nobody_understands(anonymous: AsyncClient, issuer: Issuer) -> None:
    strange: list[Any] = [{"kty": "new"}, {}, {"kty": "RSA", "n": "!", "e": "x"}, "key", {"kty": "oct", "k": "AAAA"}]
    for_encryption = {**issuer.jwks()[0], "kid": "enc", "use": "enc"}
    issuer.published = [*strange, for_encryption, *issuer.jwks()]
    assert (await shown(anonymous, issuer.token())).status_code == 200
    assert (await shown(anonymous, issuer.token(header={"kid": "enc"}))).status_code == 401


async def test_an_issuer_that_is_away_before_it_was_ever_reached_is_503(anonymous: AsyncClient, issuer: Issuer) -> None:
    issuer.is_away = True
    answer = await shown(anonymous, issuer.token())
    assert (answer.status_code, answer.json()["code"]) == (503, "identity_unavailable")
    assert answer.headers["retry-after"]
    issuer.is_away = False
    issuer.seconds += 3
    assert (await shown(anonymous, issuer.token())).status_code == 200


async def test_known_keys_go_on_working_while_the_issuer_is_away(anonymous: AsyncClient, issuer: Issuer) -> None:
    assert (await shown(anonymous, issuer.token())).status_code == 200
    issuer.is_away = True
    issuer.seconds += 100_000
    assert (await shown(anonymous, issuer.token())).status_code == 200


async def test_a_description_of_another_issuer_is_not_believed(anonymous: AsyncClient, issuer: Issuer) -> None:
    issuer.claimed_issuer = "https://login.example/realms/other"
    assert (await shown(anonymous, issuer.token())).status_code == 503


async def test_who_one_is_comes_from_the_token(anonymous: AsyncClient, issuer: Issuer) -> None:
    token = issuer.token("sam", name="Sam", email="sam@example.org", groups=["b", "a", "a", 7])
    me = (await shown(anonymous, token)).json()
    assert me["id"] == customer_id(REALM, "sam")
    assert (me["name"], me["email"], me["roles"], me["groups"]) == ("Sam", "sam@example.org", ["support"], ["a", "b"])
    assert me["permissions"] == ["annotate", "manage_tokens", "read", "read_all"]
    assert me["scopes"] is None


def test_a_customer_is_always_the_same_stranger() -> None:
    assert customer_id("r", "alice") == customer_id("r", "alice")
    assert (
        len({customer_id("r", "alice"), customer_id("ra", "lice"), customer_id("r", "bob"), customer_id("q", "alice")})
        == 4
    )
    assert "alice" not in customer_id("r", "alice")


def described(names: ClaimNames, **more: Any) -> list[str]:
    config = OidcConfig(ISSUER, AUDIENCE, claims=names)
    return user_from_claims(config, {"sub": "x", **more}, datetime.now(UTC)).roles


def test_roles_are_found_where_the_issuer_writes_them() -> None:
    keycloak = ClaimNames(roles="realm_access.roles", known_roles={"archive-admin": Role.ADMIN})
    assert described(keycloak, realm_access={"roles": ["archive-admin", "offline"]}) == ["admin"]
    assert described(keycloak, realm_access=["archive-admin"]) == ["customer"]
    assert described(ClaimNames(roles="https://a.example/roles"), **{"https://a.example/roles": "support"}) == [
        "support"
    ]
    assert described(ClaimNames(), roles=["customer", "support"]) == ["customer", "support"]
    assert described(ClaimNames(default_role=None), roles=["stranger"]) == []


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_a_permission_takes_both_a_role_and_a_scope(role: Role, permission: Permission) -> None:
    person = Caller("a", frozenset({role}))
    assert person.may(permission) == (permission in granted({role}))
    script = Caller("a", frozenset({role}), scopes=frozenset({Scope.READ}))
    reading = {"read", "read_all", "read_settings"}
    assert script.may(permission) == (permission in granted({role}) and permission in reading)
    if permission not in granted({role}):
        with pytest.raises(Forbidden):
            script.require(permission)
    elif not script.may(permission):
        with pytest.raises(InsufficientScope):
            script.require(permission)


async def test_a_closed_product_is_not_there_for_others(
    anonymous: AsyncClient, issuer: Issuer, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product("closed", groups=["partners", "friends"])
    await make_product("open")
    partner = {"Authorization": f"Bearer {issuer.token('local', groups=['friends', 'x'])}"}
    other = {"Authorization": f"Bearer {issuer.token('other', groups=['x'])}"}

    async def skus(headers: dict[str, str]) -> list[str]:
        return [product["sku"] for product in (await anonymous.get("/products", headers=headers)).json()["items"]]

    assert await skus(partner) == ["closed", "open"]
    assert await skus(other) == ["open"]
    found = (await anonymous.get("/products/closed/objects", headers=partner)).json()["items"][0]["id"]
    files = (await anonymous.get(f"/objects/{found}/files", headers=partner)).json()["items"]
    for body in ({"files": [found]}, {"files": [files[0]["id"]]}, {"items": [{"product": "closed"}]}):
        refused = await anonymous.post("/orders", json=body, headers=other)
        assert [fault["code"] for fault in refused.json()["faults"]] == ["unknown_id"]
        assert (await anonymous.post("/orders", json=body, headers=partner)).status_code == 201


async def test_what_was_closed_since_cannot_be_ordered_again(
    anonymous: AsyncClient, issuer: Issuer, sessions: Sessions, make_product: MakeProduct
) -> None:
    await make_product("closed", groups=["partners"])
    caller = Caller(customer_id(REALM, "local"), groups=frozenset({"partners"}))
    order = await add_order(sessions, {"closed": "all"}, caller=caller)
    headers = {"Authorization": f"Bearer {issuer.token('local')}"}
    assert (await anonymous.post(f"/orders/{order.id}/restart", headers=headers)).status_code == 422


async def test_the_description_says_how_to_be_somebody(anonymous: AsyncClient) -> None:
    described = (await anonymous.get("/openapi.json")).json()
    assert set(described["components"]["securitySchemes"]) == {"bearer", "session"}
    public = {"log-in", "finish-log-in", "log-out", "show-protected-resource", "receive-payment", "healthz", "readyz"}
    for path, methods in described["paths"].items():
        for operation in methods.values():
            is_public = operation["operationId"] in public or path.startswith("/api/v1/links/")
            assert (operation["security"] == []) == is_public, path
            assert is_public or {"401", "403"} <= set(operation["responses"]), path
