"""Whether the settings are those of servers that start: secrets above all."""

from collections.abc import Iterator

from cli.doctor.finding import Finding
from cli.runtime.safety import unsafe_api
from cli.runtime.settings import Settings


def look_at_settings(settings: Settings) -> Iterator[Finding]:
    """Look at what the API would refuse to start with, and at secrets without which something is switched off."""
    for text, remedy in unsafe_api(settings):
        yield Finding.failed("Settings", text, remedy)
    if not settings.oidc_issuer and not settings.dev_issuer:
        text = "CONSIGNOR_OIDC_ISSUER is not set, so that nobody could sign in"
        yield Finding.failed("Issuer", text, "name the OpenID Connect issuer whose tokens are believed")
    for name, given, without in (
        ("CONSIGNOR_LINK_KEYS", settings.link_keys, "there are no signed links"),
        ("CONSIGNOR_PAYMENT_WEBHOOK_SECRETS", settings.payment_webhook_secrets, "payments are confirmed by hand"),
        ("CONSIGNOR_DELIVERY_KEYS", settings.delivery_keys, "no bucket can be a destination"),
    ):
        yield Finding.ok("Secrets", f"{name} is set" if given else f"{name} is not set: {without}")
