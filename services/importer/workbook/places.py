"""Where a cell stands: B12 is column 1 (from 0) of row 12."""

from __future__ import annotations

from typing import Final

from services.importer.workbook.bounds import Unfit

LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384


class _Columns(dict[str, int]):
    """Letters -> column, worked out once each."""

    def __missing__(self, letters: str) -> int:
        number = 0
        for letter in letters:
            if not "A" <= letter <= "Z":
                raise Unfit("unreadable")
            number = number * 26 + ord(letter) - 64
            if number > LAST_COLUMN:
                raise Unfit("unreadable")
        if number == 0:
            raise Unfit("unreadable")
        self[letters] = number - 1
        return number - 1


_columns = _Columns()


def column_of(letters: str) -> int:
    """Raises Unfit for what is no column of a sheet (A to XFD)."""
    return _columns[letters]


def letters_of(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def row_of(text: str | None, last: int) -> int:
    """A row's number as its `r` says; the next after `last` where it says nothing.

    Rows go up and never come twice, as Excel itself demands: anything else is Unfit.
    """
    if text is None:
        number = last + 1
    elif text.isascii() and text.isdigit() and len(text) <= 7:
        number = int(text)
    else:
        raise Unfit("unreadable")
    if not last < number <= LAST_ROW:
        raise Unfit("unreadable")
    return number


def cell_column(reference: str | None, row: str, last: int) -> int:
    """A cell's column as its `r` says; the next after `last` where it says nothing."""
    if reference is None:
        column = last + 1
    elif reference.endswith(row):
        column = _columns[reference[: -len(row)]]
    else:
        raise Unfit("unreadable")
    if not last < column < LAST_COLUMN:
        raise Unfit("unreadable")
    return column
