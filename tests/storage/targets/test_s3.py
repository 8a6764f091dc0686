"""Archives into buckets, on moto's S3 over HTTP: one object with the right bytes, and no upload left open."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from models.destination import Credentials, DestinationKind, DestinationLocation
from models.errors import Failed, FailureCode
from storage.targets.protocol import ArchiveUpload
from storage.targets.s3 import MAX_OBJECT_BYTES, MAX_PARTS, PART_BYTES, S3Target, _part_size
from tests.buckets import CREDENTIALS, KEY_ID, SECRET, Bucket, bucket
from tests.storage.targets.test_local import blocks, breaking

MIB = 1024 * 1024
CONTENT = bytes(range(256)) * 4 * 1024 * 16 + b"the end"
"""Four parts of 5 MiB, the smallest that S3 takes; the last one is shorter."""

ARCHIVE = ArchiveUpload("CO-1/wintér/a.zip", len(CONTENT), '"0123456789abcdef"', "CO-1", 1)
SMALL = ArchiveUpload("CO-1/small.zip", 1000, '"0123"', "CO-1", 1)


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


@pytest.fixture
def archives(server: Bucket) -> Bucket:
    """The bucket, emptied."""
    for upload in server.uploads():
        server.client.abort_multipart_upload(Bucket=server.name, Key=upload["Key"], UploadId=upload["UploadId"])
    for key in server.objects():
        server.client.delete_object(Bucket=server.name, Key=key)
    return server


def target(archives: Bucket) -> S3Target:
    return S3Target(archives.place, CREDENTIALS, part_bytes=5 * MIB)


def unread() -> Iterator[memoryview]:
    raise AssertionError("read, though it is there")
    yield memoryview(b"")


def test_a_large_archive_goes_in_parts_and_a_small_one_whole(archives: Bucket) -> None:
    target(archives).deliver(ARCHIVE, blocks(CONTENT, MIB))
    target(archives).deliver(SMALL, blocks(CONTENT[:1000]))
    assert archives.objects() == {ARCHIVE.key: CONTENT, SMALL.key: CONTENT[:1000]}
    assert archives.uploads() == []
    head = archives.client.head_object(Bucket=archives.name, Key=ARCHIVE.key)
    assert head["ETag"].endswith('-4"')
    assert (head["ContentType"], head["Metadata"]) == ("application/zip", {"consignor-etag": "0123456789abcdef"})


@pytest.mark.parametrize("upload", [ARCHIVE, SMALL])
def test_what_is_there_is_not_sent_again(archives: Bucket, upload: ArchiveUpload) -> None:
    target(archives).deliver(upload, blocks(CONTENT[: upload.size]))
    before = archives.client.head_object(Bucket=archives.name, Key=upload.key)["LastModified"]
    target(archives).deliver(upload, unread())
    assert archives.client.head_object(Bucket=archives.name, Key=upload.key)["LastModified"] == before


def test_another_archive_of_the_same_length_takes_its_place(archives: Bucket) -> None:
    target(archives).deliver(SMALL, blocks(b"o" * 1000))
    target(archives).deliver(SMALL._replace(etag='"new"'), blocks(b"n" * 1000))
    assert archives.objects() == {SMALL.key: b"n" * 1000}


def test_somebody_elses_object_is_never_replaced(archives: Bucket) -> None:
    archives.client.put_object(Bucket=archives.name, Key=SMALL.key, Body=b"my diary")
    for _ in range(2):
        assert target(archives).deliver(SMALL, blocks(b"n" * 1000)) == "CO-1/small (1).zip"
    assert archives.objects() == {SMALL.key: b"my diary", "CO-1/small (1).zip": b"n" * 1000}


def test_what_breaks_off_is_taken_back(archives: Bucket) -> None:
    def broken() -> Iterator[memoryview]:
        yield from blocks(CONTENT[: 12 * MIB], MIB)
        yield from breaking()

    for upload, given in ((ARCHIVE, broken()), (SMALL, breaking()), (ARCHIVE, blocks(CONTENT[:-1], MIB))):
        with pytest.raises(Failed):
            target(archives).deliver(upload, given)
        assert (archives.objects(), archives.uploads()) == ({}, [])


def test_what_a_killed_attempt_left_is_taken_back_and_nobody_elses(archives: Bucket) -> None:
    for key in (ARCHIVE.key, f"{ARCHIVE.key}.other"):
        begun = archives.client.create_multipart_upload(Bucket=archives.name, Key=key)
        where: Any = {"Bucket": archives.name, "Key": key, "UploadId": begun["UploadId"]}
        archives.client.upload_part(**where, PartNumber=1, Body=b"half")
    target(archives).deliver(ARCHIVE, blocks(CONTENT, MIB))
    assert [upload["Key"] for upload in archives.uploads()] == [f"{ARCHIVE.key}.other"]
    assert archives.objects() == {ARCHIVE.key: CONTENT}


def test_an_upload_that_another_attempt_took_back_is_tried_again(archives: Bucket) -> None:
    def overtaken() -> Iterator[memoryview]:
        yield from blocks(CONTENT[: 6 * MIB], MIB)
        target(archives).deliver(ARCHIVE, blocks(CONTENT, MIB))
        yield from blocks(CONTENT[6 * MIB :], MIB)

    with pytest.raises(Failed) as caught:
        target(archives).deliver(ARCHIVE, overtaken())
    assert caught.value.failure.code is FailureCode.DESTINATION_UNAVAILABLE
    assert (archives.objects(), archives.uploads()) == ({ARCHIVE.key: CONTENT}, [])


def test_a_probe_leaves_nothing_behind(archives: Bucket) -> None:
    target(archives).probe()
    assert archives.objects() == {}


def test_a_bucket_that_is_not_there_is_refused_in_our_own_words(archives: Bucket) -> None:
    place = archives.place.model_copy(update={"bucket": "nobodys-bucket"})
    for act in (S3Target(place, CREDENTIALS).probe, lambda: S3Target(place, CREDENTIALS).deliver(SMALL, unread())):
        with pytest.raises(Failed) as caught:
            act()
        assert caught.value.failure.code is FailureCode.DESTINATION_REFUSED
        assert "NoSuchBucket" in str(caught.value)
        assert not any(secret in str(caught.value) for secret in (KEY_ID, SECRET))


def test_an_endpoint_that_does_not_answer_is_waited_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        place = DestinationLocation(kind=DestinationKind.S3, bucket="archives", endpoint=endpoint)
        with pytest.raises(Failed) as caught:
            S3Target(place, CREDENTIALS).probe()
    assert caught.value.failure.code is FailureCode.DESTINATION_UNAVAILABLE
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "2852039166", "[fe80::1]"])
def test_an_endpoint_that_leads_to_a_metadata_service_is_never_asked(host: str) -> None:
    place = DestinationLocation(kind=DestinationKind.S3, bucket="archives", endpoint=f"http://{host}")
    with pytest.raises(Failed, match="metadata service") as caught:
        S3Target(place, CREDENTIALS).probe()
    assert caught.value.failure.code is FailureCode.DESTINATION_REFUSED


class Names:
    """A resolver: what one host leads to, each time it is asked for; the last answer stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = answers, 0

    def __call__(self, host: str, port: int) -> list[str]:
        assert host == NAMED
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


NAMED = "invalid"
"""A host that no resolver of a machine knows (RFC 6761)."""


def named(archives: Bucket, names: Names) -> S3Target:
    """The bucket by another name of its host."""
    endpoint = archives.endpoint.replace("127.0.0.1", NAMED)
    return S3Target(archives.place.model_copy(update={"endpoint": endpoint}), CREDENTIALS, resolve=names)


def test_each_connection_goes_where_its_only_look_at_the_name_led(archives: Bucket) -> None:
    names = Names(["127.0.0.1"])
    named(archives, names).probe()
    # One for each request: moto keeps no connection.
    assert names.asked == 3


@pytest.mark.parametrize("later", [["169.254.169.254"], ["127.0.0.1", "fd00:ec2::254"], ["::ffff:169.254.169.254"]])
def test_a_name_that_comes_to_lead_to_a_metadata_service_is_not_followed(archives: Bucket, later: list[str]) -> None:
    names = Names(["127.0.0.1"], later)
    with pytest.raises(Failed, match="metadata service") as caught:
        named(archives, names).deliver(SMALL, blocks(CONTENT[:1000]))
    assert caught.value.failure.code is FailureCode.DESTINATION_REFUSED
    # The first request was answered; what was refused is not tried again.
    assert (names.asked, archives.objects()) == (2, {})


def test_an_address_that_does_not_answer_gives_way_to_the_next(archives: Bucket) -> None:
    named(archives, Names(["::1", "127.0.0.1"])).probe()


def test_credentials_that_no_header_can_carry_are_refused(archives: Bucket) -> None:
    wrong = Credentials(access_key_id=SecretStr("a\nb"), secret_access_key=SecretStr("x"))
    with pytest.raises(Failed) as caught:
        S3Target(archives.place, wrong).probe()
    assert "a\nb" not in str(caught.value)


@pytest.mark.parametrize("size", [1, PART_BYTES, PART_BYTES * MAX_PARTS, PART_BYTES * MAX_PARTS + 1, MAX_OBJECT_BYTES])
def test_no_archive_has_more_parts_than_an_upload_may_have(size: int) -> None:
    part = _part_size(size, PART_BYTES)
    assert -(-size // part) <= MAX_PARTS
    assert part % MIB == 0


def test_an_archive_too_large_for_a_bucket_is_refused(archives: Bucket) -> None:
    with pytest.raises(Failed) as caught:
        target(archives).deliver(ARCHIVE._replace(size=MAX_OBJECT_BYTES + 1), unread())
    assert caught.value.failure.code is FailureCode.DESTINATION_REFUSED
