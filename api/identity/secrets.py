"""Secrets of sessions and access tokens. Only their hashes are stored."""

import secrets
from hashlib import sha256

PREFIX = "cnsg_"
"""So that scanners find an access token that lies where it should not: `cnsg_[0-9a-f]{64}`."""


def new_access_token() -> str:
    """A new access token."""
    return PREFIX + secrets.token_hex(32)


def new_secret() -> str:
    """A new secret of 256 bits, fit for URLs and cookies."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> bytes:
    """The hash of a secret, which is stored. A fast one does: 256 bits cannot be guessed at any speed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
