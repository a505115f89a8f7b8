"""A set of a table's rows in a bit each, for walks over more of them than memory should hold."""

# A page of 8 kB holds at most 291 rows, numbered from 1.
ROWS_A_PAGE = 292
STEP = 65_536

Row = tuple[int, int]
"""Where a row stands (ctid): page and number. It stays there while one snapshot is open."""


class RowMarks:
    """Rows that were met: ten million entries take some thirty megabytes."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, row: Row) -> None:
        byte, bit = _place(row)
        if byte >= len(self._bits):
            self._bits.extend(bytes(byte - len(self._bits) + STEP))
        self._bits[byte] |= 1 << bit

    def __contains__(self, row: Row) -> bool:
        byte, bit = _place(row)
        return byte < len(self._bits) and bool(self._bits[byte] >> bit & 1)


def _place(row: Row) -> tuple[int, int]:
    return divmod(row[0] * ROWS_A_PAGE + row[1], 8)
