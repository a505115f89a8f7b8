"""A first look over the bytes of a sheet, before its XML is read: far quicker than reading it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_MERGED: Final = (b"mergeCell", "mergeCell".encode("utf-16-le"), "mergeCell".encode("utf-16-be"))
_CELLS: Final = (b"<c ", b":c ", b"<c>", b"<c/>", b":c>", b":c/>")
_OVERLAP: Final = 64
_FULL_ROW: Final = re.compile(
    rb"<(?:\w+:)?row(?:\s[^>]*)?(?<!/)>\s*<(?:\w+:)?c(?:\s[^>]*)?(?<!/)>\s*<(?:\w+:)?(?:v>[^<\s]|is>)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """`merged`: there may be merged cells; `rows`, `cells`: about so many such elements."""

    merged: bool
    rows: int
    cells: int


def glance(pieces: Iterable[bytes], most_cells: int) -> Glance:
    """Of the whole sheet, or of it as far as there are more than `most_cells`."""
    merged = False
    rows = cells = 0
    before = b""
    for piece in pieces:
        merged = merged or any(word in before + piece for word in _MERGED)
        rows += piece.count(b"row ") + piece.count(b"row>")
        cells += sum(piece.count(word) for word in _CELLS)
        if cells > most_cells:
            break
        before = piece[-_OVERLAP:]
    return Glance(merged=merged, rows=rows, cells=cells)


def has_more_full_rows(pieces: Iterable[bytes], than: int) -> bool:
    """Whether surely more rows than that begin with a cell that holds something."""
    count = 0
    for piece in pieces:
        count += len(_FULL_ROW.findall(piece))
        if count > than:
            return True
    return False
