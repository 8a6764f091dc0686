"""Connections that go to an address that was looked at, and never to a metadata service.

A name may lead elsewhere the next time it is looked up. So it is looked up once for each connection, and the addresses
that are found are judged and then connected to; nobody asks for the name a second time.
"""

from collections.abc import Sequence
from socket import gaierror, socket

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from models.destination import is_metadata_service
from models.errors import Refusal
from storage.names import Resolver


class JudgedConnection(HTTPConnection):
    """A connection to one of the addresses that its resolver finds, if none of them is a metadata service's."""

    resolve: Resolver

    @staticmethod
    def refusal() -> Exception:
        """What is raised where one of them is."""
        return Refusal("it leads to a link-local address or a metadata service")

    def _new_conn(self) -> socket:
        # A proxy is the operator's, and looks names up by itself.
        return super()._new_conn() if self.proxy is not None else self._connect(self._dns_host)

    def _connect(self, name: str) -> socket:
        failure: ConnectTimeoutError | NewConnectionError | None = None
        try:
            for address in self._judged(name):
                self.host = address
                try:
                    return super()._new_conn()
                except (ConnectTimeoutError, NewConnectionError) as error:
                    failure = error
        finally:
            # By which the certificate is judged, and the next connection begun.
            self.host = name
        raise failure or NewConnectionError(self, "no address is known")

    def _judged(self, name: str) -> Sequence[str]:
        try:
            found = self.resolve(name, self.port)
        except gaierror as error:
            raise NameResolutionError(name, self, error) from error
        if any(map(is_metadata_service, found)):
            raise self.refusal()
        return found
