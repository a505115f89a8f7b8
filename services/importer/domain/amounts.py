"""Amounts as people write them in Dutch and English, exact in minor units or refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Literal

from services.importer.domain.cells import DAMAGED_FROM, Cell, Odd, clean, odd
from services.importer.domain.currencies import is_foreign, without_marks
from services.importer.domain.refusals import Refusal

Style = Literal["dutch", "english"]
"""dutch: 1.250,00; english: 1,250.00."""

MOST: Final = 9_999_999_999
"""The largest limit that a workbook may set, in minor units: more is a slip of the keyboard."""

NO_LIMIT: Final = "no limit"
"""What an amount's cell says that holds a word for "no limit"."""

_NO_LIMIT = frozenset(
    {"onbeperkt", "ongelimiteerd", "onbegrensd", "geen", "geen limiet", "zonder limiet"}
    | {"geen maximum", "zonder maximum", "none", "no limit", "unlimited", "without limit", "∞"}
    | {"no maximum"}
)
_NO_CENTS = re.compile(r"[.,]\s?[-–—=]{1,2}$")
_LESS_THAN_NOTHING = re.compile(r"[-–−] ?\d[\d.,]*|\d[\d.,]* ?[-–−]|\( ?\d[\d.,]* ?\)")
"""With its sign in front or behind, or in brackets as bookkeepers write it. A dash is no amount."""
_SPACED = re.compile(r"^\d{1,3}( \d{3})+([.,]\d{1,2})?$")
_WHOLE = re.compile(r"\d+")
_DUTCH = re.compile(r"\d{1,3}(\.\d{3})+,\d{1,2}|\d{1,3}(\.\d{3}){2,}")
_ENGLISH = re.compile(r"\d{1,3}(,\d{3})+\.\d{1,2}|\d{1,3}(,\d{3}){2,}")
_PLAIN_COMMA = re.compile(r"\d+,\d{1,2}")
_PLAIN_POINT = re.compile(r"\d+\.\d{1,2}")
_EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")


def _bare(text: str) -> str:
    """The amount without currency, spaces around it, and the dash for no cents ("100,-")."""
    bare = clean(without_marks(text))
    bare = _NO_CENTS.sub(lambda end: end[0][0] + "00", bare)
    return bare.replace(" ", "") if _SPACED.match(bare) else bare


def style_of(told: Iterable[Style | None]) -> Style | None:
    """How a column writes its amounts, by what its cells say of it (`evidence`).

    None where none of them tells, or where they contradict each other.
    """
    found = {style for style in told if style is not None}
    return found.pop() if len(found) == 1 else None


def evidence(text: str) -> Style | None:
    """What one text says about the column: 12,50 is Dutch, 12.50 English, 12 says nothing."""
    bare = _bare(text)
    if _DUTCH.fullmatch(bare) or _PLAIN_COMMA.fullmatch(bare):
        return "dutch"
    if _ENGLISH.fullmatch(bare) or _PLAIN_POINT.fullmatch(bare):
        return "english"
    return None


def is_unclear(cell: Cell) -> bool:
    """Whether the cell is text such as 1.250, which only its column can explain."""
    return isinstance(cell, str) and _EITHER.fullmatch(_bare(cell)) is not None


def amount_of(
    cell: Cell, *, style: Style | None, currency: str = "EUR"
) -> int | str | Refusal | None:
    """The cell's amount in minor units (two decimals), NO_LIMIT, or why not. None: empty.

    `style` is that of the column and settles only what is unclear by itself. `currency` is that of
    the environment: a cell that names another one is refused.
    """
    match cell:
        case None:
            return None
        case bool():
            return Refusal(code="not_an_amount", write="12,50")
        case Odd(kind="money"):
            return Refusal(code="other_currency", where=currency)
        case Odd(kind="padded"):
            return _minor(Decimal(cell.text))
        case Odd():
            return odd(cell) or Refusal(code="not_an_amount", write="12,50")
        case int() | float():
            if abs(cell) >= DAMAGED_FROM:
                return Refusal(code="damaged_number")
            # Excel computes 0.1 + 0.2 as 0.30000000000000004 and shows 0.3: 15 digits count.
            return _minor(Decimal(f"{cell:.15g}"))
        case str():
            if is_foreign(cell, currency):
                return Refusal(code="other_currency", where=currency)
            return _text_amount(cell, style)


def _text_amount(text: str, style: Style | None) -> int | str | Refusal | None:
    bare = _bare(text)
    if bare.casefold() in _NO_LIMIT:
        return NO_LIMIT
    if not bare:
        return None if not clean(text) else Refusal(code="not_an_amount", write="12,50")
    if _LESS_THAN_NOTHING.fullmatch(bare):
        return Refusal(code="negative_amount")
    if _WHOLE.fullmatch(bare):
        return _minor(Decimal(bare))
    if _DUTCH.fullmatch(bare) or _PLAIN_COMMA.fullmatch(bare):
        return _minor(Decimal(bare.replace(".", "").replace(",", ".")))
    if _ENGLISH.fullmatch(bare) or _PLAIN_POINT.fullmatch(bare):
        return _minor(Decimal(bare.replace(",", "")))
    if _EITHER.fullmatch(bare):
        if style is None:
            return Refusal(code="unclear_amount", write=re.sub(r"[.,]", "", bare) + ",00")
        if ("." in bare) == (style == "dutch"):
            return _minor(Decimal(re.sub(r"[.,]", "", bare)))
        return Refusal(code="too_many_decimals")
    if re.fullmatch(r"\d+[.,]\d{3,}", bare):
        return Refusal(code="too_many_decimals")
    return Refusal(code="not_an_amount", write=_likely(bare))


def _likely(bare: str) -> str:
    """A way to write it that would do: letters that are taken for digits are put right."""
    digits = bare.translate(str.maketrans("OoIlSB", "001158")).replace(".", ",")
    if re.fullmatch(r"\d+,\d{1,2}", digits):
        whole, _, cents = digits.partition(",")
        return f"{whole},{cents:0<2}"
    return f"{digits},00" if re.fullmatch(r"\d{1,7}", digits) else "12,50"


def _minor(amount: Decimal) -> int | Refusal:
    minor = amount * 100
    if minor != minor.to_integral_value():
        return Refusal(code="too_many_decimals")
    if minor < 0:
        return Refusal(code="negative_amount")
    if minor > MOST:
        return Refusal(code="amount_too_large")
    return int(minor)
