"""The PDF as a reader sees it: drawn by pdfium, which has nothing to do with who made it."""

import struct
import zlib
from dataclasses import dataclass

import pypdfium2
import zxingcpp

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page in grey: one byte a pixel, row by row, 0 is black."""

    width: int
    height: int
    pixels: bytes

    def png(self) -> bytes:
        """As a PNG without filters, so that `from_png` needs no picture library."""
        rows = (
            b"\0" + self.pixels[y * self.width : (y + 1) * self.width] for y in range(self.height)
        )
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 0, 0, 0, 0)
        data = zlib.compress(b"".join(rows), 9)
        return _PNG + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")

    @staticmethod
    def from_png(content: bytes) -> "Picture":
        """What `png` made."""
        width, height = struct.unpack(">II", content[16:24])
        data, at = b"", 8
        while at < len(content):
            (size,) = struct.unpack(">I", content[at : at + 4])
            if content[at + 4 : at + 8] == b"IDAT":
                data += content[at + 8 : at + 8 + size]
            at += size + 12
        raw, step = zlib.decompress(data), width + 1
        return Picture(
            width, height, b"".join(raw[y * step + 1 : (y + 1) * step] for y in range(height))
        )

    def differs(self, other: "Picture", *, by: int = 48) -> float:
        """The share of pixels whose brightness differs by more than that; 1 for other sizes."""
        if (self.width, self.height) != (other.width, other.height):
            return 1.0
        if self.pixels == other.pixels:
            return 0.0
        apart = sum(abs(a - b) > by for a, b in zip(self.pixels, other.pixels, strict=True))
        return apart / len(self.pixels)

    def codes(self) -> list[str]:
        """What a bank's app reads: the text of each QR code on it."""
        image = memoryview(self.pixels).cast("B", (self.height, self.width))
        return [code.text for code in zxingcpp.read_barcodes(image)]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def drawn(pdf: bytes, dots_per_inch: int) -> list[Picture]:
    """Each page as a picture."""
    pictures = []
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            bitmap = page.render(scale=dots_per_inch / 72, grayscale=True)
            whole = bytes(memoryview(bitmap.buffer).cast("B"))
            rows = (
                whole[y * bitmap.stride : y * bitmap.stride + bitmap.width]
                for y in range(bitmap.height)
            )
            pictures.append(Picture(bitmap.width, bitmap.height, b"".join(rows)))
    return pictures


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter where it stands, in mm from the page's lower left."""

    text: str
    left: float
    bottom: float
    right: float
    top: float

    def covered(self, other: "Letter") -> float:
        """Which share of the smaller of the two lies over the other."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.top, other.top) - max(self.bottom, other.bottom)
        if wide <= 0 or high <= 0:
            return 0.0
        return wide * high / min(self.area, other.area)

    @property
    def area(self) -> float:
        return max(1e-6, (self.right - self.left) * (self.top - self.bottom))


def letters(pdf: bytes) -> list[list[Letter]]:
    """The letters and digits of each page."""
    pages = []
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            text = page.get_textpage()
            whole = text.get_text_range()
            pages.append(
                [
                    Letter(c, *(edge / 72 * 25.4 for edge in text.get_charbox(n)))
                    for n, c in enumerate(whole[: text.count_chars()])
                    if c.isalnum()
                ]
            )
    return pages


def one_over_another(page: list[Letter]) -> list[tuple[Letter, Letter]]:
    """Pairs of letters of which one hides a good part of the other; not those of a ligature,
    which stand in one box."""
    found, near = [], sorted(page, key=lambda letter: letter.left)
    for n, letter in enumerate(near):
        for other in near[n + 1 :]:
            if other.left >= letter.right:
                break
            ligature = (letter.left, letter.right) == (other.left, other.right)
            if not ligature and letter.covered(other) > 0.3:
                found.append((letter, other))
    return found
