"""What a number's format makes of it: a date, digits with noughts in front, or something else."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.importer.domain.currencies import currency_in, is_foreign
from services.importer.workbook.bounds import Unfit
from services.importer.workbook.markup import elements

MOST: Final = 70_000
"""Cell formats of a workbook; Excel itself allows 65,490."""

_DATES: Final = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
"""Built-in formats that are dates or times, somewhere in the world (ECMA-376, 18.8.30)."""

_OF_WHO_READS: Final = frozenset(("5", "6", "7", "8", "41", "42", "43", "44"))
"""Built-in amounts: Excel shows them in the currency of who opens the file, whatever is said of
them there."""

_WORDS: Final = frozenset({"", "@", "general", "standaard", "standard"})
_LITERAL: Final = re.compile(r'"([^"]*)"|\\(.)|[_*].')
_BRACKETS: Final = re.compile(r"\[(?!h+\]|m+\]|s+\])[^\]]*\]", re.IGNORECASE)
_UNIT: Final = re.compile(r"\[\$([^\]-]+)")
"""The currency of a number (18.8.31), where it is not only a locale as in [$-413]."""
_DATE: Final = re.compile(r"[dmhys]", re.IGNORECASE)
_ELAPSED: Final = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_SCALED: Final = re.compile(r"[0#?],+(?![0#?,])")
"""A comma behind the last digit leaves out three digits: 1250 is shown as 1 (18.8.31)."""
_NOUGHTS: Final = re.compile(r"0{2,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a number is shown, where that is not simply as a number.

    `padded`: with noughts in front, `digits` of them in all; `spaced`: the same, with other
    characters in between; `masked`: with digits that are not in the number, as a percentage, or in
    thousands; `money`: as an amount in the currency `unit`.
    """

    kind: Literal["date", "time", "elapsed", "padded", "spaced", "masked", "money"]
    digits: int = 0
    unit: str = ""


def format_of(code: str) -> Format | None:
    """What a format's code means for positive numbers; None: nothing that matters."""
    section = code.partition(";")[0]
    units = _UNIT.findall(section)
    code = _BRACKETS.sub("", section)
    if code.strip().casefold() in _WORDS:
        return None
    literals = ["".join(pair) for pair in _LITERAL.findall(code)]
    bare = _LITERAL.sub("", code)
    if _DATE.search(bare):
        if _ELAPSED.search(bare):
            return Format(kind="elapsed")
        return Format(kind="date" if re.search(r"[dy]", bare, re.IGNORECASE) else "time")
    if (
        "%" in bare
        or _SCALED.search(bare)
        or any(re.search(r"\d", literal) for literal in literals)
    ):
        return Format(kind="masked")
    if unit := _money(units, [*literals, bare]):
        return Format(kind="money", unit=unit)
    noughts = re.sub(r"[-/() ]", "", bare)
    if not _NOUGHTS.fullmatch(noughts):
        return None
    plainly = noughts == bare and not any(literals)
    return Format(kind="padded" if plainly else "spaced", digits=len(noughts))


def _money(units: Sequence[str], texts: Sequence[str]) -> str:
    """What a format writes beside the number where that is a currency; empty where it is not."""
    named = [unit.strip() for unit in units] or [currency_in(text) for text in texts]
    return next((name[:10] for name in named if name), "")


def formats_of(pieces: Iterator[bytes], currency: str | None) -> list[Format | None]:
    """The format of each cell style (xf of cellXfs) of a styles part.

    Amounts in `currency` are numbers like others; None: those in any.
    """
    codes: dict[str, str] = {}
    found: list[str] = []
    part = ""

    def seen(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal part
        if name == "xf" and part == "cellXfs":
            found.append(attributes.get("numFmtId", "0"))
            if len(found) > MOST:
                raise Unfit("too_demanding")
        elif name == "numFmt" and part == "numFmts":
            # Those in dxfs are of tables and conditions, and give numbers of their own to what they
            # use: 14, which is a date in every cell, may be a percentage there.
            codes.setdefault(attributes.get("numFmtId", ""), attributes.get("formatCode", "")[:300])
        elif name in ("numFmts", "cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            part = name

    elements(pieces, seen)
    meant: dict[str, Format | None] = {}
    for number in found:
        if number not in meant:
            meant[number] = _own(_format_of(number, codes), currency)
    return [meant[number] for number in found]


def _own(shown_as: Format | None, currency: str | None) -> Format | None:
    if shown_as is None or shown_as.kind != "money":
        return shown_as
    own = currency is None or (
        currency_in(shown_as.unit) and not is_foreign(shown_as.unit, currency)
    )
    return None if own else shown_as


def _format_of(number: str, codes: Mapping[str, str]) -> Format | None:
    if number in codes and number not in _OF_WHO_READS:
        return format_of(codes[number])
    if number in ("9", "10"):
        return Format(kind="masked")  # 0% and 0.00%
    if not (number.isascii() and number.isdigit() and len(number) <= 4):
        return None
    known = int(number)
    if known in _DATES:
        kind: Literal["date", "time"] = "time" if known in (18, 19, 20, 21, 45, 46, 47) else "date"
        return Format(kind=kind)
    return None


_LAST_DAY: Final = 2_958_466  # 31 December 9999


def date_text(serial: float, shown_as: Format, *, from_1904: bool) -> str:
    """A date or time as ISO 8601 has it; the bare number where no calendar has that day."""
    seconds = round(serial * 86_400) if abs(serial) < _LAST_DAY else -1
    if seconds < 0:
        return f"{serial:.15g}"
    days, rest = divmod(seconds, 86_400)
    hours, minutes = divmod(rest // 60, 60)
    if shown_as.kind == "elapsed":
        return f"{days * 24 + hours}:{minutes:02}:{rest % 60:02}"
    clock = f"{hours:02}:{minutes:02}:{rest % 60:02}"
    if days == 0 and not from_1904:
        return clock
    if days == 60 and not from_1904:
        day = "1900-02-29"  # which Excel believes in, as Lotus 1-2-3 did
    else:
        begin = dt.date(1904, 1, 1) if from_1904 else dt.date(1899, 12, 30 + (days < 60))
        if days > (dt.date.max - begin).days:
            return f"{serial:.15g}"
        day = str(begin + dt.timedelta(days=days))
    return day if rest == 0 else f"{day} {clock}"
