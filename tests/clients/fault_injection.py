"""A network that breaks: a proxy that passes so many bytes of an answer and then cuts the connection."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from threading import Thread
from urllib.parse import urlsplit

_BLOCK = 64 * 1024


class CuttingProxy:
    """Passes connections on to a server; `left` bytes of answers go through, then nothing more."""

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.left = 0

    def run(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._pass, args=(client,), daemon=True).start()

    def close(self) -> None:
        # Closing alone does not wake who waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _pass(self, client: socket.socket) -> None:
        with closing(client), closing(self._connect()) as server, suppress(OSError):
            server.sendall(client.recv(_BLOCK))
            while self.left > 0 and (block := server.recv(min(_BLOCK, self.left))):
                client.sendall(block)
                self.left -= len(block)

    def _connect(self) -> socket.socket:
        """Connect to the server with a small buffer: what lies in it has arrived, as far as the server can tell."""
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BLOCK)
        server.connect((self._server.hostname or "", self._server.port or 80))
        return server


@contextmanager
def cutting(url: str) -> Iterator[CuttingProxy]:
    """A proxy before a server, for a block."""
    proxy = CuttingProxy(url)
    thread = Thread(target=proxy.run, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)
