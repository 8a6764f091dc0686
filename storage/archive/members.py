"""From the files of a sub-order to the members of its archive, as they are streamed."""

from collections.abc import Sequence

from models.packaging import PackedFile, delivered
from storage.archive.virtual import Member
from storage.sources.protocol import FileVersion, Source


def members_of(source: Source, files: Sequence[PackedFile]) -> list[Member]:
    """Where the bytes of each entry come from, numbered as the entries of `layout_of`."""
    return [Member(source, f.href, FileVersion.dated(f.size_bytes, f.modified_ns)) for f in delivered(files)]
