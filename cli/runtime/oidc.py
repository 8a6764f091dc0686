"""Whose tokens the API accepts, from the settings."""

from urllib.parse import urlsplit

from api.identity.config import ClaimNames, OidcConfig
from cli.errors import CommandFailed
from cli.runtime.addresses import LOOPBACK_NAMES
from cli.runtime.settings import Settings
from models.access import Role

DEV_ISSUER_PATH = "/dev/issuer"
DEV_CLIENT_ID = "consignor-pages"
DEV_SHELL_CLIENT_ID = "consignor-shell"
DEV_AUDIENCE = "consignor"
DEV_REALM = "consignor-dev"
"""Customers are made from this, not from the issuer's address: the port of a dev stack may be another every day."""


def oidc_config(settings: Settings) -> OidcConfig:
    """The configured issuer. Raises CommandFailed where none is named, for an API without identity serves nobody."""
    if settings.dev_issuer:
        return _dev_issuer(settings)
    if settings.oidc_issuer is None:
        raise CommandFailed(
            "CONSIGNOR_OIDC_ISSUER is not set: name the OpenID Connect issuer whose tokens are believed"
        )
    secret, role = settings.oidc_client_secret, settings.oidc_default_role
    return OidcConfig(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        shell_client_id=settings.oidc_shell_client_id,
        shell_scopes=tuple(settings.oidc_shell_scopes.split()),
        realm=settings.oidc_realm,
        claims=ClaimNames(
            roles=settings.oidc_roles_claim,
            groups=settings.oidc_groups_claim,
            name=settings.oidc_name_claim,
            email=settings.oidc_email_claim,
            known_roles=settings.oidc_role_names,
            default_role=Role.CUSTOMER if role == "customer" else None,
        ),
        session_timeout=settings.session_timeout,
    )


def _dev_issuer(settings: Settings) -> OidcConfig:
    """The dev stack's issuer, mounted in the API. Raises CommandFailed off loopback: it asks for no password."""
    public = urlsplit(settings.api_url).hostname
    if settings.host not in LOOPBACK_NAMES or public not in LOOPBACK_NAMES:
        raise CommandFailed(
            f"the built-in issuer serves this machine only, and not {settings.host} ({settings.api_url}):"
            " unset CONSIGNOR_DEV_ISSUER and name your identity provider in CONSIGNOR_OIDC_ISSUER"
        )
    return OidcConfig(
        issuer=settings.local_url + DEV_ISSUER_PATH,
        audience=DEV_AUDIENCE,
        client_id=DEV_CLIENT_ID,
        shell_client_id=DEV_SHELL_CLIENT_ID,
        realm=DEV_REALM,
        session_timeout=settings.session_timeout,
    )
