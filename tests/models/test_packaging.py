"""From the files of a sub-order to its archive."""

import json
from hashlib import sha256
from io import BytesIO
from zipfile import ZipFile
from zlib import crc32

import pytest

from models.archive import Layout
from models.errors import FailureCode
from models.packaging import NS_PER_SECOND, PackedFile, delivered, layout_of

CONTENTS = {"a/1.tif": b"one", "a/2.tif": b"", "b/1.tif": b"three" * 100}
NOON = 1_767_268_800 * NS_PER_SECOND


def packed(seq: int, path: str, content: bytes, *, failure: FailureCode | None = None) -> PackedFile:
    """A file as PostgreSQL gives it."""
    return PackedFile(
        seq=seq,
        path=path,
        original=path.upper(),
        href=path,
        size_bytes=len(content),
        modified_ns=NOON + 999_999_999,
        etag=None,
        crc32=crc32(content),
        sha256=sha256(content).digest(),
        failure_code=failure,
        failure_text=None if failure is None else f"{path} is wrong",
    )


FILES = [packed(seq, path, content) for seq, (path, content) in enumerate(CONTENTS.items(), 1)]
BROKEN = packed(4, "b/2.tif", b"x", failure=FailureCode.CHECKSUM_MISMATCH)


def written(layout: Layout) -> ZipFile:
    """The archive with its bytes, as a reader sees it."""
    pieces = (p if isinstance(p, bytes) else CONTENTS[layout.name(p.member)] for p in layout.segments())
    return ZipFile(BytesIO(b"".join(pieces)))


def test_the_archive_holds_the_files_in_their_order_and_what_proves_them() -> None:
    archive = written(layout_of("CO-2026-000042", 1, FILES))
    assert archive.testzip() is None
    assert archive.namelist() == [*CONTENTS, "manifest.json", "SHA256SUMS"]
    assert {name: archive.read(name) for name in CONTENTS} == CONTENTS
    sums = archive.read("SHA256SUMS").decode()
    assert all(f"{sha256(content).hexdigest()}  {path}" in sums for path, content in CONTENTS.items())


def test_a_missing_file_is_left_out_and_told_of() -> None:
    files = [*FILES[:2], BROKEN, *FILES[2:]]
    assert delivered(files) == FILES
    archive = written(layout_of("CO-2026-000042", 1, files))
    assert archive.namelist() == [*CONTENTS, "manifest.json", "NOTICE.txt", "SHA256SUMS"]
    assert "B/2.TIF" in archive.read("NOTICE.txt").decode()
    assert "b/2.tif" not in [file["path"] for file in json.loads(archive.read("manifest.json"))["files"]]


def test_an_entry_is_as_old_as_its_file() -> None:
    archive = written(layout_of("CO-2026-000042", 1, FILES))
    assert archive.getinfo("a/1.tif").date_time == (2026, 1, 1, 12, 0, 0)


@pytest.mark.parametrize(
    "changed",
    [
        FILES[0]._replace(crc32=1),
        FILES[0]._replace(sha256=b"\0" * 32),
        FILES[0]._replace(size_bytes=4),
        FILES[0]._replace(modified_ns=NOON - 2 * NS_PER_SECOND),
        FILES[0]._replace(path="a/9.tif"),
    ],
)
def test_the_etag_is_another_when_any_byte_would_be(changed: PackedFile) -> None:
    before = layout_of("CO-2026-000042", 1, FILES)
    assert layout_of("CO-2026-000042", 1, list(FILES)).etag == before.etag
    assert layout_of("CO-2026-000042", 1, [changed, *FILES[1:]]).etag != before.etag
    assert layout_of("CO-2026-000043", 1, FILES).etag != before.etag


def test_what_does_not_come_into_the_archive_does_not_change_it() -> None:
    before = layout_of("CO-2026-000042", 1, FILES)
    elsewhere = [file._replace(href=f"moved/{file.href}") for file in FILES]
    assert layout_of("CO-2026-000042", 1, elsewhere).etag == before.etag
