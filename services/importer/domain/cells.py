"""A cell as the reader hands it over, and what it says as text, number, choice or address.

Every function gives the exact value or a Refusal; nothing is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from services.importer.domain.countries import country_named
from services.importer.domain.refusals import Refusal

OddKind = Literal[
    "date",
    "error",
    "padded",
    "long",
    "number",
    "shortened",
    "masked",
    "money",
    "formula",
    "merged",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """A cell that is neither text, number nor yes/no.

    `padded` is a whole number that its format shows with leading zeros (text holds them);
    `long` a text beyond the reader's bound, of which only the beginning came along; `number` one
    of more digits than Excel keeps, `shortened` one whose last digits were not written down,
    `masked` one that its format shows with other digits, `money` one that is shown as an amount
    of another currency than the environment's; `formula` has no stored result; `merged` is a
    number that stands in a cell above, with which this one is merged.
    """

    kind: OddKind
    text: str


Cell = str | int | float | bool | Odd | None

REFUSED: Final[dict[str, Refusal]] = {
    "date": Refusal(code="is_date"),
    "error": Refusal(code="is_error"),
    "number": Refusal(code="damaged_number"),
    "shortened": Refusal(code="scientific"),
    "masked": Refusal(code="is_masked"),
    "money": Refusal(code="is_money"),
    "formula": Refusal(code="no_result"),
    "merged": Refusal(code="is_merged"),
}
"""Why an Odd cell is not taken, whatever its column holds; padded and long ones depend on it."""

ERRORS: Final = frozenset(
    {"#N/A", "#VALUE!", "#REF!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
    | {"#N/B", "#WAARDE!", "#VERW!", "#NAAM?", "#DEEL/0!", "#GETAL!", "#LEEG!", "#OVERLOOP!"}
)
"""Errors as text, which is what is left of them in a list that came through a text file."""

DAMAGED_FROM: Final = 10**15
"""Excel keeps 15 digits of a number; the 16th and later have become noughts (IEEE 754)."""

_DIRT = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]")


def clean(text: str) -> str:
    """Text without control characters, marks that nobody sees, and needless spaces."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")  # nearly all cells: nothing of the below can be in them
    text = _DIRT.sub("", text)
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zs", "Zl", "Zp") else c for c in text)
    return unicodedata.normalize("NFC", " ".join(text.split()))


def shown(cell: Cell) -> str:
    """The cell as a person would recognise it, for messages and samples; at most 100 letters."""
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case str():
            return clean(cell)[:100]
        case Odd():
            return clean(cell.text)[:100]
        case float():
            return decimal_text(cell)
        case int():
            return str(cell)[:100]


def decimal_text(number: float) -> str:
    """A number cell with the 15 digits that Excel stands for, without a needless ".0"."""
    if number.is_integer() and abs(number) < DAMAGED_FROM:
        return str(int(number))
    return f"{number:.15g}"


def is_empty(cell: Cell) -> bool:
    if not isinstance(cell, str):
        return cell is None
    # Nearly all cells begin with a letter or a digit, which `clean` never takes away.
    return not (cell[:1].isalnum() or clean(cell))


def is_value(cell: Cell) -> bool:
    """Whether a cell is a number, a date or an address, which no column is called. Who took one of
    a member's own cells for the name of a column would lose the member."""
    words = isinstance(cell, str) and "@" not in cell and any(map(str.isalpha, cell))
    return not (words or is_empty(cell))


def is_again(cell: Cell, header: str) -> bool:
    """Whether a cell has a column's name once more."""
    if not isinstance(cell, str) or len(text := shown(cell)) != len(header):
        return False  # nearly all cells
    return text.casefold() == header.casefold()


def odd(cell: Cell) -> Refusal | None:
    """Why a cell is taken nowhere, where it is odd."""
    return REFUSED.get(cell.kind) if isinstance(cell, Odd) else None


def text_of(cell: Cell, *, at_most: int) -> str | Refusal | None:
    """The cell as text; a number gives its digits. None: empty."""
    match cell:
        case str():
            text = clean(cell)
            if text[:1] == "#" and text.upper() in ERRORS:
                return REFUSED["error"]
            if len(text) > at_most:
                return Refusal(code="too_long", at_most=at_most)
            return text or None
        case None:
            return None
        case bool():
            return Refusal(code="not_text")
        case Odd(kind="padded"):
            return cell.text
        case Odd(kind="long"):
            return Refusal(code="too_long", at_most=at_most)
        case Odd():
            return REFUSED[cell.kind]
        case int() | float():
            if abs(cell) >= DAMAGED_FROM:
                return Refusal(code="damaged_number")
            return decimal_text(cell) if isinstance(cell, float) else str(cell)


YES: Final = frozenset(
    {"ja", "j", "yes", "y", "true", "t", "waar", "aan", "on", "x", "v", "ok", "1", "wel"}
    | {"toegestaan", "allowed", "✓", "✔", "☑", "✅", "√"}
)
NO: Final = frozenset(
    {"nee", "neen", "n", "no", "false", "f", "onwaar", "uit", "off", "0", "-", "niet", "geen"}
    | {"nvt", "n.v.t.", "✗", "✘", "☐", "❌"}
)


def yes_or_no(cell: Cell) -> bool | Refusal | None:
    """Yes or no in words, ticks and numbers, Dutch or English. None: empty."""
    match cell:
        case None:
            return None
        case bool():
            return cell
        case int() | float() if cell in (0, 1):
            return bool(cell)
        case str():
            word = clean(cell).casefold()
            if not word:
                return None
            if word not in NO:
                word = word.strip("[(.!)]")  # a tick in a box, or said with emphasis
            if word in YES:
                return True
            if word in NO:
                return False
    return odd(cell) or Refusal(code="not_yes_or_no")


Language = Literal["nl", "en"]

_LANGUAGES: Final[dict[str, Language]] = {
    **dict.fromkeys(("nl", "nld", "dut", "nederlands", "dutch", "nl-nl", "nl-be", "nl_nl"), "nl"),
    **dict.fromkeys(("en", "eng", "engels", "english", "en-gb", "en-us", "uk", "gb"), "en"),
}


def language_of(cell: Cell) -> Language | Refusal | None:
    if is_empty(cell):
        return None
    if isinstance(cell, str) and (word := clean(cell).casefold()) in _LANGUAGES:
        return _LANGUAGES[word]
    return odd(cell) or Refusal(code="not_a_language")


_COUNTRY_CODE = re.compile(r"[A-Za-z]{2}")


def country_of(cell: Cell) -> str | Refusal | None:
    """A country as ISO 3166 code of two letters, from the code or a name of it."""
    if is_empty(cell):
        return None
    if isinstance(cell, str):
        word = clean(cell)
        if code := country_named(word):
            return code
        if _COUNTRY_CODE.fullmatch(word):
            return word.upper()
    return odd(cell) or Refusal(code="not_a_country")


_WITH_A_NAME = re.compile(r"[^<>@]*<\s*([^<>]+?)\s*>")
_EMAIL = re.compile(r"[^\s@,;<>()\"]+@[^\s@,;<>()\"]+\.[^\s@,;<>()\".]{2,}")


def email_of(cell: Cell, *, at_most: int) -> str | Refusal | None:
    """One e-mail address; two are refused.

    What mail programs put around it is left out: "mailto:", a name before it in angle brackets,
    and the sign that ends it in a list of addresses.
    """
    text = text_of(cell, at_most=at_most)
    if text is None or isinstance(text, Refusal):
        return text
    text = text.rstrip(" ;,.")
    if text.endswith(">") and (bracketed := _WITH_A_NAME.fullmatch(text)):
        text = bracketed[1]
    text = re.sub(r"^mailto:", "", text, flags=re.IGNORECASE)
    if not _EMAIL.fullmatch(text) or ".." in text:
        return Refusal(code="not_an_email")
    return text
