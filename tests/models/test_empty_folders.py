"""Empty folders in archives: entries that every reader makes folders of, and that change no archive without any."""

import json
import struct
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import pytest

from models.archive import Entry, FileSlice, Generated, Layout
from models.naming import file_and_folder_names
from models.packaging import PackedFolder, layout_of
from tests.models.test_packaging import CONTENTS, FILES, written
from tests.models.test_zip_format import FULL, MTIME, Sparse
from tests.tools import tool

FOLDERS = [PackedFolder("a/rep_info/", "A/rep_info/"), PackedFolder("b/deep/er/", "b/deep/er/")]


def bytes_of(layout: Layout, contents: Sequence[bytes]) -> bytes:
    return b"".join(contents[p.member] if isinstance(p, FileSlice) else p for p in layout.segments())


def test_a_folder_is_an_entry_of_its_own_and_is_in_the_manifest() -> None:
    archive = written(layout_of("CO-2026-000042", 1, FILES, FOLDERS))
    assert archive.testzip() is None
    names = [*CONTENTS, "a/rep_info/", "b/deep/er/", "manifest.json", "SHA256SUMS"]
    assert archive.namelist() == names
    for name in ("a/rep_info/", "b/deep/er/"):
        info = archive.getinfo(name)
        assert (info.is_dir(), info.CRC, info.file_size, info.compress_type) == (True, 0, 0, zipfile.ZIP_STORED)
        assert (info.external_attr >> 16, info.external_attr & 0x10) == (0o040755, 0x10)
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["folders"] == [
        {"path": "a/rep_info/", "original": "A/rep_info/"},
        {"path": "b/deep/er/", "original": "b/deep/er/"},
    ]
    assert [file["path"] for file in manifest["files"]] == list(CONTENTS)
    assert b"rep_info" not in archive.read("SHA256SUMS")


def test_an_archive_without_empty_folders_keeps_the_bytes_and_the_etag_it_was_sealed_with() -> None:
    layout = layout_of("CO-2026-000042", 1, FILES)
    assert layout.etag == '"9d875a1c78e36174b8b3aa5dba163369cb1386c0"'
    assert "folders" not in json.loads(written(layout).read("manifest.json"))


def test_another_folder_is_another_archive() -> None:
    etags = {layout_of("CO-1", 1, FILES, FOLDERS[:count]).etag for count in range(3)}
    assert len(etags) == 3


@pytest.mark.parametrize("arguments", [("unzip", "-tqq"), ("bsdtar", "-tf"), ("7z", "t")])
def test_stock_readers_find_no_fault(tmp_path: Path, arguments: tuple[str, str]) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(bytes_of(layout_of("CO-1", 1, FILES, FOLDERS), list(CONTENTS.values())))
    program, test = arguments
    done = subprocess.run([tool(program), test, path], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_unzip_makes_the_folders(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(bytes_of(layout_of("CO-1", 1, FILES, FOLDERS), list(CONTENTS.values())))
    subprocess.run([tool("unzip"), "-q", tmp_path / "a.zip", "-d", tmp_path / "out"], check=True)
    for name in ("a/rep_info", "b/deep/er"):
        assert (tmp_path / "out" / name).is_dir()
        assert not any((tmp_path / "out" / name).iterdir())


@pytest.mark.parametrize("size", [FULL - 1, FULL, FULL + 1])
def test_a_folder_may_begin_where_zip64_does(size: int) -> None:
    layout = Layout([Entry("o/a", size, 0, MTIME)], [Generated("o/empty/", b""), Generated("z", b"z")])
    with zipfile.ZipFile(Sparse(layout)) as archive:
        assert [info.is_dir() for info in archive.infolist()] == [False, True, False]
        assert archive.getinfo("o/empty/").header_offset >= size
        assert archive.read("z") == b"z"
    file = Sparse(layout)
    file.seek(layout.data_offset(1) - struct.calcsize("<4s5H3L2H") - len(b"o/empty/") - 9)
    header = struct.unpack("<4s5H3L2H", file.read(30))
    assert header[0] == b"PK\3\4"
    assert header[6:9] == (crc32(b""), 0, 0)


def test_folders_are_named_as_the_files_beside_them() -> None:
    folders = [("S1.SAFE", "granule/AUX_DATA/"), ("S1.SAFE", "a:b/"), ("S1.SAFE", "rep_info/")]
    _, names = file_and_folder_names([("S1.SAFE", "GRANULE/x.jp2")], folders)
    assert names == ["S1.SAFE/GRANULE/AUX_DATA/", "S1.SAFE/a_b/", "S1.SAFE/rep_info/"]


def test_a_folder_never_takes_the_name_of_a_file_and_two_spellings_are_one() -> None:
    assert file_and_folder_names([("o", "x")], [("o", "X/"), ("o", "Y/"), ("o", "y/")]) == (
        ["o/x"],
        ["o/X (1)/", "o/Y/", "o/Y/"],
    )
