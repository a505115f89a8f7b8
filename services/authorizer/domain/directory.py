"""What a till shows behind its on-account button, and what it finds when it searches."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PAGE = 500
MOST_FOUND = 50
MOST_WORDS = 10
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An account as a till shows it; `name` is the holder's, else the description."""

    account: str
    name: str
    description: str


def shown(account: str, description: str, holder: Mapping[str, Any] | None) -> Shown:
    """An account with its holder's full name or company."""
    fields = holder or {}
    person = " ".join(
        part for name in ("first_name", "infix", "last_name") if (part := fields.get(name))
    )
    name = person or fields.get("company") or description
    return Shown(account=account, name=str(name)[:200], description=description)


def in_order(accounts: Iterable[Shown]) -> list[Shown]:
    """As a person looks for them: by name without accents and case, then by number, 9 before 10."""
    return sorted(accounts, key=lambda a: (_natural(fold(a.name)), _natural(a.account)))


def pages(accounts: Sequence[Shown]) -> list[Sequence[Shown]]:
    """At most 500 a page, and at least one page."""
    return [accounts[at : at + PAGE] for at in range(0, len(accounts), PAGE)] or [()]


def words(query: str) -> list[str]:
    """The words that must all occur, folded; none for a blank query."""
    return fold(query).split()[:MOST_WORDS]


def fold(text: str) -> str:
    """Lower case without accents (Unicode NFKD, combining marks taken away)."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in decomposed if not "\u0300" <= letter <= "\u036f")


def _natural(text: str) -> list[tuple[int, int, str]]:
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in _NUMBERS.split(text)
        if part
    ]


def why_not(status: str, on_account: bool) -> str | None:
    """Why an account can't be charged; None: it can."""
    if status != "active":
        return "account_inactive"
    return None if on_account else "not_allowed_on_account"
