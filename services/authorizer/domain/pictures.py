"""Whether a picture can be drawn: a logo that can't would be missing from invoices unseen."""

from __future__ import annotations

import re
import struct
import zlib
from typing import Final

from lxml import etree

from runtime.vectors import opened, takes_in_more

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_HEAD: Final = 33  # bytes of the signature and its first chunk, IHDR
MOST_PIXELS: Final = 4_000_000
"""More are not drawn: unpacked a picture takes four bytes a pixel."""
_ABOVE_ZERO: Final = re.compile(r"\+?0*(?:\.0*)?[1-9]")
"""How such a number begins. In one way only: it may have two hundred thousand digits, and whoever
tries each way to part them holds up the worker for minutes."""


def wrong(picture: bytes) -> str | None:
    """None, or what is wrong, in words that follow the field's name."""
    if picture.startswith(_PNG):
        return _wrong_png(picture)
    start = picture[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")):
        return _wrong_svg(picture)
    return "is neither a PNG nor an SVG"


def _wrong_png(picture: bytes) -> str | None:
    """Chunk by chunk to its end (ISO/IEC 15948, 5.3): each has its length, name, content, CRC."""
    if len(picture) < _HEAD or picture[12:16] != b"IHDR":
        return "is not a whole PNG"
    width, height = struct.unpack(">II", picture[16:24])
    if not 0 < width * height <= MOST_PIXELS:
        return f"has {width} x {height} pixels; a logo has at most {MOST_PIXELS // 10**6} million"
    at = len(_PNG)
    while at + 12 <= len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        end = at + 8 + length
        if picture[end : end + 4] != struct.pack(">I", zlib.crc32(picture[at + 4 : end])):
            break
        if picture[at + 4 : at + 8] == b"IEND":
            return None
        at = end + 4
    return "is not a whole PNG: it was cut off or damaged"


def _wrong_svg(picture: bytes) -> str | None:
    root = opened(picture)
    if root is None:
        return "is not an SVG that can be read (XML, in UTF-8)"
    if etree.QName(root).localname != "svg":
        return "is neither a PNG nor an SVG"
    if takes_in_more(root):
        return "is an SVG that takes in another file: embed what it shows (as data:...;base64)"
    box = re.findall(r"[-+.\d]+(?:e[-+]?\d+)?", root.get("viewBox", ""))
    sides = box[2:4] if len(box) == 4 else [root.get("width", "100"), root.get("height", "100")]
    if not all(_ABOVE_ZERO.match(side) for side in sides):
        return "is an SVG that says it has no size: give it a viewBox, or width and height"
    return None
