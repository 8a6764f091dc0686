"""The names of what is downloaded: members of an archive, the archive itself, and the header that carries a name.

A member's name must extract anywhere and hide nothing: it stays inside its folder, is legal on Windows, and differs
from every other name also where case and Unicode form do not count, since extractors lose or merge twins silently.
"""

import re
from collections.abc import Iterable
from string import Formatter
from typing import Final
from unicodedata import normalize
from urllib.parse import quote

RESERVED_NAMES: Final = ("manifest.json", "SHA256SUMS", "NOTICE.txt")
"""What Consignor itself puts at the top of an archive; an ordered object may not take these names."""

MAX_COMPONENT_BYTES: Final = 255
MAX_NAME_BYTES: Final = 1024
"""Folders inside an object that would take a name beyond this are left out, innermost first."""

_SLACK: Final = 16

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_ ()+=,-]*(?:\.[A-Za-z0-9_()+=,-]+)*")
_ILLEGAL: Final = re.compile(
    '[\x00-\x1f\x7f-\x9f<>:"|?*\\\\/\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]'
)
"""Control characters, what Windows forbids, separators, marks that turn the direction of a name, lone surrogates."""

_INVISIBLE: Final = re.compile("[\xad\u034f\u200b-\u200d\u2060-\u2064\ufe00-\ufe0f]")
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\..*)?", re.IGNORECASE | re.DOTALL
)
_PARTS: Final = re.compile(r"(.+?)((?:\.tar)?\.[^. ]{1,32})?", re.DOTALL | re.IGNORECASE)


def entry_names(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """The names in an archive of (object, file) pairs, in the same order: `<object>/<file>`, clean and unique.

    Files of one object share one folder, files of two objects never do. A file's name may have folders of its own.
    """
    return file_and_folder_names(pairs, ())[0]


def file_and_folder_names(
    files: Iterable[tuple[str, str]], folders: Iterable[tuple[str, str]]
) -> tuple[list[str], list[str]]:
    """The same, and the names of folders in that archive, which end in `/`; two spellings of one have one name."""
    names = _Names()
    return [names.add(obj, file) for obj, file in files], [names.add_folder(obj, folder) for obj, folder in folders]


class _Names:
    """The names given so far. Keys are names as a file system without case would compare them."""

    def __init__(self) -> None:
        self._taken: set[str] = {_key(name) for name in RESERVED_NAMES}
        self._objects: dict[str, str] = {}
        self._folders: dict[tuple[str, str], str] = {}
        self._tries: dict[str, int] = {}

    def add(self, obj: str, file: str) -> str:
        """The name of one more file."""
        *middle, last = _components(file)
        return self._claim(self._inside(obj, middle) + "/", last)

    def add_folder(self, obj: str, name: str) -> str:
        """The name of a folder, whether it has files or not."""
        return self._inside(obj, _components(name)) + "/"

    def _inside(self, obj: str, components: Iterable[str]) -> str:
        """A folder of an object, by its components from the outside in."""
        folder = self._objects.get(obj)
        if folder is None:
            folder = self._objects[obj] = self._claim("", clean_component(obj))
        for component in components:
            if len(folder.encode()) + len(component.encode()) + MAX_COMPONENT_BYTES + _SLACK > MAX_NAME_BYTES:
                break
            folder = self._folder(folder, component)
        return folder

    def _folder(self, parent: str, name: str) -> str:
        """A folder inside an object; spellings that differ only in case are one folder, the first one's."""
        wish = (parent, _key(name))
        if wish not in self._folders:
            self._folders[wish] = self._claim(parent + "/", name)
        return self._folders[wish]

    def _claim(self, prefix: str, name: str) -> str:
        """The name behind its prefix, with the first free number if it is taken."""
        found = prefix + name
        wish = key = _key(found)
        while key in self._taken:
            count = self._tries[wish] = self._tries.get(wish, 0) + 1
            found = prefix + numbered_name(name, count)
            key = _key(found)
        self._taken.add(key)
        return found


def _key(name: str) -> str:
    """The name as the least discerning file system compares it: no case, one Unicode form, nothing invisible."""
    if name.isascii():
        return name.lower()
    return normalize("NFC", _INVISIBLE.sub("", normalize("NFC", name).casefold()))


def _components(file: str) -> list[str]:
    """The clean components of a file's name; empty, `.` and `..` ones only lead elsewhere and are dropped."""
    if "/" not in file:
        return [clean_component(file)]
    return [clean_component(part) for part in file.split("/") if part not in {"", ".", ".."}] or ["_"]


def clean_component(name: str) -> str:
    """One component of a path that every file system takes; what is not allowed becomes `_`."""
    if not _PLAIN.fullmatch(name):
        name = normalize("NFC", _ILLEGAL.sub("_", name))
    name = _cut(name).rstrip(". ") or "_"
    return _cut(f"_{name}").rstrip(". ") if _DEVICE.fullmatch(name) else name


def numbered_name(name: str, count: int) -> str:
    """`scene.tif` → `scene (1).tif`, within the length a component may have."""
    return _cut(name, f" ({count})")


def _cut(name: str, tail: str = "") -> str:
    """The name with a tail before its extension, the stem shortened where the whole would be too long."""
    if not tail and len(name) * 4 <= MAX_COMPONENT_BYTES:
        return name
    found = _PARTS.fullmatch(name)
    stem, extension = (found[1], found[2] or "") if found else (name, "")
    room = MAX_COMPONENT_BYTES - len((tail + extension).encode())
    raw = stem.encode()
    if len(raw) > room:
        stem = raw[:room].decode(errors="ignore")
    return stem + tail + extension


DEFAULT_ARCHIVE_FILENAME: Final = "{number}_{label}_{suborder}.zip"
ARCHIVE_FILENAME_FIELDS: Final = frozenset({"number", "label", "suborder"})


def archive_filename(number: str, label: str, suborder: int, template: str = DEFAULT_ARCHIVE_FILENAME) -> str:
    """What a downloaded archive is called, as in `CO-2026-000042_winter-scenes_1.zip`; plain ASCII for every shell."""
    name = template.format(number=_slug(number), label=_slug(label), suborder=suborder)
    # A label of which nothing is left leaves two separators behind.
    return clean_component(re.sub(r"([_-])\1+", r"\1", name))


def check_archive_filename(template: str) -> str:
    """The template, if every archive gets a name of its own by it. Raises ValueError with the remedy."""
    try:
        parts = [part[1:] for part in Formatter().parse(template) if part[1] is not None]
    except ValueError:
        parts = []
    fields = {name for name, _, _ in parts}
    plain = not any(spec or conversion for _, spec, conversion in parts)
    if not (plain and {"number", "suborder"} <= fields <= ARCHIVE_FILENAME_FIELDS):
        raise ValueError("give {number} and {suborder}, and {label} if you like: no two archives may share a name")
    if not re.fullmatch(r"[A-Za-z0-9_{][A-Za-z0-9_.+{}-]*\.zip", template):
        raise ValueError("use letters, digits, `_`, `-`, `.` and `+`, and end with .zip")
    return template


def _slug(text: str) -> str:
    ascii_only = normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.]+", "-", ascii_only)[:80].strip("-.")


def content_disposition(filename: str) -> str:
    """The Content-Disposition of a download (RFC 6266): a plain name for old clients and the true one encoded."""
    name = clean_component(filename.replace("\\", "/").rsplit("/", 1)[-1])
    # NFKD turns a full-width quotation mark into one that would end the value, so clean again after it.
    plain = _ILLEGAL.sub("_", _ACCENTS.sub("", normalize("NFKD", name)))
    plain = re.sub(r"[^ -~]+|%", "_", plain)
    header = f'attachment; filename="{plain}"'
    if plain == name:
        return header
    return f"{header}; filename*=UTF-8''{quote(name, safe='!#$&+^`|~')}"
