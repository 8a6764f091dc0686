"""Archives into a bucket: uploaded in parts, each with its MD5, and looked at when they are whole.

boto3 and not obstore: only it tells of an upload that was begun and never ended, and takes it back.
"""

from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from hashlib import md5
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import uuid1

from models.destination import Credentials, DestinationLocation
from models.errors import Failed
from storage.names import Resolver, addresses_of
from storage.targets.protocol import ArchiveUpload, full, refused, unavailable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

MIB: Final = 1024 * 1024
PART_BYTES: Final = 8 * MIB
MAX_PARTS: Final = 10_000
MAX_OBJECT_BYTES: Final = 5 * 1024**4
"""Parts of an upload, and bytes of an object (Amazon S3 User Guide, “Amazon S3 multipart upload limits”)."""

CONCURRENT_PARTS: Final = 3
"""Parts on their way at once; one more is being read. So many parts of memory an upload takes."""

ETAG_KEY: Final = "consignor-etag"
"""What an object carries of the archive it is, so that it is known again."""

_FULL: Final = frozenset(
    ("QuotaExceeded", "InsufficientStorage", "InsufficientCapacity", "XMinioStorageFull", "EntityTooLarge")
)
_PASSING: Final = frozenset(
    ("NoSuchUpload", "RequestTimeout", "RequestTimeTooSkewed", "SlowDown", "Throttling", "BadDigest", "InvalidPart")
)
_PROBE: Final = b"written by Consignor to see whether archives can be delivered here\n"


class _Part(NamedTuple):
    number: int
    etag: str
    md5: bytes


class S3Target:
    """A customer's bucket, at AWS or at an endpoint that speaks its language."""

    def __init__(
        self,
        place: DestinationLocation,
        credentials: Credentials,
        part_bytes: int = PART_BYTES,
        resolve: Resolver = addresses_of,
    ) -> None:
        self._place, self._credentials, self._part_bytes, self._resolve = place, credentials, part_bytes, resolve
        self._bucket = place.bucket or ""

    def deliver(self, upload: ArchiveUpload, blocks: Iterator[memoryview]) -> str:
        """Upload an archive, unless it is there; an upload that fails is taken back. Raises Failed."""
        if upload.size > MAX_OBJECT_BYTES:
            raise refused(f"an archive of {upload.size} bytes is more than a bucket takes as one object")
        with _translated(), self._client() as client:
            upload = upload._replace(key=next(key for key in upload.keys() if self._gives_way(client, key)))  # noqa: SIM118
            if self._is_there(client, upload, None):
                return upload.key
            self._abort_leftovers(client, upload.key)
            if upload.size <= self._part_bytes:
                expected = self._put(client, upload, b"".join(blocks))
            else:
                expected = _Upload(client, self._bucket, upload, _part_size(upload.size, self._part_bytes)).run(blocks)
            if not self._is_there(client, upload, expected):
                raise unavailable("the bucket holds something other than was uploaded")
            return upload.key

    def probe(self) -> None:
        """Write, read back and delete a small object."""
        key = f".consignor-{uuid1().hex}"
        with _translated(), self._client(patient=False) as client:
            client.put_object(Bucket=self._bucket, Key=key, Body=_PROBE)
            try:
                same = client.get_object(Bucket=self._bucket, Key=key)["Body"].read() == _PROBE
            finally:
                client.delete_object(Bucket=self._bucket, Key=key)
            if not same:
                raise unavailable("the bucket gives back something other than was written")

    @contextmanager
    def _client(self, *, patient: bool = True) -> Iterator["S3Client"]:
        from boto3.session import Session
        from botocore.config import Config
        from botocore.session import get_session

        from storage.targets.connecting import guarded

        core = get_session()
        secret = self._credentials.session_token
        session = Session(
            aws_access_key_id=self._credentials.access_key_id.get_secret_value(),
            aws_secret_access_key=self._credentials.secret_access_key.get_secret_value(),
            aws_session_token=secret.get_secret_value() if secret else None,
            region_name=self._place.region or "us-east-1",
            botocore_session=core,
        )
        options: dict[str, Any] = {
            "signature_version": "s3v4",
            "connect_timeout": 5 if patient else 3,
            "read_timeout": 60 if patient else 10,
            "retries": {"mode": "standard", "total_max_attempts": 3 if patient else 1},
            "max_pool_connections": CONCURRENT_PARTS + 1,
            "s3": {"addressing_style": "path" if self._place.endpoint else "auto"},
            # Servers other than AWS refuse the newer checksums; each part carries its MD5.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            # The customer's endpoint and nobody else's, whatever the environment says.
            "ignore_configured_endpoint_urls": True,
        }
        client = session.client("s3", endpoint_url=self._place.endpoint, config=Config(**options))
        try:
            with guarded(client, self._resolve, core.get_config_variable("ca_bundle")):
                yield client
        finally:
            client.close()

    def _gives_way(self, client: "S3Client", key: str) -> bool:
        """Whether a key is free, or has an archive of ours; an object without our mark is somebody else's."""
        found = self._head(client, key, is_written=False)
        return found is None or ETAG_KEY in found["Metadata"]

    def _head(self, client: "S3Client", key: str, *, is_written: bool) -> "HeadObjectOutputTypeDef | None":
        """What the bucket says of an object; None where there is none."""
        from botocore.exceptions import ClientError

        try:
            return client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            # Who may not list a bucket is told 403 of what is not there.
            if status == 404 or (status == 403 and not is_written):
                return None
            raise

    def _is_there(self, client: "S3Client", upload: ArchiveUpload, etag: str | None) -> bool:
        """Whether the key holds this archive: its length, its mark, and if given the object's own ETag."""
        found = self._head(client, upload.key, is_written=etag is not None)
        if found is None:
            return False
        same = found["ContentLength"] == upload.size and found["Metadata"].get(ETAG_KEY) == _mark(upload)
        return same and etag in {None, found["ETag"].strip('"')}

    def _put(self, client: "S3Client", upload: ArchiveUpload, body: bytes) -> str | None:
        if len(body) != upload.size:
            raise unavailable("the archive ended too early")
        digest = md5(body, usedforsecurity=False)
        answer = client.put_object(
            Bucket=self._bucket,
            Key=upload.key,
            Body=body,
            ContentMD5=b64encode(digest.digest()).decode(),
            ContentType="application/zip",
            Metadata={ETAG_KEY: _mark(upload)},
        )
        return answer["ETag"].strip('"')

    def _abort_leftovers(self, client: "S3Client", key: str) -> None:
        """Take back what a killed attempt has left; one that still lives fails by it, and is tried again."""
        from botocore.exceptions import ClientError

        try:
            found = client.list_multipart_uploads(Bucket=self._bucket, Prefix=key).get("Uploads", [])
        except ClientError as error:
            if _code(error) in {"NoSuchBucket", "404"}:
                raise
            return  # credentials that may only write cannot ask; a lifecycle rule of the bucket's sweeps up
        for upload in found:
            if upload.get("Key") == key:
                with suppress(ClientError):
                    client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload["UploadId"])


class _Upload:
    """One multipart upload: it ends whole, or not at all."""

    def __init__(self, client: "S3Client", bucket: str, upload: ArchiveUpload, part_bytes: int) -> None:
        self._client, self._archive, self._part_bytes = client, upload, part_bytes
        self._where: Any = {"Bucket": bucket, "Key": upload.key}
        self._parts: list[_Part] = []

    def run(self, blocks: Iterator[memoryview]) -> str | None:
        """Upload everything; gives the ETag the object must have, where the bucket's ETags can be foretold."""
        begun = self._client.create_multipart_upload(
            **self._where, ContentType="application/zip", Metadata={ETAG_KEY: _mark(self._archive)}
        )
        self._where["UploadId"] = begun["UploadId"]
        try:
            self._upload(blocks)
            parts = sorted(self._parts)
            listed: Any = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
            answer = self._client.complete_multipart_upload(**self._where, MultipartUpload={"Parts": listed})
        except BaseException:
            with suppress(Exception):
                self._client.abort_multipart_upload(**self._where)
            raise
        if all(part.etag.strip('"') == part.md5.hex() for part in parts):
            whole = md5(b"".join(part.md5 for part in parts), usedforsecurity=False)
            return f"{whole.hexdigest()}-{len(parts)}"
        # An encrypted bucket's ETags are no MD5s; it has checked each part by the one that came with it.
        return answer["ETag"].strip('"')

    def _upload(self, blocks: Iterator[memoryview]) -> None:
        """Send part after part; when this returns or raises nothing is on its way any more."""
        sent, under_way = 0, set[Future[_Part]]()
        with ThreadPoolExecutor(CONCURRENT_PARTS, thread_name_prefix="upload") as pool:
            for number, part in enumerate(_cut(blocks, self._part_bytes), 1):
                sent += len(part)
                if len(under_way) >= CONCURRENT_PARTS:
                    under_way = self._take(under_way)
                under_way.add(pool.submit(self._send, number, part))
            while under_way:
                under_way = self._take(under_way)
        if sent != self._archive.size:
            raise unavailable("the archive ended too early")

    def _take(self, under_way: set[Future[_Part]]) -> set[Future[_Part]]:
        done, left = wait(under_way, return_when=FIRST_COMPLETED)
        self._parts += [future.result() for future in done]
        return left

    def _send(self, number: int, part: bytes) -> _Part:
        digest = md5(part, usedforsecurity=False).digest()
        answer = self._client.upload_part(
            **self._where, PartNumber=number, Body=part, ContentMD5=b64encode(digest).decode()
        )
        return _Part(number, answer["ETag"], digest)


def _mark(upload: ArchiveUpload) -> str:
    return upload.etag.strip('"')


def _part_size(size: int, least: int) -> int:
    """Whole MiB, so that no archive has more parts than an upload may have."""
    needed = -(-size // MAX_PARTS)
    return max(least, -(-needed // MIB) * MIB if needed > least else least)


def _cut(blocks: Iterator[memoryview], size: int) -> Iterator[bytes]:
    """The blocks as parts of equal size; the last may be shorter."""
    part = bytearray()
    for block in blocks:
        rest = block
        while rest:
            count = min(len(rest), size - len(part))
            part += rest[:count]
            rest = rest[count:]
            if len(part) == size:
                yield bytes(part)
                part.clear()
    if part:
        yield bytes(part)


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _translated() -> Iterator[None]:
    """What boto3 raises as failures of the destination; a server's own words stay out, they may repeat ours."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError, SSLError

    try:
        yield
    except Failed:
        raise
    except ClientError as error:
        code, status = _code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        shown = code if code.isalnum() and len(code) < 60 else "an unknown error"
        if code in _FULL or status == 507:
            raise full(f"the bucket has no room for it ({shown})") from None
        if status >= 500 or status == 429 or code in _PASSING:
            raise unavailable(f"the bucket does not take it just now ({shown})") from None
        raise refused(f"the bucket does not take it ({shown}): check its name, region and credentials") from None
    except (SSLError, ParamValidationError) as error:
        raise refused(f"the bucket cannot be spoken to ({type(error).__name__})") from None
    except (HTTPClientError, BotoCoreError) as error:
        raise unavailable(f"the bucket does not answer ({type(error).__name__})") from None
