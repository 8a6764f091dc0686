"""The connection under a response: how much of what was sent has arrived, and how to cut it.

An ASGI application learns neither. A server that runs `MonitoredHttpProtocol` says both; under any other, what was
sent counts as arrived and no connection is cut.
"""

import fcntl
import socket
import struct
import termios
from asyncio import Transport
from secrets import token_hex
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.problems import problem
from models.errors import Fault

EXTENSION = "consignor.connection"


class ConnectionMonitor:
    """One TCP connection, for as many requests as it carries."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.requests = 0
        self.is_lost = self.is_broken = False
        self.left_at_eof: int | None = None
        """Bytes that were on their way when the client said that it sends no more; clients say so when they go."""

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


class MonitoredHttpProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP protocol, which also hands its applications the connection."""

    monitor: ConnectionMonitor

    def connection_made(self, transport: Any) -> None:
        """A client has come."""
        super().connection_made(transport)
        self.monitor = ConnectionMonitor(transport)

    def send_400_response(self, msg: str) -> None:
        """Refuse what no application gets to see, since it is no HTTP or its URL is longer than 65,535 characters."""
        text = f"{msg} Mind that a URL has at most 65,535 characters."
        fault = Fault(field="request", code="unreadable_request", text=text).model_dump()
        headers = {"Connection": "close", "X-Request-ID": token_hex(8)}
        refusal = problem(400, "invalid_request", text, headers=headers, faults=[fault])
        head = b"".join(b"%s: %s\r\n" % pair for pair in refusal.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + bytes(refusal.body))
        self.transport.close()

    def eof_received(self) -> None:
        """The client sends no more; the last moment to see what has arrived there."""
        self.monitor.left_at_eof = self.monitor.unacknowledged()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or was cut."""
        self.monitor.is_lost = True
        self.monitor.is_broken |= exc is not None
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.monitor.requests += 1
        self.scope["extensions"] = {EXTENSION: self.monitor}  # type: ignore[dict-item]
