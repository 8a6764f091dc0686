"""From the files of a sub-order to the members of its archive, as they are streamed."""

from collections.abc import Sequence

from models.packaging import PackedFile, delivered
from storage.places import source_at
from storage.source import FileVersion
from storage.virtual import Member


def members_of(location: str, files: Sequence[PackedFile]) -> list[Member]:
    """Where the bytes of each entry come from, numbered as the entries of `layout_of`."""
    source = source_at(location)
    return [Member(source, f.href, FileVersion(f.size_bytes, f.modified_ns)) for f in delivered(files)]
