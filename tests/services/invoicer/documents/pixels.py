"""Reading the pictures that typst makes, without an image library."""

import struct
import zlib


def pixels(content: bytes) -> tuple[int, list[bytes]]:
    """Width and rows of brightness of a PNG as typst makes it (8-bit RGBA)."""
    width, height = struct.unpack(">II", content[16:24])
    data, at = b"", 8
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        if content[at + 4 : at + 8] == b"IDAT":
            data += content[at + 8 : at + 8 + size]
        at += size + 12
    raw, step, rows = zlib.decompress(data), width * 4, []
    above = bytearray(step)
    for y in range(height):
        start = y * (step + 1)
        above = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + step]), above)
        rows.append(bytes(min(above[x : x + 3]) for x in range(0, step, 4)))
    return width, rows


def _unfiltered(kind: int, row: bytearray, above: bytearray) -> bytearray:
    """One row of a PNG with its filter (RFC 2083, part 6) taken off."""
    for i in range(len(row)):
        a = row[i - 4] if i >= 4 else 0
        b, c = above[i], above[i - 4] if i >= 4 else 0
        p = a + b - c
        paeth = min((a, b, c), key=lambda value: abs(p - value))
        row[i] = (row[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 0xFF
    return row
