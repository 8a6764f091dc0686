"""One product of a STAC catalogue while it is read: its objects, their assets, and where all of it lies."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from models.errors import Refusal, SourceUnreadable
from models.text import fits_header, shown
from services.catalogue.folder_walk import walk
from services.catalogue.hrefs import is_of_the_web
from services.catalogue.multihash import parse_checksum
from services.catalogue.oddities import Oddities
from services.catalogue.source_contents import (
    FoundFile,
    FoundProduct,
    Unseen,
    check_file_name,
    is_storable,
    media_type_of,
)
from services.catalogue.stac_assets import EmptyFolder, FoundAssets
from services.catalogue.stac_metadata import description_of, extent_of
from services.catalogue.tree import Located, SourceTree, is_below

MAX_WORDS_CHARACTERS: Final = 10_000
MAX_TYPE_CHARACTERS: Final = 200
_QUICKLOOKS: Final = frozenset({"thumbnail", "overview"})
_DIGITS: Final = re.compile(r"\s*[0-9]{1,20}\s*", re.ASCII)
_CHECKSUMS: Final = ("file:checksum", "checksum:multihash")
"""The second is that of STAC before 1.0."""

_REMEDY: Final = (
    "{count:,} of the references lead to the web, as in a catalogue that was saved as ABSOLUTE_PUBLISHED, and only"
    " files of this disk are imported: save it with relative references beside its files, as pystac does with"
    " catalog.make_all_asset_hrefs_relative() and catalog.save('SELF_CONTAINED', dest_href=FOLDER), and import that"
)


class StacProduct:
    """A collection, or the outermost catalogue where items are in no collection."""

    def __init__(
        self,
        tree: SourceTree,
        sku: str,
        raw: Mapping[str, Any],
        path: str,
        *,
        is_collection: bool,
        real_folder: str | None = None,
    ) -> None:
        """Begin with the document at a path; one that is no file of this disk comes with the folder of its files."""
        self._tree = tree
        self._folder = path.rpartition("/")[0]
        self._is_static = real_folder is None
        self._real_folder = real_folder or tree.look(path).real.rpartition("/")[0]
        self._all_in_folder = True
        self._objects: dict[str, str] = {}
        self._own_assets: tuple[object, str] | None = None
        self._other_checksums: Counter[str] = Counter()
        self._same_files = 0
        self._unseen_below: list[str] = []
        self._bare: list[str] = []
        self._empty: dict[str, list[EmptyFolder]] = {}
        self._web = 0
        self.is_collection = is_collection
        odd: list[str] = []
        title, description, license_ = (self._words(raw, name, odd) for name in ("title", "description", "license"))
        extent = extent_of(raw.get("extent"))
        if is_collection:
            odd += [] if license_ else ["no license"]
            odd += [] if extent.oddity is None else [extent.oddity]
        self.found = FoundProduct(
            sku=sku,
            name=title or sku,
            location="",
            titled=title is not None,
            description=description,
            license=license_,
            extent=extent.kept,
            document=path,
        )
        if odd:
            self.note(path, f"has {', '.join(odd)}")

    @staticmethod
    def _words(raw: Mapping[str, Any], name: str, odd: list[str]) -> str | None:
        """A text of the source, if it is one; as much of it as a page holds."""
        said = raw.get(name)
        if said is None or said == "":
            return None
        if not isinstance(said, str) or not is_storable(said):
            odd.append(f"a {name} that is no text")
            return None
        return said.strip()[:MAX_WORDS_CHARACTERS] or None

    @property
    def oddities(self) -> Oddities:
        """What is odd about the product."""
        return self.found.oddities

    def note(self, path: str, what: str) -> None:
        """Say what is odd about one of its documents."""
        self.found.notes.append(shown(f"{self._name_of(path)} {what}"))

    def refuse(self, path: str, why: str | Refusal, *places: Unseen) -> None:
        """Refuse one of its documents; what is known of these places stays."""
        self.found.refuse(self._name_of(path), why, *places)

    def refuse_reference(self, name: str, href: object, why: str | Refusal, *places: Unseen) -> None:
        """Refuse what a reference leads to; what is known of these places stays."""
        self._web += isinstance(href, str) and is_of_the_web(href)
        self.found.refuse(name, why, *places)

    def seen_from_here(self, path: str) -> str:
        """A path as the product's own folder sees it."""
        inside = is_below(path, self._folder)
        return path[len(self._folder.rstrip("/")) + 1 :] if inside else os.path.relpath(path, self._folder)

    def _places(self, object_name: str, asset: object, folder: str) -> Iterator[Unseen]:
        """Where the file of a refused asset was; nowhere if its href leads out, for then it is another."""
        href = asset.get("href") if isinstance(asset, dict) else None
        if not isinstance(href, str) or not href:
            yield Unseen.asset(object_name)
            return
        for path in self._tree.meant(folder, href):
            self._unseen_below.append(path)
            yield Unseen.asset(object_name, path.rpartition("/")[2])

    def _name_of(self, path: str) -> str:
        return path.removeprefix(f"{self._tree.root.rstrip('/')}/")

    def keep_own_assets(self, assets: object, path: str) -> None:
        """Remember the assets of the collection itself; they become an object when all of its items are known."""
        if isinstance(assets, Mapping) and assets:
            self._own_assets = assets, path
        elif assets not in (None, {}, []):
            self.note(path, "has assets that are no JSON object: left out")
            self.found.unseen.add(Unseen.asset(self.found.sku))

    def add_object(self, name: str, assets: object, path: str, item: Mapping[str, Any] | None = None) -> None:
        """One more object with all of its assets, and what its item says; raises Refusal where there are none."""
        if name in self._objects:
            raise Refusal(f"{self._objects[name]} is called {name} too")
        if not isinstance(assets, Mapping) or not assets:
            raise Refusal("it has no assets")
        found = FoundAssets()
        folder = path.rpartition("/")[0]
        for key, asset in assets.items():
            try:
                self._same_files += self._find(name, key, asset, folder, found)
            except Refusal as refusal:
                href = asset.get("href") if isinstance(asset, dict) else None
                self.refuse_reference(f"{name}/{key}", href, refusal, *self._places(name, asset, folder))
        if not (files := list(found.named())):
            if found.empty:
                self.found.refuse(name, "no file is in its folders, and an object has at least one")
            return
        self._objects[name] = self._name_of(path)
        self.found.documents[name] = self.seen_from_here(path)
        self.found.files.extend(files)
        if found.empty:
            self._empty[name] = found.empty_folders()
        if item is not None:
            odd: set[str] = set()
            self.found.objects[name] = description_of(item, odd)
            for what in odd:
                self.oddities.add("items", what, shown(name))

    def _find(self, object_name: str, key: str, asset: object, folder: str, found: FoundAssets) -> bool:
        """Add the file of an asset, or all files of one that is a folder; whether a file was there already."""
        href = asset.get("href") if isinstance(asset, dict) else None
        if not isinstance(asset, dict) or not isinstance(href, str) or not href:
            raise Refusal("it has no href")
        path = self._tree.find(folder, href)
        if (real := self._tree.real_folder(path)) is not None:
            self._all_in_folder &= is_below(path, self._folder) and is_below(real, self._real_folder)
            self._walk(object_name, key, asset, path, found)
            return False
        file = self._file(object_name, key, asset, self._tree.look(path))
        if file.href in found.files:
            return True
        found.files[file.href] = file
        return False

    def _walk(self, object_name: str, key: str, asset: Mapping[str, Any], path: str, found: FoundAssets) -> None:
        """Add all that is below a folder; what STAC says of type, size and checksum is said of single files."""
        root, kind, files = self._tree.root.rstrip("/"), _kind(asset.get("roles")), list[FoundFile]()

        def refuse(href: str, why: Refusal) -> None:
            self.found.refuse(f"{object_name}/{key}: {href}", why)
            if isinstance(why, SourceUnreadable):
                self._unseen_below.append(f"{root}/{href}".rstrip("/"))

        for seen in walk(self._tree, f"{path[len(root) + 1 :]}/".removeprefix("/"), refuse):
            absolute = f"{root}/{seen.href}"
            if seen.stat is None:
                found.empty[absolute] = None
                if seen.is_bare:
                    self._bare.append(absolute.rstrip("/"))
                continue
            self._all_in_folder &= seen.real is None or is_below(seen.real, self._real_folder)
            name = absolute.rpartition("/")[2]
            try:
                file = self.found.file(object_name, name, absolute, seen.stat, media_type_of(name), kind)
            except Refusal as refusal:
                refuse(seen.href, refusal)
            else:
                files.append(file)
        found.below[path] = files
        if any(asset.get(name) is not None for name in ("file:size", *_CHECKSUMS)):
            what = "are folders with a file:size or file:checksum: not compared"
            self.oddities.add("assets", what, shown(f"{object_name}/{key}"))

    def _file(self, object_name: str, key: str, asset: Mapping[str, Any], located: Located) -> FoundFile:
        """The file of an asset; its href stays absolute until the product's location is known."""
        self._check_size(asset.get("file:size"), located, f"{object_name}/{key}")
        self._all_in_folder &= is_below(located.path, self._folder) and is_below(located.real, self._real_folder)
        name = located.path.rpartition("/")[2]
        media_type = _media_type(asset.get("type"), name)
        file = self.found.file(object_name, name, located.path, located.stat, media_type, _kind(asset.get("roles")))
        return file._replace(sha256=self._sha256(asset, f"{object_name}/{key}"))

    def _check_size(self, said: Any, located: Located, asset: str) -> None:
        if said is None:
            return
        if (size := _whole_number(said)) is None:
            self.oddities.add("assets", "have a file:size that is no number of bytes: not compared", shown(asset))
        elif size != located.stat.st_size:
            raise Refusal(f"its file:size says {size} bytes, the file has {located.stat.st_size}")

    def _sha256(self, asset: Mapping[str, Any], name: str) -> bytes | None:
        said = next((found for key in _CHECKSUMS if (found := asset.get(key)) is not None), None)
        if said is None:
            return None
        try:
            found = parse_checksum(said)
        except ValueError:
            what = "have a file:checksum that is neither a multihash in hexadecimal nor a SHA-256: not verified"
            self.oddities.add("assets", what, shown(name))
            return None
        if found.sha256 is None:
            self._other_checksums[found.algorithm] += 1
        return found.sha256

    def finished(self) -> FoundProduct:
        """The product with its location: the collection's own folder if everything is there, else the source's."""
        self._add_own_assets()
        location = self._folder if self._all_in_folder else self._tree.root
        # The name of an asset is its last component, unless two of an object share it: then all of its path.
        assets: dict[tuple[str, str], set[str]] = defaultdict(set)
        for file in self.found.files:
            assets[_asset_of(file)].add(file.href.removesuffix(file.name))
        start = len(location.rstrip("/")) + 1
        files, self.found.files = self.found.files, []
        for file in files:
            href = file.href[start:]
            name = file.name if len(assets[_asset_of(file)]) == 1 else href
            try:
                check_file_name(name)
            except Refusal as refusal:
                self.found.refuse(href, refusal, Unseen.asset(file.object_name, href.rpartition("/")[2]))
            else:
                self.found.files.append(file._replace(name=name, href=href))
        below = [path[start:] for path in self._unseen_below if is_below(path, location)]
        self.found.unseen.update(map(Unseen.below, below))
        self.found.empty += [path[start:] for path in self._bare if is_below(path, location)]
        for name, empty in self._empty.items():
            self.found.empty_folders[name] = [
                folder.name if len(assets[name, folder.name.partition("/")[0]]) < 2 else folder.path[start:]
                for folder in empty
            ]
        self.found.location = location
        self.found.notes.extend(self._notes())
        return self.found

    def _add_own_assets(self) -> None:
        if self._own_assets is None:
            return
        assets, path = self._own_assets
        name = self.found.sku
        if name in self._objects:
            name = f"{name} (collection)"
            self.note(path, f"has assets, and an item of its own name: they are the object {name}")
        try:
            others = bool(self._objects or self.found.unseen)
            self.add_object(name, assets, path)
            # Without any items they are not beside what can be ordered, they are it.
            self.found.own_object = name if others else None
        except Refusal as refusal:
            self.refuse(path, refusal, Unseen.asset(name))

    def _notes(self) -> list[str]:
        notes = [
            f"{count} of the checksums are {algorithm}: not verified, only SHA-256 is"
            for algorithm, count in sorted(self._other_checksums.items())
        ]
        if self._same_files:
            notes.append(f"{self._same_files} of the assets name a file that another asset of the item names too")
        if self._is_static and self._web > len(self.found.files):
            notes.append(_REMEDY.format(count=self._web))
        return notes


def _asset_of(file: FoundFile) -> tuple[str, str]:
    """The object and the last component of the asset that a file is, or is below."""
    return file.object_name, file.name.partition("/")[0]


def _whole_number(said: Any) -> int | None:
    """A whole number, which many write as a text or with a point."""
    if isinstance(said, str) and _DIGITS.fullmatch(said):
        return int(said)
    if isinstance(said, float) and said.is_integer():
        return int(said)
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def _media_type(said: Any, name: str) -> str:
    if isinstance(said, str) and 0 < len(said) <= MAX_TYPE_CHARACTERS and fits_header(said):
        return said
    return media_type_of(name)


def _kind(roles: Any) -> str:
    """An asset of several roles is what matters most to its customer."""
    found = {role for role in roles if isinstance(role, str)} if isinstance(roles, list) else set()
    if "data" in found:
        return "data"
    if found & _QUICKLOOKS:
        return "quicklook"
    return "metadata" if "metadata" in found else "data"
