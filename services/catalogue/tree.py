"""The tree of files of a source: nothing outside of it is ever looked at."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISLNK, S_ISREG, S_ISSOCK
from typing import Final, NamedTuple

from models.errors import Refusal, SourceUnreadable
from services.catalogue.hrefs import other_paths, path_of
from services.catalogue.source_contents import unstorable

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


class Located(NamedTuple):
    """A regular file of the tree: its path, where that really leads, and what is known of it."""

    path: str
    real: str
    stat: os.stat_result


class SourceTree:
    """Everything below an absolute root; symbolic links count by where they lead."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._real_root = os.path.realpath(root)
        self._real_folders: dict[str, str] = {}

    def locate(self, folder: str, href: str) -> Located:
        """The file that a relative reference means, seen from a folder; raises Refusal with the reason."""
        return self.look(self.find(folder, href))

    def find(self, folder: str, href: str) -> str:
        """The path that a relative reference means, if anything is there; raises Refusal if it leads out."""
        href = path_of(href)
        path = self.resolve(folder, href)
        # What is there as written is meant as written.
        if not os.path.lexists(path):
            others = (self.resolve(folder, other) for other in other_paths(href))
            path = next(filter(os.path.lexists, others), path)
        return path

    def meant(self, folder: str, href: str) -> Iterator[str]:
        """Every path of the tree that a reference may mean, whether there is anything or not."""
        written = path_of(href)
        for path in (written, *other_paths(written)):
            with suppress(Refusal):
                yield self.resolve(folder, path)

    def resolve(self, folder: str, href: str) -> str:
        """The absolute path that a reference means; raises Refusal where that is not a path of the tree."""
        if found := _SCHEME.match(href):
            raise Refusal(f"{href} is not a file of this disk ({found[1]}:)")
        if why := unstorable(href):
            raise Refusal(why)
        path = os.path.normpath(os.path.join(folder, href))  # noqa: PTH118 - pathlib keeps the `..`
        if path != self.root and not is_below(path, self.root):
            raise Refusal(f"{href} leads out of the source")
        return path

    def real_folder(self, path: str) -> str | None:
        """Where a folder of the tree really is; None if it is no folder, raises Refusal if it leads out."""
        if not os.path.isdir(path):  # noqa: PTH112 - the hot path
            return None
        real = os.path.realpath(path)
        if real != self._real_root and not is_below(real, self._real_root):
            raise Refusal("it leads out of the source")
        return real

    def look(self, path: str) -> Located:
        """What is known of a regular file; raises Refusal with the reason where it is none of the tree's.

        SourceUnreadable, a Refusal, says that nobody can tell.
        """
        try:
            stat = os.lstat(path)
            if is_link := S_ISLNK(stat.st_mode):
                real = os.path.realpath(path)
                stat = os.stat(path) if is_below(real, self._real_root) else stat  # noqa: PTH116 - the hot path
            else:
                real = self._real(path)
        except OSError as error:
            raise SourceUnreadable(why_not(error)) from error
        if real != self._real_root and not is_below(real, self._real_root):
            raise Refusal("it leads out of the source")
        if not S_ISREG(stat.st_mode):
            raise Refusal(f"it is a link to {_kind(stat.st_mode)}" if is_link else f"it is {_kind(stat.st_mode)}")
        return Located(path, real, stat)

    def _real(self, path: str) -> str:
        """The real path of what is no link itself; a folder's is found once for all of its files."""
        folder, _, name = path.rpartition("/")
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(folder or "/")
        return f"{self._real_folders[folder].rstrip('/')}/{name}"


def _kind(mode: int) -> str:
    """What something is that is not a regular file."""
    kinds = {S_ISDIR: "a folder", S_ISFIFO: "a FIFO", S_ISSOCK: "a socket", S_ISCHR: "a device", S_ISBLK: "a device"}
    return next((word for is_one, word in kinds.items() if is_one(mode)), "not a regular file")


def is_below(path: str, root: str) -> bool:
    """Whether a path is inside a root, by its letters."""
    return path.startswith(root.rstrip("/") + "/")


def why_not(error: OSError) -> str:
    """An error of the operating system as a reason."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "it is not there"
    return f"it cannot be read: {error.strerror or error}"
