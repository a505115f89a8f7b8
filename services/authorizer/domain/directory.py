"""What a till shows of the accounts: in which order, and why one can't be charged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.terminals import MAX_ACCOUNTS_A_PAGE, DirectoryAccount, FoundAccount
from services.authorizer.domain.names import fold, natural
from services.authorizer.domain.standing import barred

MOST_FOUND: Final = 50
MOST_BYTES: Final = 240 * 1024
"""Of the accounts of a page; pos.directories takes messages of 256 KiB."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An account as the directory needs it; `holder` is the holder's name, empty without one."""

    account: str
    description: str
    holder: str
    status: str = "active"
    on_account: bool = True

    @property
    def name(self) -> str:
        """Empty where it is called nothing, so that a till shows the number: a description may be
        blanks, which a system with fields of a fixed width sends."""
        return self.holder or self.description.strip()


Order = tuple[object, ...]


def order(listed: Listed) -> Order:
    """In which order a person looks for them: by name, then by number, each as a person counts;
    what has no name comes last. No two have one place."""
    return not listed.name, natural(listed.name), natural(listed.account), listed.account


def shown(listed: Listed) -> DirectoryAccount:
    """An account behind the button."""
    return DirectoryAccount(
        account=listed.account, name=listed.name, description=listed.description
    )


def pages(sizes: Sequence[int]) -> list[slice]:
    """Which accounts go on which page, by their sizes in bytes; one empty page where none are.

    At most 500 accounts, and fewer where long names would make a page larger than its topic takes.
    """
    found: list[slice] = []
    start = room = 0
    for place, size in enumerate(sizes):
        if place - start == MAX_ACCOUNTS_A_PAGE or room + size > MOST_BYTES:
            found.append(slice(start, place))
            start, room = place, 0
        room += size
    return [*found, slice(start, len(sizes))]


def words(query: str) -> list[str]:
    """What must all be found in an account's number, description or names."""
    return fold(query).split()


def found(query: str, accounts: Iterable[Listed]) -> tuple[FoundAccount, ...]:
    """At most 50: the one whose number was typed first (just so, or but for its capitals), those
    that can be charged before others, and of these first those that hold the words as typed."""
    typed, together = query.strip(), fold(query)
    number = typed.lower()

    def first(listed: Listed) -> Order:
        reason = barred(listed.status, listed.on_account)
        apart = together not in fold(f"{listed.account} {listed.name} {listed.description}")
        exact, alike = listed.account == typed, listed.account.lower() == number
        return not exact, not alike, reason is not None, apart, *order(listed)

    return tuple(_found(each) for each in sorted(accounts, key=first)[:MOST_FOUND])


def _found(listed: Listed) -> FoundAccount:
    reason = barred(listed.status, listed.on_account)
    return FoundAccount(
        account=listed.account,
        name=listed.name,
        description=listed.description,
        chargeable=reason is None,
        reason=reason,
    )
