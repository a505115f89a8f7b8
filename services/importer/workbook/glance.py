"""A first look over the bytes of a sheet, before its XML is read: far quicker than reading it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_MERGED: Final = b"mergeCell"
_MERGED_WIDE: Final = ("mergeCell".encode("utf-16-le"), "mergeCell".encode("utf-16-be"))
_OVERLAP: Final = 32
_FULL_ROW: Final = re.compile(
    rb"<(?:\w+:)?row(?:\s[^>]*)?(?<!/)>\s*<(?:\w+:)?c(?:\s[^>]*)?(?<!/)>\s*<(?:\w+:)?(?:v>[^<\s]|is>)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """`merged`: there may be merged cells; `rows`, `cells`: about so many such elements, of rows
    those that do not close themselves."""

    merged: bool
    rows: int
    cells: int


def glance(pieces: Iterable[bytes], most_cells: int) -> Glance:
    """Of the whole sheet, or of it as far as there are more than `most_cells`."""
    merged = False
    rows = cells = 0
    before = b""
    words = None
    for piece in pieces:
        # Each word is a pass over all the bytes of a file: no more of them than must be.
        words = words or ((_MERGED,) if 0 not in piece[:4] else _MERGED_WIDE)
        merged = merged or any(w in piece or w in before + piece[:_OVERLAP] for w in words)
        rows += piece.count(b"row>")
        cells += piece.count(b"<c")
        if b":" in piece:
            cells += piece.count(b":c ") + piece.count(b":c>") + piece.count(b":c/>")
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
