"""Signed links: a path that opens without a token, because a holder of our key has signed exactly this path."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest, digest

API = "/api/v1"
"""The root of the API's paths."""

DOT_SEGMENTS = frozenset({".", ".."})
"""Names that no URL can hold: clients take them for folders, encoded or not (RFC 3986, section 5.2.4; WHATWG URL)."""

MIN_SECRET_LENGTH = 32
"""Characters of a secret; `openssl rand -hex 32` gives twice as many."""

_PURPOSE = b"consignor link 1\n"
_GRANTED = b"consignor link 2\n%b\n"


class LinkKeys:
    """The secrets that sign links: the first signs, all of them are accepted, so that one can be replaced."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        if short := [secret for secret in secrets if len(secret) < MIN_SECRET_LENGTH]:
            raise ValueError(f"{len(short)} of the link keys have fewer than {MIN_SECRET_LENGTH} characters")
        self._keys = {_key_id(secret): secret.encode() for secret in secrets}
        self._newest = next(iter(self._keys.items()), None)

    def __bool__(self) -> bool:
        return self._newest is not None

    def sign(self, path: str, grant: str = "") -> str:
        """The link of a path: key id, in whose name it opens, and HMAC-SHA256 (RFC 2104).

        Raises LookupError where there is no key.
        """
        if self._newest is None:
            raise LookupError("there is no key to sign links with")
        key_id, key = self._newest
        code = _code(key, path, grant)
        return f"{key_id}.{grant}.{code}" if grant else f"{key_id}.{code}"

    def opens(self, link: str, path: str) -> bool:
        """Whether the link was made for this path by one of our keys; takes the same time wherever it differs."""
        key_id, _, rest = link.partition(".")
        grant, _, code = rest.rpartition(".")
        key = self._keys.get(key_id)
        # An unknown key costs what a known one does, and `compare_digest` refuses text that is not ASCII.
        expected = _code(key or b"-", path, grant)
        return compare_digest(expected.encode(), code.encode("utf-8", "replace")) and key is not None


def grant_in(link: str) -> str:
    """In whose name a link opens; empty where that is its order's owner."""
    return link.partition(".")[2].rpartition(".")[0]


def _key_id(secret: str) -> str:
    return sha256(b"consignor link key id\n" + secret.encode()).hexdigest()[:8]


def _code(key: bytes, path: str, grant: str) -> str:
    purpose = _GRANTED % grant.encode("utf-8", "replace") if grant else _PURPOSE
    return urlsafe_b64encode(digest(key, purpose + path.encode("utf-8", "replace"), "sha256")).rstrip(b"=").decode()


def archive_path(order_id: object, suborder: int) -> str:
    """Where the archive of a sub-order is, below the root of the API; what a link to it signs."""
    return f"orders/{order_id}/suborders/{suborder}/archive"


def file_path(order_id: object, seq: int) -> str:
    """Where a single file is."""
    return f"orders/{order_id}/files/{seq}/content"


def metalink_path(order_id: object, *, version: int = 4) -> str:
    """Where the Metalink of an order is."""
    return f"orders/{order_id}/metalink" if version == 4 else f"orders/{order_id}/.metalink"
