"""Reads a plain folder: one object for each file at its top, and for each sub-folder with all files below it."""

import re
from typing import Final
from unicodedata import normalize

from models.errors import Refusal, SourceUnreadable
from services.catalogue.folder_walk import Seen, walk
from services.catalogue.source_contents import FoundProduct, Looked, Unseen, media_type_of, unstorable, untold
from services.catalogue.tree import SourceTree

_NOT_IN_SKU: Final = re.compile(r"[^a-z0-9._]+")


def slug(name: str) -> str:
    """A name as a SKU that can be typed: `Winter Scenes 2024` → `winter-scenes-2024`; may be empty."""
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_SKU.sub("-", plain).strip("-._")[:100]


def read_directory(root: str, *, hidden: bool = False, looked: Looked = untold) -> FoundProduct:
    """The one product of a folder; what is hidden at its top is taken only if that is wanted."""
    tree = SourceTree(root)
    name = tree.root.rpartition("/")[2]
    product = FoundProduct(sku=slug(name), name=name, location=tree.root, source=tree.root)

    def refuse(href: str, why: Refusal) -> None:
        product.refuse(href, why, *([] if _is_left_out(href, hidden=hidden) else [Unseen.below(href)]))

    try:
        for seen in walk(tree, "", refuse, hidden=hidden):
            _add(product, seen)
            looked()
    except SourceUnreadable as unreadable:
        raise Refusal(f"{tree.root}: {unreadable}") from unreadable
    for object_name in product.empty_folders.keys() - {file.object_name for file in product.files}:
        product.refuse(f"{object_name}/", "no file is in it, and an object has at least one")
    return product


def _is_left_out(href: str, *, hidden: bool) -> bool:
    """Whether an entry is left out for its name, so that nothing known of it stays."""
    return bool(unstorable(href)) or (href.startswith(".") and not hidden and "/" not in href)


def _add(product: FoundProduct, seen: Seen) -> None:
    object_name, _, rest = seen.href.partition("/")
    if seen.stat is None:
        if seen.is_bare and seen.href:
            product.empty.append(seen.href.rstrip("/"))
        if object_name:
            product.empty_folders.setdefault(object_name, [])
        if rest:
            product.empty_folders[object_name].append(rest)
        return
    name = rest or object_name
    try:
        product.files.append(product.file(object_name, name, seen.href, seen.stat, media_type_of(name)))
    except Refusal as refusal:
        product.refuse(seen.href, refusal, Unseen.below(seen.href))
