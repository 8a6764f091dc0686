"""Names of hosts, looked up: which addresses they lead to."""

from collections.abc import Callable, Sequence
from socket import SOCK_STREAM, getaddrinfo

Resolver = Callable[[str, int], Sequence[str]]
"""Which addresses a host has, at a port, in the order to try them. Raises gaierror."""


def addresses_of(host: str, port: int) -> Sequence[str]:
    """The addresses that this machine finds for a host. Raises gaierror."""
    return [str(address[0]) for *_, address in getaddrinfo(host, port, type=SOCK_STREAM)]
