"""What API and workers refuse to start with: settings that would be unsafe, each with its remedy."""

from collections.abc import Iterator
from secrets import token_bytes
from typing import NamedTuple
from urllib.parse import urlsplit

from cli.errors import CommandFailed
from cli.runtime.addresses import LOOPBACK_NAMES, is_plain_beyond_loopback
from cli.runtime.delivery_targets import allowed_destinations
from cli.runtime.settings import Settings
from models.destination import CUSTOMER_FIELD, is_metadata_service
from models.links import MIN_SECRET_LENGTH


class Unsafe(NamedTuple):
    """One thing that is unsafe, and what to do about it."""

    text: str
    remedy: str


def check_safe_api(settings: Settings) -> None:
    """Raise CommandFailed with everything that is unsafe about serving with these settings, and what to do."""
    _refuse("the API", unsafe_api(settings))


def check_safe_worker(settings: Settings) -> None:
    """Raise CommandFailed with everything that is unsafe about working with these settings, and what to do."""
    _refuse("the worker", unsafe_deliveries(settings))


def _refuse(what: str, found: list[Unsafe]) -> None:
    if found:
        raise CommandFailed(f"{what} does not start:", *(f"  {text}: {remedy}" for text, remedy in found))


def unsafe_api(settings: Settings) -> list[Unsafe]:
    """What is unsafe about serving with these settings."""
    return [*_unsafe_network(settings), *_unsafe_identity(settings), *unsafe_deliveries(settings)]


def unsafe_deliveries(settings: Settings) -> list[Unsafe]:
    """What is unsafe about the places to which customers may have archives delivered."""
    found = []
    if (shared := allowed_destinations(settings).shared_roots) and not settings.delivery_shared_roots:
        remedy = (
            f"put {CUSTOMER_FIELD} in, as in CONSIGNOR_DELIVERY_ROOTS='[\"{shared[0].rstrip('/')}/{CUSTOMER_FIELD}\"]'"
        )
        found.append(
            Unsafe(
                f"below {', '.join(shared)} each customer may write among the archives of all others",
                f"{remedy}, or set CONSIGNOR_DELIVERY_SHARED_ROOTS=true if they know each other",
            )
        )
    found += [
        Unsafe(
            f"{endpoint} is a link-local address or a metadata service, which hands out the credentials of a machine",
            "take it out of CONSIGNOR_DELIVERY_ENDPOINTS",
        )
        for endpoint in settings.delivery_endpoints
        if _is_metadata_service(urlsplit(endpoint).hostname)
    ]
    return found


def _is_metadata_service(host: str | None) -> bool:
    try:
        return is_metadata_service(host or "")
    except ValueError:
        # A name: where it leads is looked at when it is used.
        return False


def _unsafe_network(settings: Settings) -> Iterator[Unsafe]:
    listens_beyond = settings.host not in LOOPBACK_NAMES and not settings.api_url.startswith("https:")
    if (listens_beyond or is_plain_beyond_loopback(settings.api_url)) and not settings.plain_http:
        yield Unsafe(
            f"{settings.api_url} on {settings.host} is plain HTTP beyond this machine: who is on the way reads tokens",
            "set CONSIGNOR_PUBLIC_URL to the https:// address of the proxy in front of the API, or"
            " CONSIGNOR_PLAIN_HTTP=true if nobody else is on that network",
        )


def _unsafe_identity(settings: Settings) -> Iterator[Unsafe]:
    if settings.dev_issuer:
        # It serves loopback only, where everybody is somebody of ours.
        return
    if settings.oidc_issuer and settings.oidc_default_role is None:
        yield Unsafe(
            "CONSIGNOR_OIDC_DEFAULT_ROLE is not set",
            "say what somebody may be to whom your identity provider gives none of the roles: `none` refuses them,"
            " `customer` lets everybody order who can sign in there",
        )
    if settings.cursor_secret is None:
        yield Unsafe(
            "CONSIGNOR_CURSOR_SECRET is not set",
            f"give all API processes the same {MIN_SECRET_LENGTH} characters or more, such as `openssl rand -hex 32`"
            " prints",
        )


def cursor_key(settings: Settings) -> bytes:
    """What cursors are sealed with; where no secret is set, a key of this process, and they end with it."""
    return settings.cursor_key or token_bytes(32)
