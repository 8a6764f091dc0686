"""What the API refuses to start with: settings that would be unsafe, each with its remedy."""

from secrets import token_bytes
from urllib.parse import urlsplit

from cli.errors import CommandFailed
from cli.runtime.settings import LOOPBACK_NAMES, Settings
from models.links import MIN_SECRET_LENGTH


def check_safe(settings: Settings) -> None:
    """Raise CommandFailed with everything that is unsafe about serving with these settings, and what to do."""
    if faults := unsafe_settings(settings):
        raise CommandFailed("the API does not start:", *(f"  {fault}" for fault in faults))


def unsafe_settings(settings: Settings) -> list[str]:
    """What is unsafe. The built-in issuer serves loopback only, and there everybody is somebody of ours."""
    faults = []
    if not settings.plain_http and _is_plain_off_loopback(settings):
        faults.append(
            f"{settings.api_url} on {settings.host} is plain HTTP beyond this machine, and tokens can be read on the"
            " way: set CONSIGNOR_PUBLIC_URL to the https:// address of the proxy in front of the API, or"
            " CONSIGNOR_PLAIN_HTTP=true if nobody else is on that network"
        )
    if settings.dev_issuer:
        return faults
    if settings.oidc_issuer and settings.oidc_default_role is None:
        faults.append(
            "CONSIGNOR_OIDC_DEFAULT_ROLE is not set: say what somebody may be to whom your identity provider gives"
            " none of the roles: `none` refuses them, `customer` lets everybody order who can sign in there"
        )
    if settings.cursor_secret is None:
        faults.append(
            f"CONSIGNOR_CURSOR_SECRET is not set: give all API processes the same {MIN_SECRET_LENGTH} characters or"
            " more, such as `openssl rand -hex 32` prints"
        )
    return faults


def cursor_key(settings: Settings) -> bytes:
    """What cursors are sealed with; where no secret is set, a key of this process, and they end with it."""
    return settings.cursor_key or token_bytes(32)


def _is_plain_off_loopback(settings: Settings) -> bool:
    url = urlsplit(settings.api_url)
    beyond = settings.host not in LOOPBACK_NAMES or url.hostname not in LOOPBACK_NAMES
    return beyond and url.scheme != "https"
