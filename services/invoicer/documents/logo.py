"""The venue's own logo and colour, made safe for a page."""

import base64
import re
import struct
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from runtime.vectors import opened, takes_in_more
from services.invoicer.documents.model import Logo

COLOUR = "#1f4e5f"
WIDTH_MM, HEIGHT_MM = 60.0, 20.0
MOST_PIXELS = 4_000_000
"""Unpacked it takes four bytes a pixel, however small it was packed."""

_PNG = b"\x89PNG\r\n\x1a\n"


def accent_colour(colour: str | None) -> str:
    """The venue's colour, dark enough that white text on it can be read (WCAG 2.1: 4.5 to 1)."""
    if colour is None or not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        return COLOUR
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    while _contrast_with_white(parts) < 4.5:
        parts = [part * 0.95 for part in parts]
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _contrast_with_white(parts: list[float]) -> float:
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def logo_data(logo: Logo) -> dict[str, Any] | None:
    """The logo as SVG text with its width in mm, fitted into 60 x 20 mm; None if it is no picture.

    A PNG is wrapped into an SVG, as only text can be handed to the template.
    """
    size = _png_size(logo.content) if logo.media_type == "image/png" else _svg_size(logo.content)
    if size is None or min(size) <= 0:
        return None
    width, height = size
    if logo.media_type == "image/png":
        link = "data:image/png;base64," + base64.b64encode(logo.content).decode()
        box = f'width="{width}" height="{height}"'
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" {box} viewBox="0 0 {width} {height}">'
            f"<image {box} href={quoteattr(link)}/></svg>"
        )
    else:
        svg = logo.content.decode("utf-8", errors="strict")
    scale = min(WIDTH_MM / width, HEIGHT_MM / height)
    return {"svg": svg, "width": round(width * scale, 3)}


def _png_size(content: bytes) -> tuple[float, float] | None:
    if not content.startswith(_PNG) or len(content) < 33:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return (width, height) if width * height <= MOST_PIXELS else None


def _svg_size(content: bytes) -> tuple[float, float] | None:
    """Of the view box, else of width and height, else what SVG readers take for it. None where it
    takes in more than itself: typst would look for that among our files."""
    root = opened(content)
    if root is None or etree.QName(root).localname != "svg" or takes_in_more(root):
        return None
    box = re.findall(r"[-+.\d]+(?:e[-+]?\d+)?", root.get("viewBox", ""))
    values = box[2:4] if len(box) == 4 else [root.get("width", "100"), root.get("height", "100")]
    numbers = [re.match(r"[\d.]+", value) for value in values]
    try:
        width, height = (float(number.group()) if number else 0.0 for number in numbers)
    except ValueError:
        return None
    return width, height
