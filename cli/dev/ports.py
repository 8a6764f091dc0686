"""Free TCP ports on the loopback interface."""

import secrets
import socket

LOOPBACK = "127.0.0.1"
_NEIGHBOURS = 50
_FOR_SERVERS = range(12_000, 32_000)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do it: a port in TIME_WAIT is free, so a quick restart finds its usual port again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def any_free(host: str = LOOPBACK) -> int:
    """A port that nothing listens on, from below those that systems give to clients (RFC 6335: dynamic ports).

    A server binds it only seconds later, and until then any connection that somebody opens may get one of those.
    """
    while True:
        port = secrets.choice(_FOR_SERVERS)
        if is_free(port, host):
            return port


def free_port(preferred: int, *, taken: frozenset[int] = frozenset(), host: str = LOOPBACK) -> int:
    """The preferred port, else the next free one after it, else any; 0 prefers none."""
    if preferred:
        for port in range(preferred, min(preferred + _NEIGHBOURS, 65536)):
            if port not in taken and is_free(port, host):
                return port
    return any_free(host)
