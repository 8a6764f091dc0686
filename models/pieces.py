"""The pieces of large files: each has a hash of its own, so that a download tool can mend one without the others."""

from typing import Final, NamedTuple, Self

_MIN_FILE_BYTES: Final = 64 * 1024**2
"""A smaller file is fetched anew about as quickly as it is mended."""

_MIN_PIECE_BYTES: Final = 4 * 1024**2

_MAX_PIECES: Final = 16
"""As many hashes as fit into a row of the database without being moved out of it."""

_HASH_BYTES: Final = 32


class Pieces(NamedTuple):
    """The SHA-256 of each `length` bytes of a file and of what remains, as raw bytes one behind the other."""

    length: int
    hashes: bytes

    @classmethod
    def kept(cls, length: int | None, hashes: bytes | None) -> Self | None:
        """The pieces that two columns of a row hold; None where they hold none."""
        return None if length is None or hashes is None else cls(length, hashes)

    @property
    def each(self) -> list[bytes]:
        """The hash of each piece."""
        return [self.hashes[at : at + _HASH_BYTES] for at in range(0, len(self.hashes), _HASH_BYTES)]


def piece_length(size: int) -> int | None:
    """How long the pieces of a file of this size are, a power of two; None where it has none."""
    if size < _MIN_FILE_BYTES:
        return None
    length = _MIN_PIECE_BYTES
    while length * _MAX_PIECES < size:
        length *= 2
    return length
