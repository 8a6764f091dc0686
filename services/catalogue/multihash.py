"""Multihashes, the checksums of the STAC file extension: `<algorithm><length><digest>`, in hexadecimal.

Ours: the packages that read multihashes bring all hash functions with them, and only SHA-256 is compared here.
"""

from typing import Final, NamedTuple

from models.errors import Refusal

SHA2_256: Final = 0x12
_NAMES: Final = {
    0x11: "SHA-1",
    SHA2_256: "SHA-256",
    0x13: "SHA-512",
    0x14: "SHA3-512",
    0x16: "SHA3-256",
    0x1E: "BLAKE3",
    0xD5: "MD5",
    0xB220: "BLAKE2b-256",
    0xB240: "BLAKE2b-512",
}


class Multihash(NamedTuple):
    """A checksum and the name of what computed it."""

    algorithm: str
    digest: bytes

    @property
    def sha256(self) -> bytes | None:
        """The digest, if it is one that Consignor verifies."""
        return self.digest if self.algorithm == _NAMES[SHA2_256] else None


def parse_multihash(text: object) -> Multihash:
    """The checksum that a text holds; raises Refusal where it holds none."""
    try:
        raw = bytes.fromhex(text) if isinstance(text, str) else b""
        code, rest = _varint(raw)
        length, digest = _varint(rest)
    except (ValueError, IndexError):
        raise Refusal("its file:checksum is not a multihash") from None
    if len(digest) != length or (code == SHA2_256 and length != 32):
        raise Refusal("its file:checksum is a multihash of the wrong length")
    return Multihash(_NAMES.get(code, f"algorithm {code:#x}"), digest)


def _varint(raw: bytes) -> tuple[int, bytes]:
    value = shift = 0
    for index, byte in enumerate(raw[:9]):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, raw[index + 1 :]
        shift += 7
    raise ValueError("no end")
