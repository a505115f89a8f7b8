"""QR symbols: segno's, of which most are added up from those before.

Of two texts of one length each module of the symbol that differs does so because certain bits
differ, whatever the others are: error correction is linear (ISO/IEC 18004, 7.5: Reed and Solomon's)
and one mask turns the same modules each time. So where a text is an odd number of earlier ones
added up (exclusive or), its symbol is theirs added up. What a venue's invoices ask differs in a few
digits, and nearly all of it is known after some thirty.
"""

from functools import lru_cache
from math import isqrt

import segno

MASK = 2
_LENGTHS, _MOST_OF_ONE = 32, 256  # of texts that are remembered: some 4 MB if all were full


def symbol(text: str) -> tuple[int, str]:
    """How many modules a side has, and all of them row by row, "1" for a dark one.

    Level M. What is more than ASCII goes as UTF-8 and the symbol says so (ECI 26): else it would be
    Latin-1, and scanners guess (zbar: Café, Caf矇).

    The mask is always the same: to find the best of eight takes longer than all the rest of a page,
    and scanners read each (7.8: the mask is written in the symbol).
    """
    content = text.encode()
    known = _known(text.isascii(), len(content))
    # A bit before the text, and one before the symbol, that only an odd number of them leaves.
    rest, drawn = int.from_bytes(b"\1" + content), 0
    while rest:
        before = known.get(rest.bit_length())
        if before is None:
            whole = int("1" + _by_segno(text), 2)
            if len(known) >= _MOST_OF_ONE:
                known.clear()
            known[rest.bit_length()] = rest, whole ^ drawn
            drawn = whole
            break
        rest ^= before[0]
        drawn ^= before[1]
    modules = f"{drawn:b}"[1:]
    return isqrt(len(modules)), modules


@lru_cache(_LENGTHS)
def _known(ascii_only: bool, length: int) -> dict[int, tuple[int, int]]:
    """Sums of texts with those of their symbols, each with a first bit of its own."""
    return {}


def _by_segno(text: str) -> str:
    code = segno.make(
        text,
        error="m",
        mode="byte",
        encoding="utf-8",
        eci=not text.isascii(),
        micro=False,
        boost_error=False,
        mask=MASK,
    )
    return "".join(row.hex()[1::2] for row in code.matrix)
