"""Names that are written with commas between them, though one of them may hold a comma itself."""

from collections.abc import Iterator, Sequence
from typing import Final

MAX_PIECES: Final = 8
"""Of how many pieces between commas a name is put together at most."""


def possible_names(pieces: Sequence[str]) -> list[str]:
    """The names that may be meant: each piece, and neighbours with the comma between them."""
    return list(dict.fromkeys(",".join(run) for run in _runs(pieces)))


def names_meant(pieces: Sequence[str], known: frozenset[str]) -> list[str]:
    """The known names that are meant: pieces that are names, then those that a piece which is none belongs to."""
    meant = (run for run in _runs(pieces) if len(run) == 1 or not known.issuperset(run))
    return [name for name in dict.fromkeys(map(",".join, meant)) if name in known]


def _runs(pieces: Sequence[str]) -> Iterator[Sequence[str]]:
    for length in range(1, MAX_PIECES + 1):
        for begin in range(len(pieces) - length + 1):
            yield pieces[begin : begin + length]
