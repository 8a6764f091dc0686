"""Two downloads of one archive into one folder: the second waits for the first, and nothing that arrived is lost."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx2 as httpx
from rich.progress import Progress

from cli.api_client import Api
from cli.commands.order_download import _seen
from cli.credentials import Credential
from cli.one_at_a_time import alone
from tests.cli.test_archive_download import NAME, PART, URL, WHOLE, Facade, is_archive, names

WAITS = 30
"""Seconds after which a thread that nobody wakes fails its test."""


class Held(Facade):
    """A facade that gives nothing until another download is told to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on, self.cut = Event(), Event(), False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            self.asked.set()
            assert self.go_on.wait(WAITS)
            if self.cut:
                return httpx.Response(403, json={})
        return super().__call__(request)


def download(folder: Path, facade: Facade, tell: Callable[[str], None]) -> Path:
    with Api("http://api.test", Credential.fixed("token"), transport=httpx.MockTransport(facade)) as api:
        return api.download(URL, folder, lambda _: None, part=PART, tell=tell)


def two_at_once(folder: Path, first: Held, second: Facade) -> tuple["Future[Path]", Path, list[str]]:
    """Two downloads, of which the second comes while the first is at work, and what the second is told."""
    told = list[str]()

    def tell(line: str) -> None:
        told.append(line)
        first.go_on.set()

    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(download, folder, first, lambda _: None)
        assert first.asked.wait(WAITS)
        saved = download(folder, second, tell)
    return begun, saved, told


def test_a_second_download_waits_for_the_first_and_finds_what_it_saved(tmp_path: Path) -> None:
    second = Facade()
    first, saved, told = two_at_once(tmp_path, Held(), second)
    assert first.result() == saved == tmp_path / NAME
    assert is_archive(saved)
    assert told == [f"{saved}: another command is at work on it; waiting for that to end"]
    assert second.given < 2000, "nothing but the directory is asked for"
    assert names(tmp_path) == [NAME]


def test_a_second_download_goes_on_where_the_first_has_failed(tmp_path: Path) -> None:
    part = tmp_path / f".{NAME}.{Facade().etag.strip(chr(34))[:16]}.part"
    part.write_bytes(WHOLE[:150_000])
    held, second = Held(), Facade()
    held.cut = True
    first, saved, _ = two_at_once(tmp_path, held, second)
    assert "403" in str(first.exception())
    assert is_archive(saved)
    assert second.given == len(WHOLE) - 150_000
    assert names(tmp_path) == [NAME]


def test_what_a_killed_download_left_of_its_lock_keeps_nobody_away(tmp_path: Path) -> None:
    (tmp_path / f".{NAME}.lock").touch()
    told = list[str]()
    assert is_archive(download(tmp_path, Facade(), told.append))
    assert (told, names(tmp_path)) == ([], [NAME])


def test_many_that_wait_for_one_another_are_never_two_at_once(tmp_path: Path) -> None:
    inside, most = 0, 0

    def enter(_: int) -> None:
        nonlocal inside, most
        with alone(tmp_path / "a", lambda _: None):
            inside += 1
            most = max(most, inside)
            inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(200)))
    assert (most, names(tmp_path)) == (1, [])


def test_a_bar_that_was_full_of_what_is_damaged_says_how_long_it_takes_anew() -> None:
    now = 0.0
    bar = Progress(disable=True, get_time=lambda: now)
    seen = _seen(bar, "part 1", 1000, quiet=True)
    seen(1000)
    assert bar.tasks[0].time_remaining == 0
    for now, done in enumerate((0, 100, 200)):  # noqa: B007 - the clock of the bar
        seen(done)
    assert bar.tasks[0].time_remaining == 8
