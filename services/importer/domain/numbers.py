"""Cells that hold the number of something: an account, how many of them, a company in its register.

As in cells.py, every function gives the exact value or a Refusal.
"""

from __future__ import annotations

import re
from typing import Final

from services.importer.domain.cells import (
    DAMAGED_FROM,
    ERRORS,
    REFUSED,
    Cell,
    clean,
    odd,
    text_of,
)
from services.importer.domain.refusals import Refusal

_SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+")
_WHOLE = re.compile(r"\d+")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_DUTCH_IBAN = re.compile(r"NL[0-9]{2}[A-Z]{4}[0-9]{10}")
_KEPT_AS_TEXT = re.compile(r"['`\u2019]\d+")
"""With the apostrophe that keeps a number as text in Excel, which a program wrote into the cell."""
_WHOLE_WITH_POINT = re.compile(r"(\d+)[.,]0{1,2}")
_NUMBERS = re.compile(r"\d{5,}")
_SPACES = " .'\u2019-"
_NO_NUMBER: Final = frozenset(
    {"0", "ja", "nee", "yes", "no", "nieuw", "new", "volgt", "nog geen", "nog niet", "aanvragen"}
    | {"ntb", "n.t.b.", "nnb", "n.n.b.", "tbd", "tba", "nog te bepalen", "nog onbekend"}
)
"""What stands where there is no number yet, or says that there is one."""


def account_of(cell: Cell, *, at_most: int) -> str | Refusal | None:
    """An account number exactly as it was meant: text, 28900001 or 28900001.0.

    Refused: numbers of more than 15 digits (Excel has damaged them), fractions, 0 and less, text
    in scientific notation, in which digits may be lost, several numbers in one cell, words for
    none or for one to come, and the numbers of bank accounts, which lists call "Rekeningnummer"
    too.
    """
    found = _number_of(cell, at_most=at_most)
    if not isinstance(found, str) or (found.isdigit() and found != "0"):
        return found  # nearly all cells
    if found.casefold() in _NO_NUMBER:
        return Refusal(code="not_an_account")
    if isinstance(cell, str) and _are_several(cell, found):
        return Refusal(code="several_accounts")
    return found


def _number_of(cell: Cell, *, at_most: int) -> str | Refusal | None:
    if isinstance(cell, str):
        text = clean(cell)
        if _SCIENTIFIC.fullmatch(text):
            return Refusal(code="scientific")
        if whole := _WHOLE_WITH_POINT.fullmatch(text):
            text = whole[1]
        if _is_iban(text):
            return Refusal(code="is_iban")
        if text.upper() in ERRORS:
            return REFUSED["error"]
        if _KEPT_AS_TEXT.fullmatch(text):
            return Refusal(code="not_an_account")
        if len(text) > at_most:
            return Refusal(code="too_long", at_most=at_most)
        return text or None
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if abs(cell) >= DAMAGED_FROM:
            return Refusal(code="damaged_number")
        if cell < 0 or cell != int(cell):
            return Refusal(code="not_an_account")
        return str(int(cell))
    return text_of(cell, at_most=at_most)


def _are_several(cell: str, text: str) -> bool:
    """Whether a cell has more than one number: of as many digits, and five at least, with more
    between them than what spaces one number out."""
    numbers = _NUMBERS.findall(text)
    if len(numbers) < 2 or len({len(number) for number in numbers}) > 1:
        return False
    between = _NUMBERS.split(text)[1:-1]
    return "\n" in cell or any(part.strip(_SPACES) for part in between)


def _is_iban(text: str) -> bool:
    """A bank account's number by its check digits (ISO 13616), or by its shape a Dutch one."""
    if not text[:2].isalpha():
        return False
    bare = re.sub("[ .]", "", text).upper()
    if _DUTCH_IBAN.fullmatch(bare):
        return True
    if not _IBAN.fullmatch(bare):
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


def count_of(cell: Cell, *, at_most: int) -> int | Refusal | None:
    """A number of accounts: a whole number from 0 to `at_most`."""
    digits = _number_of(cell, at_most=20)
    if digits is None:
        return None
    if isinstance(digits, Refusal):
        return odd(cell) or Refusal(code="not_a_count", at_most=at_most)
    if not _WHOLE.fullmatch(digits) or int(digits) > at_most:
        return Refusal(code="not_a_count", at_most=at_most)
    return int(digits)


_CHAMBER = re.compile(r"\d{8}(?:\d{4})?")


def chamber_of(cell: Cell, *, at_most: int, country: str | None) -> str | Refusal | None:
    """A chamber of commerce number; in the Netherlands 8 digits, or 12 with those of a branch as
    they once stood behind it.

    A number cell cannot hold the leading noughts of 01234567, so they are put back there.
    """
    text = text_of(cell, at_most=at_most)
    if text is None or isinstance(text, Refusal):
        return text
    if country not in (None, "NL"):
        return text
    digits = re.sub(r"[ .\-]", "", re.sub(r"^(kvk|k\.v\.k\.)[ :-]*", "", text, flags=re.I))
    if isinstance(cell, int | float):
        digits = digits.zfill(12 if len(digits) == 11 else 8)
    return digits if _CHAMBER.fullmatch(digits) else Refusal(code="not_a_chamber_number")
