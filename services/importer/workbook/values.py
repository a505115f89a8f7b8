"""One cell as its XML has it -> as domain.cells has it: exact, or Odd with what is odd about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from services.importer.domain.cells import DAMAGED_FROM, Cell, Odd
from services.importer.workbook.bounds import Unfit
from services.importer.workbook.formats import Format, date_text
from services.importer.workbook.lines import MAX_CELL
from services.importer.workbook.strings import plain

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,4})?", re.ASCII)
_CUT: Final = re.compile(r"-?(\d+)(?:\.(\d+))?[eE]\+?(\d{1,4})", re.ASCII)
_JAVA: Final = re.compile(r"-?\d\.\d+E[1-9]\d*", re.ASCII)
MOST_DIGITS: Final = 60
"""Characters of a number; a double needs no more than 24."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What cells refer to: shared strings, formats by cell style, and the workbook's calendar.

    `never_computed`: the writer stored nothing worth having for formulas (it left that to Excel).
    """

    string: Callable[[int], str]
    formats: Sequence[Format | None]
    dates_from_1904: bool
    never_computed: bool

    def read(self, kind: str, raw: str | None, style: str, formula: str | None) -> Cell:
        """The cell of type `kind` (ST_CellType) whose stored value is `raw`; None: it has none."""
        if kind == "n":
            return self._number(raw, style, formula)
        if raw is None:
            return Odd(kind="formula", text=formula) if formula else None
        match kind:
            case "s":
                return self.shared(raw)
            case "str" | "inlineStr":
                return _text(plain(raw))
            case "b":
                return _BOOLEANS.get(raw.strip(), Odd(kind="error", text=raw[:MAX_CELL]))
            case "d":
                return Odd(kind="date", text=raw[:MAX_CELL])
        return Odd(kind="error", text=raw[:MAX_CELL])

    def shared(self, raw: str) -> Cell:
        """A cell of type s, whose value is the index of its string."""
        if not raw.isdecimal():
            raw = raw.strip()
        if not raw:
            return None
        if not (raw.isdecimal() and len(raw) <= 9):
            raise Unfit("unreadable")
        text = self.string(int(raw))
        return text if len(text) <= MAX_CELL else Odd(kind="long", text=text[:MAX_CELL])

    def _number(self, raw: str | None, style: str, formula: str | None) -> Cell:
        raw = raw.strip() if raw else ""
        if not raw:
            return Odd(kind="formula", text=formula) if formula else None
        if formula and self.never_computed and raw in ("0", "0.0"):
            return Odd(kind="formula", text=formula)
        if len(raw) <= 15 and raw.isascii() and raw.isdigit():
            value: int | float = int(raw)
        elif len(raw) > MOST_DIGITS or not _NUMBER.fullmatch(raw):
            return Odd(kind="error" if len(raw) <= MOST_DIGITS else "number", text=raw[:MAX_CELL])
        else:
            value = float(raw) if not raw.lstrip("-").isdigit() else int(raw)
            if abs(value) >= DAMAGED_FROM:
                return Odd(kind="number", text=raw)
            if _is_cut(raw):
                return Odd(kind="shortened", text=raw)
        if not self.formats:
            return value
        shown_as = self._format(style)
        return value if shown_as is None else self._as_shown(value, shown_as)

    def _format(self, style: str) -> Format | None:
        index = int(style) if style.isascii() and style.isdigit() and len(style) <= 6 else -1
        if not 0 <= index < len(self.formats):
            raise Unfit("unreadable")
        return self.formats[index]

    def _as_shown(self, value: int | float, shown_as: Format) -> Cell:
        match shown_as.kind:
            case "date" | "time" | "elapsed":
                text = date_text(value, shown_as, from_1904=self.dates_from_1904)
                return Odd(kind="date", text=text)
            case "masked":
                return Odd(kind="masked", text=f"{value:.15g}")
            case "money":
                return Odd(kind="money", text=f"{shown_as.unit} {value:.15g}")
        if value < 0 or value != int(value):
            return value
        digits = str(int(value))
        if len(digits) >= shown_as.digits:
            return int(digits)
        kind = "padded" if shown_as.kind == "padded" else "masked"
        return Odd(kind=kind, text=digits.zfill(shown_as.digits))  # type: ignore[arg-type]


_BOOLEANS: Final[dict[str, Cell]] = {"1": True, "0": False, "true": True, "false": False}


def _text(text: str) -> Cell:
    return text if len(text) <= MAX_CELL else Odd(kind="long", text=text[:MAX_CELL])


def _is_cut(raw: str) -> bool:
    """Whether digits before the point are missing: 2.89e+07 may have been 28900001 once.

    Java (and so Google Sheets) writes every number from ten million up like 2.89E7, with as many
    digits as it takes; nobody else writes it so, and there nothing is lost.
    """
    found = _CUT.fullmatch(raw)
    if found is None or _JAVA.fullmatch(raw):
        return False
    return len(found[2] or "") < int(found[3])
