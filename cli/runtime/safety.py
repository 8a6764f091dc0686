"""What API and workers refuse to start with: settings that would be unsafe, each with its remedy."""

from secrets import token_bytes
from urllib.parse import urlsplit

from cli.errors import CommandFailed
from cli.runtime.delivery_targets import allowed_destinations
from cli.runtime.settings import LOOPBACK_NAMES, Settings
from models.destination import CUSTOMER_FIELD, is_metadata_service
from models.links import MIN_SECRET_LENGTH


def check_safe_api(settings: Settings) -> None:
    """Raise CommandFailed with everything that is unsafe about serving with these settings, and what to do."""
    _refuse("the API", unsafe_settings(settings) + unsafe_deliveries(settings))


def check_safe_worker(settings: Settings) -> None:
    """Raise CommandFailed with everything that is unsafe about working with these settings, and what to do."""
    _refuse("the worker", unsafe_deliveries(settings))


def _refuse(what: str, faults: list[str]) -> None:
    if faults:
        raise CommandFailed(f"{what} does not start:", *(f"  {fault}" for fault in faults))


def unsafe_deliveries(settings: Settings) -> list[str]:
    """What is unsafe about the places to which customers may have archives delivered."""
    faults = []
    if (shared := allowed_destinations(settings).shared_roots) and not settings.delivery_shared_roots:
        faults.append(
            f"CONSIGNOR_DELIVERY_ROOTS: in {', '.join(shared)} each customer may write among the archives of all"
            f" others: put {CUSTOMER_FIELD} in, as in {shared[0].rstrip('/')}/{CUSTOMER_FIELD}, or set"
            " CONSIGNOR_DELIVERY_SHARED_ROOTS=true if they know each other"
        )
    faults += [
        f"CONSIGNOR_DELIVERY_ENDPOINTS: {endpoint} is a link-local address or a metadata service, which hands out the"
        " credentials of this machine: take it out"
        for endpoint in settings.delivery_endpoints
        if _is_metadata_service(urlsplit(endpoint).hostname)
    ]
    return faults


def _is_metadata_service(host: str | None) -> bool:
    try:
        return is_metadata_service(host or "")
    except ValueError:
        # A name: where it leads is looked at when it is used.
        return False


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
