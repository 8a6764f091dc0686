"""The pieces of large files: few, long, and of a length that download tools can take."""

from datetime import UTC, datetime

import pytest

from models.metalink import Head, LinkedFile, Metalink
from models.pieces import Pieces, piece_length

NOW = datetime(2026, 11, 28, tzinfo=UTC)

MIB = 1024**2


@pytest.mark.parametrize("size", [64 * MIB, 64 * MIB + 1, 1024 * MIB, 1024 * MIB + 1, 3 * 1024**4 + 7])
def test_a_large_file_has_at_most_sixteen_pieces_of_a_power_of_two(size: int) -> None:
    length = piece_length(size)
    assert length is not None
    assert length >= 4 * MIB
    assert length & (length - 1) == 0
    assert 8 < -(-size // length) <= 16


def test_a_smaller_file_has_none() -> None:
    assert piece_length(64 * MIB - 1) is None


def test_a_metalink_shows_pieces_where_there_are_some() -> None:
    whole = LinkedFile("a.tif", 7, b"h" * 32, "https://a.example/a.tif")
    cut = whole._replace(pieces=Pieces(4, b"1" * 32 + b"2" * 32))
    document = Metalink(4, Head("Consignor", NOW, "https://a.example", "CO-1"))
    hashes = f"<hash>{'31' * 32}</hash><hash>{'32' * 32}</hash>"
    assert f'<pieces length="4" type="sha-256">{hashes}</pieces>'.encode() in document.entries([cut])
    assert b"<pieces" not in document.entries([whole])
