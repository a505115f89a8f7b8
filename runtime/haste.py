"""Whether a batch may be recorded without a look first, and PostgreSQL's time for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

FOR_S: Final = 1.0
"""For so long PostgreSQL's time is told without asking it."""
NEAR_S: Final = 0.1
"""An answer that took longer tells no time: it may have waited for a lock since it was stamped."""
SHY_S: Final = 1.0
"""For so long many records are not tried, after it was in vain: all were decided twice."""


class Haste:
    """A worker's, for all its lanes: a look that is saved is half of a small batch's round trips.

    The time is never ahead of PostgreSQL's, so that whoever asks it next is told no earlier one.
    `clock` is in seconds, and goes on while the machine sleeps.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._told: tuple[datetime, float] | None = None
        self._shy_until = self._clock()

    def asks(self) -> float:
        """PostgreSQL is about to be asked; for `told`."""
        return self._clock()

    def told(self, now: datetime, asked: float) -> None:
        """It was this, said PostgreSQL, which was `asked`. Where another answer makes it later by
        now, that one holds: neither is ahead."""
        at = self._clock()
        known = self.now(few=True)
        if at - asked <= NEAR_S and (known is None or known <= now):
            self._told = now, at

    def failed(self) -> None:
        """Something was not as it was thought to be."""
        self._shy_until = self._clock() + SHY_S

    def now(self, *, few: bool) -> datetime | None:
        """PostgreSQL's time; None where a look, or for many a transaction, is in place."""
        if self._told is None:
            return None
        told, at = self._told
        clock = self._clock()
        if not 0 <= clock - at <= FOR_S or (not few and clock < self._shy_until):
            return None
        return told + timedelta(seconds=clock - at)


def seconds() -> float:
    """A monotonic clock that does not stand still while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
