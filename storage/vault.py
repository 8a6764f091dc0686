"""Secrets at rest: encrypted (Fernet: AES-128-CBC and HMAC-SHA256) with keys of the operator's that may be rotated."""

from collections.abc import Sequence
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from models.errors import Failed, FailureCode


class NoKey(Exception):
    """No key is set to encrypt with; the operator has to set one."""


def check_key(key: str) -> str:
    """Return the key if it is valid. Raises ValueError with the remedy."""
    try:
        Fernet(key)
    except ValueError:
        text = "a key is 32 random bytes in URL-safe base64, as `consignor destination new-key` prints"
        raise ValueError(text) from None
    return key


def new_key() -> str:
    """Return a new random key."""
    return Fernet.generate_key().decode()


class Vault:
    """Encrypts with the first key and decrypts with any; a secret opens for the owner alone that it was sealed for."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._box = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def __repr__(self) -> str:
        return "Vault()"

    def seal(self, secret: str, owner: str) -> str:
        """Return the encrypted secret. Raises NoKey."""
        if self._box is None:
            raise NoKey
        return self._box.encrypt(orjson.dumps([owner, secret])).decode()

    def open(self, sealed: str, owner: str) -> str:
        """Return the secret. Raises Failed (`destination_refused`) where no key opens it, or another owns it."""
        text = "its credentials cannot be decrypted: save it again, or have the operator bring the old key back"
        if self._box is None:
            raise Failed(FailureCode.DESTINATION_REFUSED, text)
        try:
            found, secret = orjson.loads(self._box.decrypt(sealed))
        except (InvalidToken, ValueError):
            raise Failed(FailureCode.DESTINATION_REFUSED, text) from None
        if found != owner:
            raise Failed(FailureCode.DESTINATION_REFUSED, text)
        return str(secret)

    def rotated(self, sealed: str) -> str:
        """Encrypt the same secret with the first key. Raises InvalidToken where no key opens it."""
        if self._box is None:
            raise NoKey
        return self._box.rotate(sealed).decode()


def key_in(path: Path) -> str:
    """Return the key kept in a file; a missing file is created, readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(0o600, exist_ok=False)
        path.write_text(new_key(), encoding="ascii")
    return check_key(path.read_text(encoding="ascii").strip())
