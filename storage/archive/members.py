"""The members of an archive: where each gets its bytes when the archive is streamed."""

from collections.abc import Sequence

from models.packaging import PackedFile, delivered
from storage.archive.virtual import Member
from storage.sources.protocol import FileVersion, Source


def members_of(source: Source, files: Sequence[PackedFile]) -> list[Member]:
    """Return where the bytes of each entry come from, in the order of the entries of `layout_of`."""
    return [Member(source, f.href, FileVersion.dated(f.size_bytes, f.modified_ns, f.etag)) for f in delivered(files)]
