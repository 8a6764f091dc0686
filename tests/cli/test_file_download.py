"""What `order download` does beside archives: single files, comparing, unpacking, and lines in a log."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from cli.api_client import Api
from cli.archive_contents import differences, extract
from cli.credentials import Credential
from cli.errors import CommandFailed
from cli.progress import Counter, Minutely
from tests.cli.test_archive_download import CONTENTS, WHOLE

CONTENT = b"some bytes of a file"
FILE = {"seq": 7, "size": len(CONTENT), "sha256": sha256(CONTENT).hexdigest()}


def downloaded(folder: Path, content: bytes = CONTENT, *, force: bool = False) -> Path:
    """The file 7 of an order, from an API that gives this content."""

    def facade(request: httpx.Request) -> httpx.Response:
        headers = {"etag": '"e"', "content-disposition": 'attachment; filename="a.tif"'}
        if request.method == "HEAD":
            return httpx.Response(200, headers={**headers, "content-length": str(len(content))})
        assert request.url.path == "/api/v1/orders/x/files/7/content"
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        return httpx.Response(206 if start else 200, headers=headers, content=iter([content[start:]]))

    with Api("http://api.test", Credential.fixed("token"), transport=httpx.MockTransport(facade)) as api:
        return api.download_file("x", FILE, folder, lambda _: None, tell=print, force=force)


def test_a_file_is_continued_proven_and_then_known_again(tmp_path: Path) -> None:
    (tmp_path / ".a.tif.e.part").write_bytes(CONTENT[:5])
    saved = downloaded(tmp_path)
    assert saved.read_bytes() == CONTENT
    before = saved.stat().st_mtime_ns
    assert downloaded(tmp_path).stat().st_mtime_ns == before
    assert list(tmp_path.iterdir()) == [saved]


def test_a_file_with_another_checksum_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="another checksum"):
        downloaded(tmp_path, CONTENT[::-1])
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_file_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"mine")
    with pytest.raises(CommandFailed, match="--force replaces it"):
        downloaded(tmp_path)
    assert (tmp_path / "a.tif").read_bytes() == b"mine"
    assert downloaded(tmp_path, force=True).read_bytes() == CONTENT


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "order_1.zip"
    path.write_bytes(WHOLE)
    return path


def promised(**changed: Any) -> list[Any]:
    files = [
        {"path": f"o/{i}.tif", "size": len(content), "sha256": sha256(content).hexdigest()}
        for i, content in enumerate(CONTENTS)
    ]
    files[0] |= changed
    return files


def test_an_archive_is_compared_file_by_file_with_what_the_order_says(archive: Path) -> None:
    assert list(differences(archive, promised())) == []
    assert list(differences(archive, promised(path="o/9.tif"))) == ["o/9.tif: it is not in the archive"]
    assert "and should have 1" in next(differences(archive, promised(size=1)))
    assert next(differences(archive, promised(sha256="0" * 64))).endswith(f"and should be {'0' * 64}")


def test_an_archive_is_unpacked_beside_itself_and_nothing_is_replaced(archive: Path) -> None:
    folder = extract(archive)
    assert folder == archive.with_name("order_1")
    assert [(folder / f"o/{i}.tif").read_bytes() for i in range(3)] == CONTENTS
    assert (folder / "o/empty").is_dir()
    assert extract(archive) == folder
    (folder / "o/0.tif").write_bytes(b"mine")
    with pytest.raises(CommandFailed, match="stays as it is"):
        extract(archive)


def test_in_a_pipe_a_long_download_says_a_line_a_minute() -> None:
    now, said = 0.0, list[str]()
    told = Minutely("part 1", 10_000_000_000, said.append, lambda: now)
    for now in range(0, 130, 10):
        told(int(now) * 20_000_000)
    assert said == [
        "part 1: 1.2 GB of 10.0 GB, 20.0 MB/s, about 7 min left",
        "part 1: 2.4 GB of 10.0 GB, 20.0 MB/s, about 6 min left",
    ]


def test_what_is_looked_at_is_counted_and_told_now_and_then() -> None:
    now, told = 0.0, list[int]()
    counter = Counter(told.append, 60, lambda: now)
    for count in range(200_000):
        now = count // 1000
        counter()
    assert (counter.count, told) == (200_000, [61_000, 121_000, 181_000])
