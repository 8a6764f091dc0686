"""Buckets for tests: moto's S3, asked over HTTP as any other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
from boto3.session import Session
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from models.destination import Credentials, DestinationAllowlist, DestinationKind, DestinationLocation

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

KEY_ID, SECRET = "AKIAEXAMPLEKEY", "a-very-secret-key"
CREDENTIALS = Credentials(access_key_id=SecretStr(KEY_ID), secret_access_key=SecretStr(SECRET))


@dataclass(frozen=True)
class Bucket:
    """A bucket, as its owner sees it."""

    name: str
    endpoint: str
    client: "S3Client"

    @property
    def place(self) -> DestinationLocation:
        """Where it is."""
        return DestinationLocation(kind=DestinationKind.S3, bucket=self.name, endpoint=self.endpoint)

    @property
    def allowed(self) -> DestinationAllowlist:
        """An operator that allows it."""
        return DestinationAllowlist(endpoints=(self.endpoint,))

    def objects(self) -> dict[str, bytes]:
        """Everything in it."""
        listed: Any = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {o["Key"]: self.client.get_object(Bucket=self.name, Key=o["Key"])["Body"].read() for o in listed}

    def uploads(self) -> list[Any]:
        """Uploads that were begun and neither completed nor taken back."""
        return list(self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", []))


@contextmanager
def bucket(name: str = "archives") -> Iterator[Bucket]:
    """A server with one empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        # All servers of a process have one memory: what an earlier one took is in it.
        httpx2.post(f"{endpoint}/moto-api/reset").raise_for_status()
        session = Session(aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET, region_name="us-east-1")
        client = session.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket=name)
        yield Bucket(name, endpoint, client)
        client.close()
    finally:
        server.stop()
