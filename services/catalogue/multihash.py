"""Multihashes, the checksums of the STAC file extension: `<algorithm><length><digest>`, in hexadecimal.

Ours: the packages that read multihashes bring all hash functions with them, and only SHA-256 is compared here.
"""

import re
from typing import Final, NamedTuple

SHA2_256: Final = 0x12
_SHA256: Final = "SHA-256"
_NAMES: Final = {
    0x11: "SHA-1",
    SHA2_256: _SHA256,
    0x13: "SHA-512",
    0x14: "SHA3-512",
    0x16: "SHA3-256",
    0x1E: "BLAKE3",
    0xD5: "MD5",
    0xB220: "BLAKE2b-256",
    0xB240: "BLAKE2b-512",
}

# What `sha256sum` prints, with or without the name before it. No multihash has 32 bytes and an algorithm of ours.
_BARE_SHA256: Final = re.compile(r"(?:sha-?256[:=]\s*)?([0-9a-f]{64})", re.IGNORECASE)
_HEXADECIMAL: Final = re.compile(r"f?((?:[0-9a-f]{2})+)", re.IGNORECASE)
"""With or without the letter that multibase puts before hexadecimal."""


class Checksum(NamedTuple):
    """A checksum and the name of what computed it."""

    algorithm: str
    digest: bytes

    @property
    def sha256(self) -> bytes | None:
        """The digest, if it is one that Consignor verifies."""
        return self.digest if self.algorithm == _SHA256 else None


def parse_checksum(text: object) -> Checksum:
    """The checksum that a text holds: a multihash, or a bare SHA-256. Raises ValueError where it is neither."""
    if not isinstance(text, str):
        raise ValueError("not a text")  # noqa: TRY004 - text of a stranger, not a mistake of ours
    text = text.strip()
    if bare := _BARE_SHA256.fullmatch(text):
        return Checksum(_SHA256, bytes.fromhex(bare[1]))
    if not (found := _HEXADECIMAL.fullmatch(text)):
        raise ValueError("not hexadecimal")
    code, rest = _varint(bytes.fromhex(found[1]))
    length, digest = _varint(rest)
    if len(digest) != length or (code == SHA2_256 and length != 32):
        raise ValueError("of the wrong length")
    return Checksum(_NAMES.get(code, f"algorithm {code:#x}"), digest)


def _varint(raw: bytes) -> tuple[int, bytes]:
    value = shift = 0
    for index, byte in enumerate(raw[:9]):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, raw[index + 1 :]
        shift += 7
    raise ValueError("no end")
