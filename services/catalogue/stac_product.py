"""One product of a STAC catalogue while it is read: its objects, their assets, and where all of it lies."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from models.errors import Refusal
from models.text import is_printable
from services.catalogue.multihash import parse_multihash
from services.catalogue.source_contents import FoundFile, FoundProduct, media_type_of, unstorable
from services.catalogue.stac_metadata import description_of, extent_of
from services.catalogue.tree import Located, SourceTree, is_below

MAX_WORDS_CHARACTERS: Final = 10_000
_QUICKLOOKS: Final = frozenset({"thumbnail", "overview"})


class StacProduct:
    """A collection, or the outermost catalogue where items are in no collection."""

    def __init__(self, tree: SourceTree, sku: str, words: Mapping[str, Any], path: str) -> None:
        self._tree = tree
        self._folder = path.rpartition("/")[0]
        self._real_folder = tree.look(path).real.rpartition("/")[0]
        self._all_in_folder = True
        self._objects: dict[str, str] = {}
        self._other_checksums: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._same_files = 0
        title = _words(words.get("title"))
        self.found = FoundProduct(
            sku=sku,
            name=title or sku,
            location="",
            titled=title is not None,
            description=_words(words.get("description")),
            license=_words(words.get("license")),
            extent=extent_of(words.get("extent")),
        )

    def add_object(self, name: str, assets: object, path: str, item: Mapping[str, Any] | None = None) -> None:
        """One more object with all of its assets, and what its item says; raises Refusal where there are none."""
        if name in self._objects:
            raise Refusal(f"{self._objects[name]} is called {name} too")
        if not isinstance(assets, Mapping) or not assets:
            raise Refusal("it has no assets")
        self._objects[name] = path.removeprefix(f"{self._tree.root}/")
        files: dict[str, FoundFile] = {}
        folder = path.rpartition("/")[0]
        for key, asset in assets.items():
            try:
                file = self._file(name, asset, folder)
            except Refusal as refusal:
                self.found.refuse(f"{name}/{key}", str(refusal))
            else:
                self._same_files += file.href in files
                files.setdefault(file.href, file)
        self.found.files.extend(files.values())
        if files and item is not None:
            self.found.objects[name] = description_of(item, self._faults)

    def _file(self, object_name: str, asset: object, folder: str) -> FoundFile:
        """The file of an asset; its href stays absolute until the product's location is known."""
        href = asset.get("href") if isinstance(asset, dict) else None
        if not isinstance(asset, dict) or not isinstance(href, str) or not href:
            raise Refusal("it has no href")
        located = self._tree.locate(folder, href)
        _check_size(asset.get("file:size"), located)
        self._all_in_folder &= is_below(located.path, self._folder) and is_below(located.real, self._real_folder)
        name = located.path.rpartition("/")[2]
        return FoundFile(
            object_name,
            name,
            located.path,
            located.stat.st_size,
            _media_type(asset.get("type"), name),
            _kind(asset.get("roles")),
            located.stat.st_mtime_ns,
            self._sha256(asset.get("file:checksum")),
        )

    def _sha256(self, checksum: object) -> bytes | None:
        if checksum is None:
            return None
        found = parse_multihash(checksum)
        if found.sha256 is None:
            self._other_checksums[found.algorithm] += 1
        return found.sha256

    def finished(self) -> FoundProduct:
        """The product with its location: the collection's own folder if everything is there, else the source's."""
        location = self._folder if self._all_in_folder else self._tree.root
        # The name of a file is its last component, unless two of an object share it: then all of its path.
        taken = Counter((file.object_name, file.name) for file in self.found.files)
        start = len(location.rstrip("/")) + 1
        for index, file in enumerate(self.found.files):
            href = file.href[start:]
            name = file.name if taken[file.object_name, file.name] == 1 else href
            self.found.files[index] = file._replace(name=name, href=href)
        self.found.location = location
        self.found.notes.extend(self._notes())
        return self.found

    def _notes(self) -> list[str]:
        notes = [
            f"{count} of the checksums are {algorithm}: not verified, only SHA-256 is"
            for algorithm, count in sorted(self._other_checksums.items())
        ]
        notes += [f"{count} of the items {fault}" for fault, count in sorted(self._faults.items())]
        if self._same_files:
            notes.append(f"{self._same_files} of the assets name a file that another asset of the item names too")
        return notes


def _words(said: object) -> str | None:
    """A text of the source, if it is one; as much of it as a page holds."""
    return (
        said.strip()[:MAX_WORDS_CHARACTERS] if isinstance(said, str) and said.strip() and not unstorable(said) else None
    )


def _check_size(said: object, located: Located) -> None:
    if said is None:
        return
    if not isinstance(said, int) or isinstance(said, bool):
        raise Refusal("its file:size is not a whole number")
    if said != located.stat.st_size:
        raise Refusal(f"its file:size says {said} bytes, the file has {located.stat.st_size}")


def _media_type(said: Any, name: str) -> str:
    return said if isinstance(said, str) and said and said.isascii() and is_printable(said) else media_type_of(name)


def _kind(roles: Any) -> str:
    """An asset of several roles is what matters most to its customer."""
    found = {role for role in roles if isinstance(role, str)} if isinstance(roles, list) else set()
    if "data" in found:
        return "data"
    if found & _QUICKLOOKS:
        return "quicklook"
    return "metadata" if "metadata" in found else "data"
