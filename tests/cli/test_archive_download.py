"""`order download` against a facade that is a function: what is called saved is proven, and nothing is lost for it."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile
from zlib import crc32

import httpx2 as httpx
import pytest

from cli.api_client import Api
from cli.archive_proof import Part, directory_start
from cli.commands.order_download import download_parts
from cli.credentials import Credential
from cli.errors import CommandFailed
from models.archive import FileSlice, Layout
from models.packaging import PackedFile, PackedFolder, layout_of

NAME = "CO-2026-000042_1.zip"
PART = Part("CO-2026-000042", 1)
URL = "/orders/x/suborders/1/archive"
CONTENTS = [b"first" * 40_000, b"", b"third"]


def archive(contents: list[bytes], number: str = PART.number) -> tuple[str, bytes]:
    """ETag and bytes of an archive as Consignor makes them."""
    files = [
        PackedFile(i, f"o/{i}.tif", f"o/{i}.tif", "", len(c), 10**18, None, crc32(c), sha256(c).digest(), None, None)
        for i, c in enumerate(contents)
    ]
    layout: Layout = layout_of(number, 1, files, [PackedFolder("o/empty/", "o/empty/")])
    pieces = (
        contents[p.member][p.offset : p.offset + p.length] if isinstance(p, FileSlice) else p for p in layout.segments()
    )
    return layout.etag, b"".join(pieces)


ETAG, WHOLE = archive(CONTENTS)


class Facade:
    """Answers as the facade does, and counts the bytes it gives."""

    def __init__(self, etag: str = ETAG, content: bytes = WHOLE) -> None:
        self.etag, self.content, self.given = etag, content, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        headers = {"etag": self.etag, "content-disposition": f'attachment; filename="{NAME}"'}
        if request.method == "HEAD":
            return httpx.Response(200, headers={**headers, "content-length": str(len(self.content))})
        wanted, status = request.headers.get("range"), 200
        body = self.content
        if wanted and request.headers.get("if-range", self.etag) == self.etag:
            start, _, stop = wanted.removeprefix("bytes=").partition("-")
            status, body = 206, body[int(start) : int(stop) + 1 if stop else None]
        self.given += len(body)
        return httpx.Response(status, headers=headers, content=iter([body]))


class Run:
    """One run of the command's download, with what it tells."""

    def __init__(self, folder: Path, facade: Callable[[httpx.Request], httpx.Response], *, force: bool = False) -> None:
        self.told: list[str] = []
        with Api("http://api.test", Credential.fixed("token"), transport=httpx.MockTransport(facade)) as api:
            self.saved = api.download(URL, folder, lambda _: None, part=PART, tell=self.told.append, force=force)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def is_archive(path: Path) -> bool:
    return path.read_bytes() == WHOLE


def test_an_archive_is_saved_under_its_name_and_then_known_again(tmp_path: Path) -> None:
    first, facade = Run(tmp_path, Facade()), Facade()
    assert is_archive(first.saved)
    again = Run(tmp_path, facade)
    assert (again.saved, again.told) == (tmp_path / NAME, [])
    assert facade.given < 2000, "nothing but the directory is asked for"
    assert names(tmp_path) == [NAME]


@pytest.mark.parametrize(
    "content",
    [
        bytes(len(WHOLE)),
        WHOLE[:1000] + bytes(len(WHOLE) - 1000),
        WHOLE[:40] + bytes(1000),
        WHOLE[:100_000],
        WHOLE[:150_000] + b"!" + WHOLE[150_001:],
        WHOLE + b"\0",
        b"",
    ],
    ids=["preallocated", "cut and filled", "cut early and filled", "cut", "one byte is another", "too long", "empty"],
)
def test_an_unfinished_or_damaged_file_is_never_called_saved(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    run = Run(tmp_path, Facade())
    assert run.saved == tmp_path / NAME
    assert is_archive(run.saved)
    assert run.told == [f"{tmp_path / NAME} is unfinished or damaged; fetching all of it again"]
    assert names(tmp_path) == [NAME]


def strange_zip(path: Path) -> None:
    with ZipFile(path, "w", ZIP_STORED) as archive:
        archive.writestr("diary.txt", "dear")


def enlarged_archive(path: Path) -> None:
    path.write_bytes(WHOLE)
    with ZipFile(path, "a", ZIP_STORED) as archive:
        archive.writestr("my-notes.txt", "dear")


def link_to_text(path: Path) -> None:
    path.with_name("x").write_text("x")
    path.symlink_to("x")


STRANGERS: dict[str, Callable[[Path], object]] = {
    "a text": lambda path: path.write_text("my diary"),
    "a text of the length": lambda path: path.write_bytes(b"d" * len(WHOLE)),
    "a zip": strange_zip,
    "the archive and more": enlarged_archive,
    "another archive": lambda path: path.write_bytes(archive(CONTENTS, "CO-2026-000043")[1]),
    "a folder": lambda path: path.mkdir(),
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a link to a text": link_to_text,
    "a fifo": os.mkfifo,
}


@pytest.mark.parametrize("make", STRANGERS.values(), ids=STRANGERS)
def test_a_strangers_file_stays_and_the_archive_gets_another_name(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    path = tmp_path / NAME
    make(path)
    before = os.lstat(path)
    content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
    for _ in range(2):
        run = Run(tmp_path, Facade())
        assert run.saved == tmp_path / "CO-2026-000042_1 (1).zip"
        assert is_archive(run.saved)
        assert run.told == [f"{path} is not this archive and stays as it is; the archive gets another name"]
    assert (os.lstat(path).st_ino, os.lstat(path).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert content is None or path.read_bytes() == content


def test_a_server_that_gives_no_ranges_costs_no_stranger_its_file(tmp_path: Path) -> None:
    facade = Facade()

    def without_ranges(request: httpx.Request) -> httpx.Response:
        request.headers.pop("range", None)
        return facade(request)

    (tmp_path / NAME).write_text("my diary")
    assert is_archive(Run(tmp_path, without_ranges).saved)
    assert (tmp_path / NAME).read_text() == "my diary"


def test_what_aria2_is_still_at_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(bytes(len(WHOLE)))
    (tmp_path / f"{NAME}.aria2").write_bytes(b"\0\1")
    assert is_archive(Run(tmp_path, Facade()).saved)
    assert (tmp_path / NAME).read_bytes() == bytes(len(WHOLE))


def test_force_replaces_a_strangers_file_and_no_folder(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("my diary")
    run = Run(tmp_path, Facade(), force=True)
    assert (run.saved, run.told) == (tmp_path / NAME, [f"{tmp_path / NAME} is replaced"])
    assert is_archive(run.saved)
    (tmp_path / "b" / NAME).mkdir(parents=True)
    assert Run(tmp_path / "b", Facade(), force=True).saved.name == "CO-2026-000042_1 (1).zip"


def test_another_version_of_the_archive_is_kept_beside_it(tmp_path: Path) -> None:
    # Of the same length: no length and no look at the file alone tells them apart.
    etag, older = archive([CONTENTS[0], b"", b"THIRD"])
    assert len(older) == len(WHOLE)
    Run(tmp_path, Facade(etag, older))
    run = Run(tmp_path, Facade())
    kept = tmp_path / "CO-2026-000042_1 (1).zip"
    assert run.told == [f"{tmp_path / NAME} was another version of this archive, and is {kept} from now on"]
    assert is_archive(tmp_path / NAME)
    assert kept.read_bytes() == older
    assert Run(tmp_path, Facade()).saved == tmp_path / NAME


@pytest.mark.parametrize("garbage", [bytes(1000), bytes(len(WHOLE)), bytes(len(WHOLE) + 1), WHOLE[:1000], WHOLE])
def test_a_part_is_continued_and_proven_before_it_gets_its_name(tmp_path: Path, garbage: bytes) -> None:
    part = tmp_path / f".{NAME}.{ETAG.strip(chr(34))[:16]}.part"
    part.write_bytes(garbage)
    assert is_archive(Run(tmp_path, Facade()).saved)
    assert not part.exists()


def test_a_part_of_another_version_is_not_continued(tmp_path: Path) -> None:
    (tmp_path / f".{NAME}.0123456789abcdef.part").write_bytes(WHOLE[:1000])
    facade = Facade()
    assert is_archive(Run(tmp_path, facade).saved)
    assert facade.given == len(WHOLE)


def test_what_never_arrives_as_it_is_offered_is_not_saved(tmp_path: Path) -> None:
    spoilt = WHOLE[:50] + b"??" + WHOLE[52:]
    with pytest.raises(CommandFailed, match="what arrives is not the archive"):
        Run(tmp_path, Facade(content=spoilt))
    assert names(tmp_path) == []


def test_a_whole_zip_has_no_gaps_and_every_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(WHOLE)
    start = directory_start(path)
    assert start is not None
    assert WHOLE[start : start + 4] == b"PK\1\2"
    for broken in (b"junk" + WHOLE, WHOLE[:-1], WHOLE[:start] + b"junk" + WHOLE[start:], b"PK"):
        path.write_bytes(broken)
        assert directory_start(path) is None


@pytest.mark.parametrize(("allowed", "end"), [(["retry", "delete"], "made again"), (["delete"], "it is over")])
def test_where_no_archive_is_left_the_command_that_makes_them_again_is_named(
    tmp_path: Path, allowed: list[str], end: str
) -> None:
    order = {"id": "x", "number": PART.number, "status": "over", "allowed_actions": allowed}
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, json={"items": [{"archive_url": None}], "next_cursor": None})
    )
    with (
        Api("http://api.test", Credential.fixed("token"), transport=transport) as api,
        pytest.raises(CommandFailed, match=f"{end}$"),
    ):
        download_parts(api, order, tmp_path, quiet=True)
