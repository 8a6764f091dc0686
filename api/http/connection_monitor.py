"""The connection under a response: how much of what was sent has arrived, and how to cut it.

An ASGI application learns neither. A server that runs `api.http.protocol` says both; under any other, what was sent
counts as arrived and no connection is cut.
"""

import fcntl
import socket
import struct
import termios
from asyncio import Transport
from typing import Self

from starlette.types import Scope

EXTENSION = "consignor.connection"


class ConnectionMonitor:
    """One TCP connection, for as many requests as it carries."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.requests = 0
        self.is_lost = self.is_broken = False
        self.left_at_eof: int | None = None
        """Bytes that were on their way when the client said that it sends no more; clients say so when they go."""

    @classmethod
    def of(cls, scope: Scope) -> Self | None:
        """The connection of a request, where the server tells of it."""
        monitor: Self | None = (scope.get("extensions") or {}).get(EXTENSION)
        return monitor

    @property
    def is_closing(self) -> bool:
        """Whether nothing that is sent from now on will go out."""
        return self._transport.is_closing()

    def unacknowledged(self) -> int | None:
        """Bytes sent that the other side's machine has not confirmed; None where that is not known any more."""
        connection: socket.socket | None = self._transport.get_extra_info("socket")
        if self.is_lost or connection is None or connection.fileno() < 0:
            return None
        try:
            answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4)
        except OSError:
            return None
        (queued,) = struct.unpack("i", answer)
        return int(queued) + self._transport.get_write_buffer_size()

    def cut(self) -> None:
        """End the connection now, whatever is still on its way."""
        self.is_broken = True
        connection: socket.socket | None = self._transport.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            # Without this the kernel would go on offering what it has to a client that does not take it.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
