"""Every setting reaches what it is for: the API's what its routes work with, or the process itself."""

import gc
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from api.dependencies import Services
from api.operations.state import Operations
from cli.runtime.api_server import DrainingServer, open_services
from cli.runtime.settings import Settings
from models.links import LinkKeys
from models.shop_settings import Folding
from storage.vault import Vault, new_key

LINK_KEY, CURSOR_SECRET, PAYMENT, DELIVERY = "l" * 40, "c" * 40, "whsec_" + "cGF5" * 12, new_key()
SEALED = Vault([DELIVERY]).seal("keys", "customer:a")

Look = Callable[[Services], Any]


def cursor_key() -> bytes | None:
    return Settings(cursor_secret=SecretStr(CURSOR_SECRET)).cursor_key


# A value that is no default, and where a route of the API finds it.
SEEN: dict[str, tuple[Any, Look, Any]] = {
    "public_url": ("https://orders.example/shop", lambda s: s.public_url, "https://orders.example/shop"),
    "cors_origins": (("https://pages.example",), lambda s: s.cors.origins, {"https://pages.example"}),
    "cors_credentials": (True, lambda s: s.cors.credentials, True),
    "max_files_per_suborder": (11, lambda s: s.shop.limits.max_files, 11),
    "max_bytes_per_suborder": (12, lambda s: s.shop.limits.max_bytes, 12),
    "max_open_orders": (13, lambda s: s.shop.quotas.open_orders, 13),
    "max_files_per_order": (14, lambda s: s.shop.quotas.files_per_order, 14),
    "max_bytes_per_order": (15, lambda s: s.shop.quotas.bytes_per_order, 15),
    "quota_period": (timedelta(hours=16), lambda s: s.shop.quotas.period, timedelta(hours=16)),
    "max_files_per_period": (17, lambda s: s.shop.quotas.files_per_period, 17),
    "max_bytes_per_period": (18, lambda s: s.shop.quotas.bytes_per_period, 18),
    "draft_timeout": (timedelta(hours=30), lambda s: s.shop.terms.draft_timeout, timedelta(hours=30)),
    "payment_timeout": (timedelta(hours=31), lambda s: s.shop.terms.payment_timeout, timedelta(hours=31)),
    "max_pause": (timedelta(hours=32), lambda s: s.shop.terms.max_pause, timedelta(hours=32)),
    "keep_for": (timedelta(hours=33), lambda s: s.shop.terms.keep_for, timedelta(hours=33)),
    "remind_before": (timedelta(hours=34), lambda s: s.shop.terms.remind_before, timedelta(hours=34)),
    "max_extension": (timedelta(hours=35), lambda s: s.shop.terms.max_extension, timedelta(hours=35)),
    "languages": (("fr",), lambda s: s.shop.languages, ("fr",)),
    "welcome": ({"fr": "Bonjour"}, lambda s: s.shop.welcome, {"fr": "Bonjour"}),
    "cart_groups": (Folding.COLLAPSED, lambda s: s.shop.cart_groups, Folding.COLLAPSED),
    "history_groups": (Folding.EXPANDED, lambda s: s.shop.history_groups, Folding.EXPANDED),
    "group_by_product": (False, lambda s: s.shop.group_by_product, False),
    "max_parallel_downloads": (19, lambda s: s.downloads.limit, 19),
    "max_process_downloads": (20, lambda s: s.downloads.total, 20),
    "max_parallel_streams": (21, lambda s: s.streams.limit, 21),
    "max_process_streams": (22, lambda s: s.streams.total, 22),
    "max_parallel_exports": (28, lambda s: s.exports.limit, 28),
    "max_process_exports": (29, lambda s: s.exports.total, 29),
    "max_requests_per_second": (23, lambda s: s.rate.per_second, 23),
    "request_burst": (24, lambda s: s.rate.burst, 24),
    "payment_webhook_secrets": ((SecretStr(PAYMENT),), lambda s: s.payment_secrets, (PAYMENT,)),
    "delivery_roots": (
        (Path("/exports/{customer}"),), lambda s: s.delivery_targets.allowed.roots, ("/exports/{customer}",)
    ),
    "delivery_endpoints": (
        ("https://s3.example",), lambda s: s.delivery_targets.allowed.endpoints, ("https://s3.example",)
    ),
    "delivery_keys": (
        (SecretStr(DELIVERY),), lambda s: s.delivery_targets.vault.open(SEALED, "customer:a"), "keys"
    ),
    "archive_filename": ("{number}-{suborder}.zip", lambda s: s.delivery_targets.filename, "{number}-{suborder}.zip"),
    "cursor_secret": (SecretStr(CURSOR_SECRET), lambda s: s.cursor_key == cursor_key(), True),
    "link_keys": ((SecretStr(LINK_KEY),), lambda s: s.link_keys.sign("a"), LinkKeys([LINK_KEY]).sign("a")),
    "stalled_after": (timedelta(seconds=25), lambda s: s.stalled_after, 25.0),
    "storage_timeout": (timedelta(seconds=26), lambda s: s.readers.patience, 26.0),
    "oidc_issuer": ("https://login.example", lambda s: s.identity.config.issuer, "https://login.example"),
    "oidc_audience": ("shop", lambda s: s.identity.config.audience, "shop"),
    "oidc_client_id": ("pages", lambda s: s.identity.config.client_id, "pages"),
    "oidc_client_secret": (SecretStr("hush"), lambda s: s.identity.config.client_secret, "hush"),
    "oidc_shell_client_id": ("shell", lambda s: s.identity.config.shell_client_id, "shell"),
    "oidc_shell_scopes": ("openid x", lambda s: s.identity.config.shell_scopes, ("openid", "x")),
    "oidc_realm": ("archive", lambda s: s.identity.config.realm, "archive"),
    "oidc_roles_claim": ("r", lambda s: s.identity.config.claims.roles, "r"),
    "oidc_groups_claim": ("g", lambda s: s.identity.config.claims.groups, "g"),
    "oidc_name_claim": ("n", lambda s: s.identity.config.claims.name, "n"),
    "oidc_email_claim": ("e", lambda s: s.identity.config.claims.email, "e"),
    "oidc_role_names": ({"boss": "admin"}, lambda s: s.identity.config.claims.known_roles, {"boss": "admin"}),
    "oidc_default_role": ("customer", lambda s: s.identity.config.claims.default_role, "customer"),
    "session_timeout": (timedelta(hours=27), lambda s: s.identity.config.session_timeout, timedelta(hours=27)),
}  # fmt: skip

# Those of the process itself, of workers, of commands and of the dev stack, each of which has tests of its own.
OTHERS = {
    *("data", "host", "port", "plain_http", "log_level", "database_url", "token", "dev_issuer"),
    *("api_metrics", "worker_metrics", "drain_notice", "drain_timeout", "delivery_shared_roots"),
    *("verify", "pieces", "purge_after"),
}


@pytest.fixture
def untuned() -> Iterator[None]:
    """Garbage collection as it was: a server tunes that of its process."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of which none is a default."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    return Settings().model_copy(
        update={"database_url": database_url, **{name: value for name, (value, _, _) in SEEN.items()}}
    )


async def test_every_setting_of_the_api_reaches_what_its_routes_work_with(settings: Settings, untuned: None) -> None:
    defaults = Settings()
    assert [name for name, (value, _, _) in SEEN.items() if getattr(defaults, name) == value] == []
    async with open_services(settings, Operations()) as services:
        found = {name: look(services) for name, (_, look, _) in SEEN.items()}
    assert found == {name: expected for name, (_, _, expected) in SEEN.items()}


def test_no_setting_is_forgotten() -> None:
    assert set(Settings.model_fields) == SEEN.keys() | OTHERS
    assert not SEEN.keys() & OTHERS


def test_the_drain_of_an_api_is_as_set() -> None:
    import uvicorn

    settings = Settings(drain_notice=timedelta(seconds=3), drain_timeout=timedelta(seconds=4))
    server = DrainingServer(uvicorn.Config("unused"), Operations(), settings)
    assert (server._notice, server._patience) == (3.0, 4.0)
