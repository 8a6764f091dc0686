"""`consignor catalog watch`: what has it import, and that nothing ends it or takes something away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from cli.commands.catalog_watch import in_words
from cli.folder_watch import FolderWatch, is_remote
from models.errors import Refusal
from models.tasks import background_task
from services.catalogue import ImportReport, SkippedEntry, import_source
from tests.services.catalogue_sources import Sessions, put, rows

NAMES = "SELECT name FROM catalogue_objects ORDER BY name"


class Imports:
    """An import that may fail, and whoever waits until it has been made so often."""

    def __init__(self, *failures: Exception) -> None:
        self.made, self.said = 0, list[str]()
        self._failures = iter(failures)
        self._news = asyncio.Condition()

    async def once(self) -> None:
        async with self._news:
            self.made += 1
            self._news.notify_all()
        if (failure := next(self._failures, None)) is not None:
            raise failure

    async def until(self, count: int) -> None:
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: self.made >= count)


@asynccontextmanager
async def watched(folder: Path, imports: Imports, *, every: float = 3600, polls: bool = False) -> AsyncIterator[None]:
    watch = FolderWatch(
        folder, imports.once, imports.said.append, every=every, polls=polls, first_pause=0, settles=0.02
    )
    async with background_task(watch.run()):
        yield


async def test_a_change_is_imported_and_quiet_is_not(tmp_path: Path) -> None:
    imports = Imports()
    async with watched(tmp_path, imports):
        await imports.until(1)
        # The watch may begin a moment after the first import: each of these may be the first it hears of.
        while imports.made < 2:
            put(tmp_path / "new.tif")
            await asyncio.sleep(0)
        await imports.until(2)


async def test_what_polls_goes_by_the_clock(tmp_path: Path) -> None:
    imports = Imports()
    async with watched(tmp_path, imports, every=0.01, polls=True):
        await imports.until(3)


async def test_nothing_that_goes_wrong_ends_it(tmp_path: Path) -> None:
    wrong = OperationalError("SELECT 1", {}, OSError("away")), Refusal("it is not there"), OSError("I/O error")
    imports = Imports(*wrong)
    async with watched(tmp_path / "gone", imports, polls=True):
        await imports.until(4)
    assert len(imports.said) == 3
    assert imports.said[1] == "not imported: it is not there; what is known stays, and the next try is in 0 s"


async def test_a_folder_that_goes_takes_nothing_out_of_the_catalogue(sessions: Sessions, tmp_path: Path) -> None:
    source = tmp_path / "scenes"
    put(source / "a.tif")
    await import_source(sessions, source)
    source.rename(tmp_path / "away")
    imports, done = Imports(), asyncio.Event()

    async def once() -> None:
        await imports.once()
        await import_source(sessions, source)
        done.set()

    watch = FolderWatch(source, once, imports.said.append, every=3600, polls=True, first_pause=0.01)
    async with background_task(watch.run()):
        await imports.until(2)
        assert await rows(sessions, NAMES) == ["a.tif"]
        put(tmp_path / "away" / "b.tif")
        (tmp_path / "away").rename(source)
        async with asyncio.timeout(30):
            await done.wait()
    assert await rows(sessions, NAMES) == ["a.tif", "b.tif"]


@pytest.mark.parametrize(
    ("folder", "remote"), [("/mnt/a share/x", True), ("/mnt", False), ("/srv/fuse/x", True), ("/srv", False)]
)
def test_a_network_share_is_known_by_its_mount(folder: str, remote: bool) -> None:
    mounts = ["/dev/a / ext4 rw 0 0", "s:/x /mnt/a\\040share nfs4 rw 0 0", "f /srv/fuse fuse.sshfs rw 0 0"]
    assert is_remote(Path(folder), mounts) is remote


def test_what_changed_nothing_is_not_told(make: Callable[..., ImportReport]) -> None:
    assert in_words(make(unchanged=5)) is None
    assert in_words(make(added=1_000, withdrawn=2)) == "s: 1,000 added, 2 withdrawn"
    unread = (SkippedEntry(what="b/", why="it cannot be read", unread=True), SkippedEntry(what=".x", why="hidden"))
    assert in_words(make(kept=3, refused=unread)) == "s: 3 kept, could not look at b/: it cannot be read"


@pytest.fixture
def make() -> Callable[..., ImportReport]:
    def report(**more: object) -> ImportReport:
        return ImportReport.model_validate({"sku": "s", "name": "S", "location": "/s", "product": "unchanged", **more})

    return report
