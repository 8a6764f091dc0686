"""What is odd in a source and costs nothing, or one detail: counted, and the first of each kind named."""

from collections.abc import Iterator
from typing import Final

NAMED: Final = 5


class Oddities:
    """Counts oddities by what they are."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}
        self._names: dict[tuple[str, str], list[str]] = {}

    def add(self, kind: str, what: str, name: str) -> None:
        """Count one thing of a kind, such as `items`, of which `what` is to be said."""
        key = kind, what
        self._counts[key] = count = self._counts.get(key, 0) + 1
        if count <= NAMED:
            self._names.setdefault(key, []).append(name)

    def notes(self) -> Iterator[str]:
        """Give a sentence for each oddity, with the names of the first."""
        for (kind, what), count in sorted(self._counts.items()):
            names = ", ".join(self._names[kind, what]) + (", …" if count > NAMED else "")
            yield f"{count:,} of the {kind} {what} ({names})"
