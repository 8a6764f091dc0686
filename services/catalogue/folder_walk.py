"""Walks a folder of a source: every file below it, hidden ones too, and every folder that none is in."""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from models.errors import Refusal, SourceUnreadable
from services.catalogue.source_contents import unstorable
from services.catalogue.tree import SourceTree, why_not

Refuse = Callable[[str, Refusal], None]
"""Is told what is left out and why, by its path in the tree; a folder's path ends in `/`."""

_HIDDEN = "it is hidden, and so not taken from the top of a source; --hidden takes it"


class Seen(NamedTuple):
    """A file by its path in the tree, or, without a `stat`, a folder that no file is in, whose path ends in `/`.

    `real` says where a symbolic link leads. `is_bare`: the folder has nothing at all.
    """

    href: str
    stat: os.stat_result | None = None
    real: str | None = None
    is_bare: bool = False


def walk(tree: SourceTree, top: str, refuse: Refuse, *, hidden: bool = True) -> Iterator[Seen]:
    """Give what is below a folder, in the order of names, so that two imports mint ids alike.

    The folder is given by its path in the tree with a `/` behind it, the tree itself by an empty one. Without `hidden`
    what is hidden at the top is left out. Raises SourceUnreadable if the folder itself cannot be listed.
    """
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            entries = _entries(tree, folder)
        except SourceUnreadable as unreadable:
            if folder == top:
                raise
            refuse(folder, unreadable)
            continue
        inner, is_empty = list[str](), True
        for entry in entries:
            href = f"{folder}{entry.name}"
            try:
                if entry.name.startswith(".") and folder == top and not hidden:
                    raise Refusal(_HIDDEN)
                if why := unstorable(entry.name):
                    raise Refusal(why)
                if entry.is_dir(follow_symlinks=False):
                    inner.append(f"{href}/")
                    continue
                yield _file(tree, entry, href)
                is_empty = False
            except Refusal as refusal:
                # What nobody could look at may be a file; a folder whose entries are left out is delivered empty.
                is_empty &= not isinstance(refusal, SourceUnreadable)
                refuse(href, refusal)
        folders.extend(reversed(inner))
        if is_empty and not inner:
            yield Seen(folder, is_bare=not entries)


def _entries(tree: SourceTree, folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(f"{tree.root.rstrip('/')}/{folder}") as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise SourceUnreadable(why_not(error)) from error


def _file(tree: SourceTree, entry: os.DirEntry[str], href: str) -> Seen:
    try:
        # What is a file without following links cannot lead out: its folders were not links either.
        if entry.is_file(follow_symlinks=False):
            return Seen(href, entry.stat(follow_symlinks=False))
    except OSError as error:
        raise SourceUnreadable(why_not(error)) from error
    found = tree.look(entry.path)
    return Seen(href, found.stat, found.real)
