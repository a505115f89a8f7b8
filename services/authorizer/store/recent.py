"""What was last read or written of busy accounts, to decide new sales on without a look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from runtime.haste import seconds
from schemas.pos import DeclineReason, SaleRequested
from services.authorizer.domain.book import Book, Key
from services.authorizer.domain.sales import House
from services.authorizer.domain.standing import Release, Standing

MOST: Final = 10_000
"""Accounts, some 400 bytes each."""
KEPT_S: Final = 600.0
"""Then all is read anew: transactions' numbers come round after some thousand millions."""


class _Account(NamedTuple):
    """As a Standing, and the transaction that wrote its row. What is open was reckoned by the
    environment's release: whether that is another one since, the row does not say."""

    row: int
    limit: int | None
    open: int
    barred: DeclineReason | None
    release: Release


class Recent:
    """A worker's memory of environments and accounts as it last saw or wrote them.

    Nothing here is believed: whoever decides on it records only if each row still stands so
    (docs/decisions/0092).
    """

    def __init__(self, clock: Callable[[], float] = seconds, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._houses: dict[int, tuple[int, House]] = {}
        self._accounts: dict[Key, _Account] = {}
        self._since = clock()

    def recall(self, sales: Iterable[SaleRequested]) -> Book | None:
        """What these need; None where some of it is not known."""
        if self._clock() - self._since > KEPT_S:
            self._houses, self._accounts, self._since = {}, {}, self._clock()
        book = Book()
        standings = book.standings
        for sale in sales:
            environment = sale.environment
            key = environment, sale.account
            if key in standings:
                continue
            account, known = self._accounts.get(key), self._houses.get(environment)
            if account is None or known is None:
                return None
            row, limit, open_, barred, release = account
            version, house = known
            if release != house.release:
                return None
            book.rows[key] = row
            standings[key] = Standing(limit=limit, open=open_, barred=barred)
            book.versions[environment], book.houses[environment] = version, house
        return book

    def recorded(self, book: Book) -> None:
        """This was decided on, written and committed, by a transaction that wrote none of these
        rows again."""
        for environment, house in book.houses.items():
            self._houses[environment] = book.versions[environment], house
        accounts = self._accounts
        for key, s in book.standings.items():
            # Taken out first: what is written stands last, and what stands first goes first.
            accounts.pop(key, None)
            row = book.writer if s.approved_more or s.reversed_more else book.rows[key]
            assert row is not None
            release = book.houses[key[0]].release
            accounts[key] = _Account(row, s.limit, s.open, s.barred, release)
        while len(accounts) > self._most:
            del accounts[next(iter(accounts))]
        while len(self._houses) > self._most:
            del self._houses[next(iter(self._houses))]

    def forget(self, book: Book) -> None:
        """Something of this is no longer so."""
        for environment in book.versions:
            self._houses.pop(environment, None)
        for key in book.rows:
            self._accounts.pop(key, None)
