"""What an API does not start with, and that each refusal names its remedy."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from cli.errors import CommandFailed
from cli.runtime.safety import check_safe_api, check_safe_worker, cursor_key, unsafe_api
from cli.runtime.settings import Settings

HTTPS = "https://orders.example"


def production(**chosen: Any) -> Settings:
    """An API of its own issuer for which everything is set, but for what is chosen."""
    issuer = "https://login.example"
    safe = {"oidc_issuer": issuer, "oidc_default_role": "none", "cursor_secret": "c" * 32, "public_url": HTTPS}
    return Settings(**{**safe, **chosen})


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"public_url": None},
        {"public_url": "http://localhost:9000/orders"},
        {"host": "::1", "public_url": None},
        {"host": "0.0.0.0"},
        {"host": "192.0.2.7", "public_url": None, "plain_http": True},
        {"oidc_default_role": "customer"},
    ],
)
def test_what_is_safe_starts(chosen: dict[str, Any]) -> None:
    assert unsafe_api(production(**chosen)) == []


@pytest.mark.parametrize(
    ("chosen", "remedies"),
    [
        ({"host": "0.0.0.0", "public_url": None}, ["CONSIGNOR_PUBLIC_URL", "CONSIGNOR_PLAIN_HTTP"]),
        ({"host": "192.0.2.7", "public_url": None}, ["CONSIGNOR_PLAIN_HTTP"]),
        ({"host": "::", "public_url": "http://localhost:8000"}, ["CONSIGNOR_PLAIN_HTTP"]),
        ({"public_url": "http://orders.example"}, ["https://", "CONSIGNOR_PLAIN_HTTP"]),
        ({"oidc_default_role": None}, ["CONSIGNOR_OIDC_DEFAULT_ROLE", "`none`", "`customer`"]),
        ({"cursor_secret": None}, ["CONSIGNOR_CURSOR_SECRET", "openssl rand -hex 32"]),
    ],
)
def test_what_is_unsafe_is_refused_with_its_remedy(chosen: dict[str, Any], remedies: list[str]) -> None:
    with pytest.raises(CommandFailed) as caught:
        check_safe_api(production(**chosen))
    assert len(str(caught.value).splitlines()) == 2
    assert all(remedy in str(caught.value) for remedy in remedies)


@pytest.mark.parametrize(
    ("chosen", "remedies"),
    [
        ({"delivery_roots": ("/exports/",)}, ["/exports/{customer}", "CONSIGNOR_DELIVERY_SHARED_ROOTS"]),
        ({"delivery_endpoints": ("http://169.254.169.254",)}, ["CONSIGNOR_DELIVERY_ENDPOINTS", "take it out"]),
        ({"delivery_endpoints": ("http://[fd00:ec2::254]:80",)}, ["take it out"]),
        ({"delivery_endpoints": ("http://[::ffff:169.254.0.1]",)}, ["take it out"]),
    ],
)
def test_unsafe_places_for_deliveries_are_refused_by_api_and_worker(
    chosen: dict[str, Any], remedies: list[str]
) -> None:
    for check in (check_safe_api, check_safe_worker):
        with pytest.raises(CommandFailed) as caught:
            check(production(**chosen))
        assert all(remedy in str(caught.value) for remedy in remedies)


def test_places_of_each_customer_or_that_are_shared_on_purpose_are_allowed() -> None:
    check_safe_worker(production(delivery_roots=("/exports/{customer}",), delivery_endpoints=("https://s3.example",)))
    check_safe_worker(production(delivery_roots=("/exports",), delivery_shared_roots=True))


def test_everything_that_is_unsafe_is_told_at_once() -> None:
    unsafe = production(public_url="http://orders.example", oidc_default_role=None, cursor_secret=None)
    assert len(unsafe_api(unsafe)) == 3


def test_the_dev_stack_on_loopback_needs_no_choice() -> None:
    assert unsafe_api(Settings(dev_issuer=True)) == []


def test_cursors_are_sealed_with_a_secret_of_their_own_and_never_with_the_databases_address() -> None:
    assert cursor_key(production()) == cursor_key(production())
    one, two = (Settings(DATABASE_URL="postgresql://u:p@db/c", dev_issuer=True) for _ in range(2))
    assert cursor_key(one) != cursor_key(two)


UNSAFE = {
    "a secret of three bytes": {"payment_webhook_secrets": (SecretStr("whsec_YWJj"),)},
    "a secret of other characters": {"payment_webhook_secrets": (SecretStr("whsec_" + "!" * 40),)},
    "a default role that commands": {"oidc_default_role": "admin"},
    "a short cursor secret": {"cursor_secret": SecretStr("c" * 31)},
    "a short link key": {"link_keys": (SecretStr("k" * 31),)},
}


@pytest.mark.parametrize("chosen", UNSAFE.values(), ids=UNSAFE)
def test_a_secret_that_can_be_guessed_or_a_role_for_everybody_is_none(chosen: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**chosen)


def test_a_payment_secret_may_be_as_the_providers_make_them() -> None:
    made = ("whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    assert len(Settings(payment_webhook_secrets=tuple(map(SecretStr, made))).payment_webhook_secrets) == 2
