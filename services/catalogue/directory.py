"""Reads a plain folder: one object for each file at its top, and for each sub-folder with all files below it."""

import os
import re
from collections.abc import Iterator
from typing import Final
from unicodedata import normalize

from models.errors import Refusal
from services.catalogue.source_contents import FoundProduct, Unreadable, Unseen, media_type_of, unstorable
from services.catalogue.tree import SourceTree, why_not

_NOT_IN_SKU: Final = re.compile(r"[^a-z0-9._]+")


def slug(name: str) -> str:
    """A name as a SKU that can be typed: `Winter Scenes 2024` → `winter-scenes-2024`; may be empty."""
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_SKU.sub("-", plain).strip("-._")[:100]


def read_directory(root: str) -> FoundProduct:
    """The one product of a folder."""
    tree = SourceTree(root)
    name = tree.root.rpartition("/")[2]
    product = FoundProduct(sku=slug(name), name=name, location=tree.root, source=tree.root)
    folders = [""]
    while folders:
        folder = folders.pop()
        inner = []
        for entry in _entries(tree, folder, product):
            href = f"{folder}{entry.name}"
            if why := _unwanted(entry):
                product.refuse(href, why)
            elif entry.is_dir(follow_symlinks=False):
                inner.append(f"{href}/")
            else:
                _add(product, tree, entry, href)
        folders.extend(reversed(inner))
    return product


def _entries(tree: SourceTree, folder: str, product: FoundProduct) -> Iterator[os.DirEntry[str]]:
    """What a folder holds, in the order of names, so that two imports mint ids alike."""
    try:
        with os.scandir(f"{tree.root}/{folder}") as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        if not folder:
            raise Refusal(f"{tree.root}: {why_not(error)}") from error
        product.refuse(folder, Unreadable(why_not(error)), Unseen.below(folder))
        return
    if folder and not found:
        product.empty.append(folder.rstrip("/"))
    yield from found


def _unwanted(entry: os.DirEntry[str]) -> str | None:
    if entry.name.startswith("."):
        return "it is hidden"
    return unstorable(entry.name)


def _add(product: FoundProduct, tree: SourceTree, entry: os.DirEntry[str], href: str) -> None:
    try:
        # What is a file without following links cannot lead out: its folders were not links either.
        plain = entry.is_file(follow_symlinks=False)
        stat = entry.stat(follow_symlinks=False) if plain else tree.look(entry.path).stat
        object_name, _, rest = href.partition("/")
        name = rest or object_name
        product.files.append(product.file(object_name, name, href, stat, media_type_of(name)))
    except Refusal as refusal:
        product.refuse(href, refusal, Unseen.below(href))
    except OSError as error:
        product.refuse(href, Unreadable(why_not(error)), Unseen.below(href))
