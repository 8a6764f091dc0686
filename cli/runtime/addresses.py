"""Addresses of servers: how URLs name them, and who may listen on the way."""

from typing import Final
from urllib.parse import urlsplit

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})

WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing listens because of it
"""What stands for every address, and the one of them at which this machine finds itself."""


def http_url(host: str, port: int) -> str:
    """The URL of a server that listens there, as this machine finds it (RFC 3986, section 3.2.2)."""
    host = WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_plain_beyond_loopback(url: str) -> bool:
    """Whether what is sent there can be read by others on the way; of schemes other than HTTP's nothing is known."""
    parts = urlsplit(url)
    return parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_NAMES)


def whole_url(url: str) -> str:
    """The URL of a server as clients write it, without a slash at its end. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("give it as clients write it, such as https://orders.example.org or https://host/orders")
    return url.rstrip("/")
