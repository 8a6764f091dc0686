"""Connections to endpoints of buckets: each goes to an address that was looked at, and none to a metadata service."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.endpoint import EndpointCreator
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from models.errors import Failed
from storage.connections import JudgedConnection
from storage.names import Resolver
from storage.targets.protocol import refused

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
    from types_boto3_s3 import S3Client


@contextmanager
def guarded(client: "S3Client", resolve: Resolver, ca_bundle: str | None) -> Iterator[None]:
    """Have a client connect to nothing that was not looked at.

    Whatever it is asked raises Failed (`destination_refused`) where its endpoint leads to a metadata service.
    """
    config: Any = client.meta.config
    endpoint = EndpointCreator(client.meta.events).create_endpoint(
        client.meta.service_model,
        client.meta.region_name,
        client.meta.endpoint_url,
        verify=ca_bundle,  # type: ignore[arg-type]  # the stubs know only whether, not by which
        timeout=(config.connect_timeout, config.read_timeout),  # type: ignore[arg-type]
        max_pool_connections=config.max_pool_connections,
        http_session_cls=_session_class(resolve),
    )
    session: URLLib3Session = endpoint.http_session
    # What a handler of this event gives is the answer; botocore then sends nothing itself.
    client.meta.events.register("before-send.s3", lambda request, **_: session.send(request))  # type: ignore[arg-type]
    try:
        yield
    finally:
        session.close()


class _Seen(JudgedConnection):
    @staticmethod
    def refusal() -> Failed:
        return refused("the bucket's endpoint leads to a link-local address or a metadata service")


def _session_class(find: Resolver) -> type[URLLib3Session]:
    """The class of sessions whose connections go where a resolver says: botocore makes all of them by their classes."""

    class Plain(_Seen, AWSHTTPConnection):  # type: ignore[misc]  # botocore's own mixture
        resolve = staticmethod(find)

    class Encrypted(_Seen, AWSHTTPSConnection):  # type: ignore[misc]
        resolve = staticmethod(find)

    class PlainPool(AWSHTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(AWSHTTPSConnectionPool):
        ConnectionCls = Encrypted

    class Session(URLLib3Session):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            pools: dict[str, Any] = self._pool_classes_by_scheme  # type: ignore[attr-defined]  # its own manager reads it
            pools.update(http=PlainPool, https=EncryptedPool)

        def send(self, request: "AWSRequest | AWSPreparedRequest") -> "AWSResponse":
            try:
                return super().send(request)
            except HTTPClientError as error:
                # It holds whatever it does not know, and would be tried again.
                if isinstance(refusal := error.kwargs.get("error"), Failed):
                    raise refusal from None
                raise

    return Session
