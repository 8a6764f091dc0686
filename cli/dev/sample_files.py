"""The files of the sample archive: small, valid for their formats, and the same bytes on every machine."""

import struct
from binascii import crc32
from collections.abc import Iterator
from random import Random
from zlib import adler32

SIDE = 512
QUICKLOOK_SIDE = 64

# Up and down again, twice, so that a row of a picture can begin anywhere in the first half.
_WAVE = bytes(abs(x % 510 - 255) for x in range(1020))


def picture(random: Random) -> bytes:
    """Grey hills, SIDE by SIDE, one byte a pixel. `random()` is the only method whose sequence Python promises."""
    phase = int(random.random() * 510)
    rows = []
    for _ in range(SIDE):
        phase = (phase + int(random.random() * 7) - 3) % 510
        rows.append((_WAVE + _WAVE)[phase : phase + SIDE])
    return b"".join(rows)


def tiff(pixels: bytes) -> bytes:
    """A picture as a plain TIFF of one strip: the header, the pixels, the directory of tags."""
    short, long = 3, 4
    tags = (
        (256, long, SIDE),  # width
        (257, long, SIDE),  # height
        (258, short, 8),  # bits a sample
        (259, short, 1),  # not compressed
        (262, short, 1),  # zero is black
        (273, long, 8),  # where the pixels begin
        (277, short, 1),  # samples a pixel
        (278, long, SIDE),  # rows in the strip
        (279, long, len(pixels)),
    )
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = struct.pack("<2sHI", b"II", 42, 8 + len(pixels))
    return head + pixels + struct.pack("<H", len(tags)) + directory + bytes(4)


def png(pixels: bytes) -> bytes:
    """A picture made smaller as a PNG, stored uncompressed: deflate's bytes differ from one zlib to the next."""
    step = SIDE // QUICKLOOK_SIDE
    rows = (pixels[start : start + SIDE : step] for start in range(0, len(pixels), SIDE * step))
    raw = b"".join(b"\0" + row for row in rows)
    stored = b"\x78\x01\x01" + struct.pack("<HH", len(raw), len(raw) ^ 0xFFFF) + raw + struct.pack(">I", adler32(raw))
    header = struct.pack(">IIBBBBB", QUICKLOOK_SIDE, QUICKLOOK_SIDE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", stored) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc32(name + data))


def pdf(lines: list[str]) -> bytes:
    """One page of text as a PDF."""
    shown = " T* ".join(f"({line}) Tj" for line in lines)
    content = f"BT /F1 14 Tf 20 TL 60 780 Td {shown} ET".encode("ascii")
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        offsets.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(parts) + 1
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % count + table + end


def soundings(random: Random) -> Iterator[tuple[str, bytes]]:
    """The three tables of one balloon's flight."""
    pressure = 1013.0
    levels, winds = ["pressure_hpa,temperature_c,humidity_percent"], ["pressure_hpa,speed_m_s,direction_deg"]
    for _ in range(60):
        levels.append(f"{pressure:.1f},{pressure / 10 - 85 + 2 * random.random():.1f},{100 * random.random():.0f}")
        winds.append(f"{pressure:.1f},{40 * random.random():.1f},{360 * random.random():.0f}")
        pressure *= 0.94
    flight = ["key,value", f"balloon,{int(random.random() * 9000) + 1000}", f"ascent_m_s,{4 + 2 * random.random():.2f}"]
    for name, table in (("levels", levels), ("winds", winds), ("flight", flight)):
        yield name, ("\n".join(table) + "\n").encode("ascii")
