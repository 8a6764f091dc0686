"""Local storage: what may be read, and what every error becomes."""

import errno
import os
from contextlib import closing
from pathlib import Path

import pytest

from models.errors import Failed, FailureCode
from storage.sources.local import LocalSource
from storage.sources.protocol import FileVersion, Source, failed_by
from storage.sources.registry import Sources


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root/folder").mkdir(parents=True)
    (tmp_path / "root/folder/file").write_bytes(b"0123456789")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "root2").mkdir()
    (tmp_path / "root2/secret").write_bytes(b"secret")
    return tmp_path / "root"


def code_of(source: Source, href: str, expected: FileVersion | None = None) -> FailureCode:
    with pytest.raises(Failed) as caught:
        source.open(href, expected)
    return caught.value.failure.code


def test_a_file_is_read_at_any_position(root: Path) -> None:
    source: Source = LocalSource(root)
    version = source.stat("folder/file")
    assert version == FileVersion.dated(10, (root / "folder/file").stat().st_mtime_ns)
    buffer = bytearray(4)
    with closing(source.open("folder/file", version)) as reader:
        assert reader.read_into(memoryview(buffer), 3) == 4
        assert buffer == b"3456"
        assert reader.read_into(memoryview(buffer), 8) == 2
        assert reader.read_into(memoryview(buffer), 10) == 0
        assert reader.version() == version
    reader.close()


@pytest.mark.parametrize("href", ["../secret", "/etc/passwd", "", "folder/../folder/file", ".."])
def test_an_href_may_not_leave_the_root(root: Path, href: str) -> None:
    assert code_of(LocalSource(root), href) is FailureCode.SOURCE_FORBIDDEN


@pytest.mark.parametrize("target", ["secret", "root2/secret", "/etc/passwd", "/dev/zero"])
def test_a_symbolic_link_may_not_lead_out(root: Path, target: str) -> None:
    (root / "link").symlink_to(root.parent / target)
    assert code_of(LocalSource(root), "link") is FailureCode.SOURCE_FORBIDDEN


def test_a_linked_folder_may_not_lead_out(root: Path) -> None:
    (root / "out").symlink_to(root.parent / "root2")
    assert code_of(LocalSource(root), "out/secret") is FailureCode.SOURCE_FORBIDDEN


def test_a_symbolic_link_inside_the_root_is_followed(root: Path) -> None:
    (root / "link").symlink_to(root / "folder")
    assert LocalSource(root).stat("link/file").size == 10


def test_the_root_itself_may_be_a_link(root: Path) -> None:
    (root.parent / "alias").symlink_to(root)
    assert LocalSource(root.parent / "alias").stat("folder/file").size == 10


def test_what_is_no_regular_file_neither_hangs_nor_is_read(root: Path) -> None:
    os.mkfifo(root / "fifo")
    for href in ("fifo", "folder"):
        assert code_of(LocalSource(root), href) is FailureCode.SOURCE_FORBIDDEN


@pytest.mark.parametrize("href", ["nothing", "folder/file/x", "x" * 300, "\ud800", "folder/\0"])
def test_a_missing_file_is_missing(root: Path, href: str) -> None:
    assert code_of(LocalSource(root), href) is FailureCode.SOURCE_MISSING


def test_a_missing_root_is_the_storages_trouble(root: Path) -> None:
    assert code_of(LocalSource(root / "unmounted"), "file") is FailureCode.SOURCE_UNAVAILABLE


def test_an_empty_root_is_a_mount_point_without_its_mount(root: Path) -> None:
    root.rename(root.with_name("away"))
    root.mkdir()
    assert code_of(LocalSource(root), "folder/file") is FailureCode.SOURCE_UNAVAILABLE
    with pytest.raises(Failed) as caught:
        Sources().at(str(root)).check_available()
    assert caught.value.failure.retryable
    (root / "another").touch()
    assert code_of(LocalSource(root), "folder/file") is FailureCode.SOURCE_MISSING
    Sources().at(str(root)).check_available()


def test_a_source_does_not_touch_its_storage_before_a_file_is_wanted(root: Path) -> None:
    source = LocalSource(root.parent / "later")
    (root.parent / "later").symlink_to(root)
    assert source.stat("folder/file").size == 10


def test_another_version_is_refused_and_closed(root: Path) -> None:
    source = LocalSource(root)
    version = source.stat("folder/file")
    source.stat("folder/file")  # from the second file on, its folder is kept open
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert code_of(source, "folder/file", version._replace(fingerprint="1")) is FailureCode.SOURCE_CHANGED
    assert code_of(source, "folder/file", version._replace(size=1)) is FailureCode.SOURCE_CHANGED
    assert code_of(source, "folder") is FailureCode.SOURCE_FORBIDDEN
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_folder_that_is_swapped_for_a_link_leads_nobody_out(root: Path) -> None:
    source = LocalSource(root)
    version = source.stat("folder/file")
    for _ in range(3):
        source.open("folder/file", version).close()
    (root / "folder").rename(root / "moved")
    (root / "folder").symlink_to(root.parent / "root2")
    (root.parent / "root2/file").write_bytes(b"outside the root")
    assert source.stat("folder/file") == version, "the folder at hand is the one that was looked at"
    assert code_of(source, "folder/secret") is FailureCode.SOURCE_FORBIDDEN
    assert code_of(LocalSource(root), "folder/file") is FailureCode.SOURCE_FORBIDDEN


def test_a_link_in_the_folder_at_hand_is_looked_at_like_any_other(root: Path) -> None:
    (root / "folder/inside").symlink_to("file")
    (root / "folder/outside").symlink_to("../../root2/secret")
    source = LocalSource(root)
    for _ in range(3):
        assert source.stat("folder/inside") == source.stat("folder/file")
        assert code_of(source, "folder/outside") is FailureCode.SOURCE_FORBIDDEN
        assert code_of(source, "folder/nothing") is FailureCode.SOURCE_MISSING


def test_a_source_that_is_done_with_keeps_nothing_open(root: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    source = LocalSource(root)
    for _ in range(3):
        source.stat("folder/file")
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 1
    del source
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOENT, FailureCode.SOURCE_MISSING),
        (errno.EACCES, FailureCode.SOURCE_FORBIDDEN),
        (errno.ENOSPC, FailureCode.DISK_FULL),
        (errno.EMFILE, FailureCode.TOO_MANY_OPEN_FILES),
        (errno.ENOMEM, FailureCode.OUT_OF_MEMORY),
        (errno.EIO, FailureCode.SOURCE_UNAVAILABLE),
        (errno.ESTALE, FailureCode.SOURCE_UNAVAILABLE),
    ],
)
def test_every_error_has_its_code(number: int, code: FailureCode) -> None:
    failed = failed_by(OSError(number, "boom"), "o/file")
    assert failed.failure.code is code
    assert failed.failure.text.startswith("o/file ")


def test_too_many_open_files_are_told_as_such(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, "too many")

    source = LocalSource(root)
    monkeypatch.setattr(os, "open", refuse)
    assert code_of(source, "folder/file") is FailureCode.TOO_MANY_OPEN_FILES
