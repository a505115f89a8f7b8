"""A venue's logo in words: the authorizer took it, so it is a picture (its domain/pictures.py)."""

from __future__ import annotations

import base64
import struct

_PNG = b"\x89PNG\r\n\x1a\n"


def logo_told(logo: str | None) -> str:
    """Its kind and size; or what stands in its place."""
    if not logo:
        return "none: documents bear the name"
    picture = base64.b64decode(logo)
    size = f"{len(picture):,} bytes"
    if picture.startswith(_PNG) and len(picture) >= 24:
        width, height = struct.unpack(">II", picture[16:24])
        return f"PNG, {width:,} x {height:,} pixels, {size}"
    return f"SVG, {size}"
