"""How people are called, how accounts are found and in which order a person looks for them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

MAX_NAME: Final = 200

# An apostrophe (van 't Hof) is another with a keyboard, a phone and a word processor.
_LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
    | dict.fromkeys("\u2018\u2019\u02bc\u2032\u00b4", "'")
)
_DIGITS = re.compile(r"([0-9]+)")


def fold(text: str) -> str:
    """A text without case and accents, its blanks single and its apostrophes of one kind: for
    search and order."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key: numbers by value, so that Table 9 comes before Table 10."""
    return tuple(
        (0, int(part), part) if part.isdecimal() else (1, 0, part)
        for part in _DIGITS.split(fold(text))
        if part
    )


def display_name(customer: Mapping[str, Any]) -> str:
    """A customer as a till shows it: the company, else the person."""
    company = (customer.get("company") or "").strip()
    return (company or person_name(customer))[:MAX_NAME]


def person_name(customer: Mapping[str, Any]) -> str:
    parts = (customer.get(name) or "" for name in ("first_name", "infix", "last_name"))
    return " ".join(part.strip() for part in parts if part.strip())


def searched_name(customer: Mapping[str, Any]) -> str:
    """All names of a customer, to be searched."""
    return fold(f"{customer.get('company') or ''} {person_name(customer)}")
