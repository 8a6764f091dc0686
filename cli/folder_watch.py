"""Keeps the catalogue in step with a folder: an import when something has changed there, and now and then anyway."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from watchfiles import awatch

from models.errors import DomainError
from models.tasks import background_task
from models.text import shown

LONGEST_PAUSE: Final = 300.0
"""Seconds between two tries of an import that failed."""
SETTLES: Final = 2.0
"""Seconds without a change after which somebody who copies files is taken to have finished."""
AT_LAST: Final = 60.0
"""Seconds after which changes that do not end are imported all the same."""

_REMOTE: Final = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "lustre", "gpfs", "beegfs", "afs", "gluster", "virtiofs")


class FolderWatch:
    """Imports when it begins, after changes, and at the latest every so many seconds; it survives what goes wrong.

    What `polls` is not told of changes and goes by the clock alone. A folder that is not there is an import that fails,
    and what fails is tried again: nothing is withdrawn because nobody could look.
    """

    def __init__(
        self,
        folder: Path,
        import_once: Callable[[], Awaitable[None]],
        tell: Callable[[str], None],
        *,
        every: float,
        polls: bool,
        first_pause: float = 1.0,
        settles: float = SETTLES,
    ) -> None:
        self._folder, self._import, self._tell = folder, import_once, tell
        self._every, self._polls, self._first_pause = every, polls, first_pause
        self._step = int(settles * 1000)
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Keep in step until cancelled."""
        # Told of changes before the first look, so that none between the two is missed.
        async with background_task(self._notice()):
            while True:
                self._changed.clear()
                await self._import_until_done()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every):
                        await self._changed.wait()

    async def _import_until_done(self) -> None:
        pause = self._first_pause
        while True:
            try:
                return await self._import()
            except (DomainError, SQLAlchemyError, OSError) as error:
                words = shown(str(error)).partition(" (Background on")[0]
                self._tell(f"not imported: {words}; what is known stays, and the next try is in {pause:,.0f} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _notice(self) -> None:
        """Say that something has changed; where the system cannot tell, the clock does."""
        while not self._polls:
            try:
                async for _ in awatch(
                    self._folder,
                    watch_filter=None,
                    step=self._step,
                    debounce=int(AT_LAST * 1000),
                    ignore_permission_denied=True,
                ):
                    self._changed.set()
            except (OSError, RuntimeError) as error:
                self._tell(f"changes of {shown(str(self._folder))} cannot be watched: {shown(str(error))}")
            # It is not there, or has gone: the import says so, and when it is back.
            await asyncio.sleep(min(self._every, AT_LAST))
            self._changed.set()
        await asyncio.Event().wait()


def is_remote(folder: Path, mounts: Iterable[str]) -> bool:
    """Whether a folder is on a file system that others write to, of whose changes this system hears nothing.

    `mounts` are the lines of /proc/self/mounts.
    """
    kinds = {}
    for line in mounts:
        _, where, kind, *_ = line.split(" ")
        kinds[Path(where.encode().decode("unicode_escape"))] = kind
    places = (folder, *folder.parents)
    kind = next((kinds[place] for place in places if place in kinds), "")
    return kind.startswith(_REMOTE)
