"""Every setting of Consignor; `cli.runtime.loading` finds them."""

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cli.runtime.addresses import WILDCARDS, http_url, is_plain_beyond_loopback, whole_url
from cli.runtime.running_stack import nearest_data
from cli.runtime.secret_files import SecretFiles
from cli.runtime.secret_values import checked_token
from models.access import Role
from models.cors import CorsPolicy, parse_origin
from models.links import MIN_SECRET_LENGTH, LinkKeys
from models.naming import DEFAULT_ARCHIVE_FILENAME, check_archive_filename
from models.payment import check_webhook_secret
from models.shop_settings import ShopSettings
from models.verify import Verify

ListenAddress = Annotated[str, StringConstraints(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):\d{1,5}$")]
"""Host and port, `[::1]:9464` for IPv6."""


class Settings(ShopSettings, BaseSettings):
    """The environment: CONSIGNOR_… and DATABASE_URL, and files with secrets, see `secret_files`.

    The shop's settings are among them, and what the environment says of one wins over what an admin has set. Temporal
    has its own variables and file, see `loading.temporal_config`.
    """

    model_config = SettingsConfigDict(env_prefix="CONSIGNOR_", env_ignore_empty=True, frozen=True)

    data: Path = Field(default_factory=nearest_data)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    # How people reach the API from outside, when that is not http://host:port; links in mails and Metalinks use it. A
    # path in it is the one below which a proxy serves the API.
    public_url: str | None = None
    # Serve plain HTTP beyond this machine all the same, and show tokens to an API that does.
    plain_http: bool = False
    # Origins whose pages may ask the API from a browser, or `*`; with credentials as whoever has signed in there.
    cors_origins: tuple[Annotated[str, AfterValidator(parse_origin)], ...] = ()
    cors_credentials: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    # These are counted in each API process for itself: what a customer may have at a time, and what all may have.
    max_parallel_downloads: int = Field(default=100, ge=0)
    max_parallel_exports: int = Field(default=2, ge=0)
    max_parallel_streams: int = Field(default=50, ge=0)
    max_process_downloads: int = Field(default=400, ge=0)
    max_process_exports: int = Field(default=16, ge=0)
    max_process_streams: int = Field(default=2_000, ge=0)
    max_requests_per_second: int = Field(default=500, ge=0)
    request_burst: int = Field(default=2_000, ge=0)
    # When a file of known checksums is read again: at each order, when the storage shows another version, or never.
    verify: Verify = Verify.CHANGED
    # Whether the pieces of large files are hashed as well when they are read, for Metalinks.
    pieces: bool = False
    purge_after: timedelta = timedelta(days=90)
    # After SIGTERM: how long to go on as before so that load balancers notice, and then for what is under way.
    drain_notice: timedelta = Field(default=timedelta(0), ge=timedelta(0))
    drain_timeout: timedelta = Field(default=timedelta(seconds=25), ge=timedelta(0))
    # Where an API process offers its metrics to Prometheus, and a worker Temporal's own, such as 127.0.0.1:9464.
    api_metrics: ListenAddress | None = None
    worker_metrics: ListenAddress | None = None
    # Secrets of the payment provider (Standard Webhooks, `whsec_…`), the newest first; several while one is replaced.
    payment_webhook_secrets: tuple[SecretStr, ...] = ()
    # Folders below which customers may have archives delivered, and endpoints of buckets other than AWS's. A root with
    # `{customer}` in it is another one for each of them; one without is refused unless it may be shared.
    delivery_roots: tuple[Path, ...] = ()
    delivery_shared_roots: bool = False
    delivery_endpoints: tuple[str, ...] = ()
    # Keys that credentials of destinations are encrypted with, the newest first; several while one is replaced.
    delivery_keys: tuple[SecretStr, ...] = ()
    archive_filename: Annotated[str, AfterValidator(check_archive_filename)] = DEFAULT_ARCHIVE_FILENAME
    # Seals the cursors of lists; all API processes need the same. Made for it, as any secret, and derived from nothing.
    cursor_secret: SecretStr | None = Field(default=None, min_length=MIN_SECRET_LENGTH)
    # Secrets that sign links, of at least 32 characters, the newest first; an old one goes when its links may end.
    link_keys: tuple[SecretStr, ...] = ()
    # After which a client that takes nothing of a download is cut off.
    stalled_after: timedelta = timedelta(minutes=5)
    # After which a storage that gives no byte counts as unavailable; for an API process and for a worker.
    storage_timeout: timedelta = Field(default=timedelta(seconds=30), gt=timedelta(0))
    # Whose tokens are accepted: an OpenID Connect issuer's, or on one machine the dev stack's own.
    oidc_issuer: str | None = None
    oidc_audience: str = "consignor"
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    # The public client with which `consignor login` signs in, and what it asks for.
    oidc_shell_client_id: str | None = None
    oidc_shell_scopes: str = "openid profile email"
    oidc_realm: str | None = None
    oidc_roles_claim: str = "roles"
    oidc_groups_claim: str = "groups"
    oidc_name_claim: str = "name"
    oidc_email_claim: str = "email"
    oidc_role_names: dict[str, Role] = Field(default_factory=lambda: {str(role): role for role in Role})
    # What somebody is to whom the issuer gives no role. No default: `customer` opens the shop to all who can sign in.
    oidc_default_role: Literal["customer", "none"] | None = None
    session_timeout: timedelta = timedelta(hours=12)
    dev_issuer: bool = False
    # What our own commands show the API.
    token: SecretStr | None = None
    database_url: str = Field(default="", validation_alias="DATABASE_URL")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, and the files that it names."""
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator("database_url")
    @classmethod
    def _modern_scheme(cls, url: str) -> str:
        # Hosting services still hand out the scheme that SQLAlchemy no longer knows.
        url = re.sub(r"^postgres://", "postgresql://", url)
        if url:
            # Imported only now: commands that ask the API need no driver.
            from database.readiness import check_url

            check_url(url)
        return url

    @field_validator("delivery_roots")
    @classmethod
    def _whole_paths(cls, roots: tuple[Path, ...]) -> tuple[Path, ...]:
        if any(not root.is_absolute() or ".." in root.parts for root in roots):
            raise ValueError("give absolute paths without `..`")
        return roots

    @field_validator("delivery_keys")
    @classmethod
    def _good_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        from storage.vault import check_key

        for key in keys:
            check_key(key.get_secret_value())
        return keys

    @field_validator("payment_webhook_secrets")
    @classmethod
    def _as_the_standard_has_them(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in secrets:
            check_webhook_secret(secret.get_secret_value())
        return secrets

    @field_validator("link_keys")
    @classmethod
    def _long_enough(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        LinkKeys([key.get_secret_value() for key in keys])
        return keys

    @field_validator("cors_credentials")
    @classmethod
    def _with_named_origins(cls, credentials: bool, others: ValidationInfo) -> bool:
        CorsPolicy(frozenset(others.data.get("cors_origins", ())), credentials)
        return credentials

    @field_validator("host")
    @classmethod
    def _bare_host(cls, host: str) -> str:
        # Brackets are those of URLs; an IPv6 address to listen on has none.
        return host.strip("[]")

    @field_validator("token")
    @classmethod
    def _fits_header(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None:
            checked_token(token.get_secret_value())
        return token

    @field_validator("public_url")
    @classmethod
    def _whole_url(cls, url: str | None) -> str | None:
        return url and whole_url(url)

    @field_validator("oidc_issuer")
    @classmethod
    def _safe_issuer(cls, url: str | None) -> str | None:
        # Keys that come over plain HTTP can be replaced on the way.
        if url is not None and is_plain_beyond_loopback(url):
            raise ValueError("it has to begin with https://")
        return url

    @property
    def cursor_key(self) -> bytes | None:
        """What cursors are sealed with; None where no secret is set for it."""
        if self.cursor_secret is None:
            return None
        return hashlib.sha256(b"cursors\0" + self.cursor_secret.get_secret_value().encode()).digest()

    @property
    def shop(self) -> ShopSettings:
        """The shop's settings as far as the environment sets them; admins may change the others."""
        names = self.model_fields_set & ShopSettings.model_fields.keys()
        return ShopSettings.model_validate({name: getattr(self, name) for name in names})

    @property
    def cors(self) -> CorsPolicy:
        """Whose pages may ask."""
        return CorsPolicy(frozenset(self.cors_origins), self.cors_credentials)

    @property
    def local_url(self) -> str:
        """How the API is reached on its own machine."""
        return http_url(self.host, self.port)

    @property
    def api_url(self) -> str:
        """How this machine's own commands reach the API."""
        return self.public_url or self.local_url

    @property
    def is_wildcard(self) -> bool:
        """Whether the API listens on every address, none of which is known here."""
        return self.host in WILDCARDS
