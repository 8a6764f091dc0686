"""The assets of one object as they were found: files, and folders with all that is below them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from services.catalogue.source_contents import FoundFile
from services.catalogue.tree import is_below


class EmptyFolder(NamedTuple):
    """A folder that no file is in: its name in the object, and its absolute path; both end in `/`."""

    name: str
    path: str


@dataclass
class FoundAssets:
    """Files by their absolute paths, those that are assets themselves and those below folders that are."""

    files: dict[str, FoundFile] = field(default_factory=dict)
    below: dict[str, list[FoundFile]] = field(default_factory=dict)
    empty: dict[str, None] = field(default_factory=dict)

    def named(self) -> Iterator[FoundFile]:
        """Give each file once: described by the innermost asset it belongs to, and named from the outermost one on."""
        files = dict(self.files)
        for folder in sorted(self.below, key=len, reverse=True):
            for file in self.below[folder]:
                files.setdefault(file.href, file)
        for path, file in files.items():
            yield file._replace(name=self._name(path))

    def empty_folders(self) -> list[EmptyFolder]:
        """Give each empty folder once."""
        return [EmptyFolder(self._name(path), path) for path in self.empty]

    def _name(self, path: str) -> str:
        """The path from the outermost asset on: its last component, and what is below that."""
        asset = min((folder for folder in self.below if is_below(path, folder)), key=len, default=path)
        return path[len(asset.rpartition("/")[0]) + 1 :]
