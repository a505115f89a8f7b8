"""What was last read or written of busy accounts, to decide new sales on without a look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from schemas.pos import DeclineReason, SaleRequested
from services.authorizer.domain.book import Book, Key
from services.authorizer.domain.sales import House
from services.authorizer.domain.standing import Standing
from services.authorizer.store.at_once import Seen

MOST: Final = 10_000
"""Accounts, some 400 bytes each."""
SECOND: Final = 1.0
"""For so long PostgreSQL's time is told without asking it."""
KEPT_S: Final = 600.0
"""Then all is read anew: transactions' numbers come round after some thousand millions."""


class _Account(NamedTuple):
    """As a Standing, and the transaction that wrote its row."""

    row: int
    limit: int | None
    open: int
    barred: DeclineReason | None


class Recent:
    """A worker's memory of environments and accounts as it last saw or wrote them.

    Nothing here is believed: whoever decides on it records only if each row still stands so
    (docs/decisions/0085). `clock` is in seconds, and goes on while the machine sleeps.
    """

    def __init__(self, clock: Callable[[], float] | None = None, most: int = MOST) -> None:
        self._clock = clock or _clock
        self._most = most
        self._houses: dict[int, tuple[int, House]] = {}
        self._accounts: dict[Key, _Account] = {}
        self._looked: tuple[datetime, float] | None = None
        self._since = self._clock()

    def looked(self, now: datetime) -> None:
        """This is PostgreSQL's time, or was it when it was asked."""
        at = self._clock()
        self._looked = now, at
        if at - self._since > KEPT_S:
            self._houses, self._accounts, self._since = {}, {}, at

    def recall(self, sales: Iterable[SaleRequested]) -> Seen | None:
        """What these need; None where something of it is not known, or what time it is."""
        if self._looked is None:
            return None
        told, at = self._looked
        passed = self._clock() - at
        if not 0 <= passed <= SECOND:
            return None
        now = told + timedelta(seconds=passed)
        seen = Seen(now, Book(houses={}, standings={}, sales={}, cancellations={}), {}, {})
        book = seen.book
        for sale in sales:
            environment = sale.environment
            key = environment, sale.account
            if key in book.standings:
                continue
            account, house = self._accounts.get(key), self._houses.get(environment)
            if account is None or house is None:
                return None
            seen.versions[environment], book.houses[environment] = house
            seen.rows[key] = account.row
            book.standings[key] = Standing(
                limit=account.limit, open=account.open, barred=account.barred
            )
        return seen

    def recorded(self, seen: Seen, row: int | None) -> None:
        """This was decided on and written; `row` is the transaction that did."""
        for environment, house in seen.book.houses.items():
            self._houses[environment] = seen.versions[environment], house
        for key, standing in seen.book.standings.items():
            # Taken out first: what is written stands last, and what stands first goes first.
            self._accounts.pop(key, None)
            wrote = row if standing.approved_more else seen.rows[key]
            assert wrote is not None
            self._accounts[key] = _Account(wrote, standing.limit, standing.open, standing.barred)
        while len(self._accounts) > self._most:
            del self._accounts[next(iter(self._accounts))]
        while len(self._houses) > self._most:
            del self._houses[next(iter(self._houses))]

    def forget(self, seen: Seen) -> None:
        """Something of this is no longer so."""
        for environment in seen.versions:
            self._houses.pop(environment, None)
        for key in seen.rows:
            self._accounts.pop(key, None)


def _clock() -> float:
    # A monotonic clock stands still while the machine sleeps, and PostgreSQL's does not.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
