"""Bulkheads: what waits for the same storage or destination, and fails or hangs with it."""

from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from models.destination import DestinationKind, DestinationLocation
from models.errors import Failed, FailureCode
from storage.sources.registry import as_uri

_MOUNTS: Final = Path("/proc/self/mountinfo")
_OCTAL: Final = {r"\040": " ", r"\011": "\t", r"\012": "\n", r"\134": "\\"}


class Bulkhead(NamedTuple):
    """A place that answers or hangs as one, and what it means when it does not answer."""

    key: str
    code: FailureCode = FailureCode.SOURCE_UNAVAILABLE

    @classmethod
    def of_source(cls, location: str) -> Self:
        """The bulkhead of a product's location: what is mounted there, for a mount hangs with all its products.

        Nothing of the storage is touched to find out. What lies on the machine's own disk stands for itself.
        """
        uri = as_uri(location)
        parts = urlsplit(uri)
        if parts.scheme.lower() != "file":
            return cls(f"{parts.scheme}://{parts.netloc}" if parts.netloc else uri)
        path = unquote(parts.path)
        return cls(_mount_of(path) or path)

    @classmethod
    def of_destination(cls, place: DestinationLocation, root: str | None) -> Self:
        """The bulkhead of a destination: what is mounted at its folder, else its root, or the server of its bucket."""
        code = FailureCode.DESTINATION_UNAVAILABLE
        if place.kind is DestinationKind.LOCAL:
            folder = place.folder or ""
            return cls(_mount_of(folder) or root or folder, code)
        return cls(place.endpoint or "https://s3.amazonaws.com", code)

    @property
    def name(self) -> str:
        """How it is called in sentences: customers are shown no paths."""
        noun = "storage" if self.code is FailureCode.SOURCE_UNAVAILABLE else "destination"
        return f"the {noun} {PurePosixPath(urlsplit(self.key).netloc or self.key).name}"

    def unavailable(self, text: str = "does not answer") -> Failed:
        """Return the failure of work that waited for it in vain."""
        return Failed(self.code, f"{self.name} {text}")


def _mount_of(path: str) -> str | None:
    """The mount point below the root that a path lies on, by the kernel's list; None where there is none."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    points = (_plain(line.split(" ")[4]) for line in lines)
    above = [point for point in points if point != "/" and (path == point or path.startswith(f"{point}/"))]
    return max(above, key=len, default=None)


def _plain(point: str) -> str:
    for escaped, character in _OCTAL.items():
        point = point.replace(escaped, character)
    return point
