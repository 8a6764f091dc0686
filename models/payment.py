"""A payment provider: the secret it shares with us, and what may become of its messages."""

import binascii
from base64 import b64decode
from enum import StrEnum
from typing import Final

MIN_WEBHOOK_SECRET_BYTES: Final = 24
"""The least that Standard Webhooks allows (https://www.standardwebhooks.com, “Signature scheme”)."""


def check_webhook_secret(secret: str) -> str:
    """Return a secret that cannot be guessed. Raises ValueError with the remedy."""
    remedy = "set `whsec_` and what `openssl rand -base64 32` prints, here and at the provider"
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError(f"a payment secret is `whsec_` and base64, and one is not: {remedy}") from None
    if len(key) < MIN_WEBHOOK_SECRET_BYTES:
        text = f"a payment secret has {MIN_WEBHOOK_SECRET_BYTES} bytes or more, and one has {len(key)}: {remedy}"
        raise ValueError(text)
    return secret


class PaymentState(StrEnum):
    """`received` until the order's workflow has answered; `refund_due` when the money came too late.

    `ignored`: it is about nothing that orders wait for.
    """

    RECEIVED = "received"
    APPLIED = "applied"
    REFUND_DUE = "refund_due"
    REFUSED = "refused"
    IGNORED = "ignored"
