"""Archives into folders: whole under their name or not at all, and never outside of the root."""

import os
import resource
import signal
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from models.destination import DestinationAllowlist, DestinationKind, DestinationLocation, owner_of
from models.errors import Failed, FailureCode
from storage.targets.local import LocalTarget, sync_folder
from storage.targets.protocol import ArchiveUpload
from storage.targets.registry import DeliveryTargets


def archive(number: str, content: bytes = bytes(range(256)) * 10_000) -> bytes:
    """A zip with a manifest, by which it is known again."""
    with ZipFile(whole := BytesIO(), "w") as zipped:
        zipped.writestr("o/a.bin", content)
        zipped.writestr("manifest.json", f'{{"number": "{number}", "suborder": 1, "files": [{{"path": "o/a.bin"}}]}}')
    return whole.getvalue()


CONTENT = archive("CO-1")
ARCHIVE = ArchiveUpload("CO-1/a.zip", len(CONTENT), '"etag"', "CO-1", 1)


def blocks(content: bytes = CONTENT, size: int = 100_000) -> Iterator[memoryview]:
    for start in range(0, len(content), size):
        yield memoryview(content)[start : start + size]


def breaking() -> Iterator[memoryview]:
    yield memoryview(CONTENT)[:1000]
    raise Failed(FailureCode.SOURCE_CHANGED, "it was written to")


def files(root: Path) -> dict[str, int]:
    return {str(path.relative_to(root)): path.stat().st_size for path in root.rglob("*") if path.is_file()}


def target(root: Path, folder: str = "maria") -> LocalTarget:
    return LocalTarget(str(root / folder), str(root))


def code_of(delivering: LocalTarget, upload: ArchiveUpload = ARCHIVE) -> FailureCode:
    with pytest.raises(Failed) as caught:
        delivering.deliver(upload, blocks())
    return caught.value.failure.code


def test_delivered_twice_is_delivered_once_with_the_very_bytes(tmp_path: Path) -> None:
    for _ in range(2):
        target(tmp_path).deliver(ARCHIVE, blocks())
        assert files(tmp_path) == {"maria/CO-1/a.zip": len(CONTENT)}
    assert (tmp_path / "maria/CO-1/a.zip").read_bytes() == CONTENT


def link_to_archive(path: Path) -> None:
    path.with_name("elsewhere").write_bytes(CONTENT)
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("my diary"),
        lambda path: path.write_bytes(bytes(len(CONTENT))),
        lambda path: path.write_bytes(archive("CO-2")),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("nowhere"),
        link_to_archive,
        os.mkfifo,
    ],
    ids=["a text", "zeros", "another archive", "a folder", "a dangling link", "a link", "a fifo"],
)
def test_somebody_elses_file_is_never_replaced(tmp_path: Path, make: Callable[[Path], object]) -> None:
    path = tmp_path / "maria/CO-1/a.zip"
    path.parent.mkdir(parents=True)
    make(path)
    before = os.lstat(path)
    for _ in range(2):
        assert target(tmp_path).deliver(ARCHIVE, blocks()) == "CO-1/a (1).zip"
    assert path.with_name("a (1).zip").read_bytes() == CONTENT
    assert (os.lstat(path).st_ino, os.lstat(path).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_version_of_the_archive_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "maria/CO-1/a.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(archive("CO-1", b"earlier"))
    assert target(tmp_path).deliver(ARCHIVE, blocks()) == "CO-1/a.zip"
    assert path.read_bytes() == CONTENT


def test_what_breaks_off_leaves_nothing_and_what_was_there_stays(tmp_path: Path) -> None:
    with pytest.raises(Failed):
        target(tmp_path).deliver(ARCHIVE, breaking())
    assert files(tmp_path) == {}
    target(tmp_path).deliver(ARCHIVE, blocks())
    with pytest.raises(Failed):
        target(tmp_path).deliver(ARCHIVE, breaking())
    assert (tmp_path / "maria/CO-1/a.zip").read_bytes() == CONTENT


def test_an_archive_that_ends_too_early_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(Failed) as caught:
        target(tmp_path).deliver(ARCHIVE, blocks(CONTENT[:-1]))
    assert caught.value.failure.code is FailureCode.DESTINATION_UNAVAILABLE
    assert files(tmp_path) == {}


def test_what_a_killed_attempt_left_is_swept_up(tmp_path: Path) -> None:
    folder = tmp_path / "maria" / "CO-1"
    folder.mkdir(parents=True)
    (folder / ".a.zip.0123.part").write_bytes(b"half")
    (folder / ".b.zip.0123.part").write_bytes(b"another's")
    target(tmp_path).deliver(ARCHIVE, blocks())
    assert sorted(path.name for path in folder.iterdir()) == [".b.zip.0123.part", "a.zip"]


def test_of_two_attempts_at_once_the_later_wins_and_the_other_is_tried_again(tmp_path: Path) -> None:
    def overtaken() -> Iterator[memoryview]:
        target(tmp_path).deliver(ARCHIVE, blocks())
        yield from blocks()

    with pytest.raises(Failed) as caught:
        target(tmp_path).deliver(ARCHIVE, overtaken())
    assert caught.value.failure.retryable
    assert files(tmp_path) == {"maria/CO-1/a.zip": len(CONTENT)}


@pytest.mark.parametrize("where", ["maria", "maria/CO-1"])
def test_a_link_that_leads_out_is_refused(tmp_path: Path, where: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    (root / where).parent.mkdir(parents=True)
    (root / where).symlink_to(outside)
    assert code_of(target(root)) is FailureCode.DESTINATION_REFUSED
    assert list(outside.iterdir()) == []


def test_a_root_that_is_not_mounted_is_waited_for_and_never_made(tmp_path: Path) -> None:
    assert code_of(target(tmp_path / "away")) is FailureCode.DESTINATION_UNAVAILABLE
    assert not (tmp_path / "away").exists()


def test_a_file_where_a_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "maria").write_bytes(b"")
    assert code_of(target(tmp_path)) is FailureCode.DESTINATION_REFUSED


def test_no_room_is_told_before_anything_is_read(tmp_path: Path) -> None:
    def unread() -> Iterator[memoryview]:
        raise AssertionError("read")
        yield memoryview(b"")

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(Failed) as caught:
            target(tmp_path).deliver(ARCHIVE, unread())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert caught.value.failure.code is FailureCode.DESTINATION_FULL
    assert files(tmp_path) == {}


def test_a_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    target(tmp_path).probe()
    assert files(tmp_path) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["maria"]


def test_a_folder_whose_file_system_syncs_no_folders_is_no_failure() -> None:
    folder = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(OSError, match="Invalid argument"):
            os.fsync(folder)
        sync_folder(folder)
    finally:
        os.close(folder)
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync_folder(folder)


def test_a_customers_own_folder_is_made_for_them_and_for_nobody_else(tmp_path: Path) -> None:
    targets = DeliveryTargets(DestinationAllowlist(roots=(f"{tmp_path}/{{customer}}",)))
    place = DestinationLocation(kind=DestinationKind.LOCAL, folder=f"{tmp_path}/ab12/maria")
    targets.target(place, None, owner_of("ab12", "mine")).probe()
    assert (tmp_path / "ab12" / "maria").is_dir()
    with pytest.raises(Failed, match=f"{tmp_path}/cd34") as caught:
        targets.target(place, None, owner_of("cd34", "mine"))
    assert caught.value.failure.code is FailureCode.DESTINATION_REFUSED
