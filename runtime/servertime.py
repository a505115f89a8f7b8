"""PostgreSQL's time, told for a moment without asking it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

FOR_S: Final = 1.0


class ServerTime:
    """What time it was when PostgreSQL was last asked, and what has passed since.

    Never ahead of PostgreSQL, so that whoever asks it next is told no earlier time. `clock` is in
    seconds, and goes on while the machine sleeps.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or seconds
        self._told: tuple[datetime, float] | None = None

    def told(self, now: datetime) -> None:
        """It was this when PostgreSQL was asked, which has answered."""
        self._told = now, self._clock()

    def now(self) -> datetime | None:
        """None where that was over FOR_S ago."""
        if self._told is None:
            return None
        now, at = self._told
        passed = self._clock() - at
        return now + timedelta(seconds=passed) if 0 <= passed <= FOR_S else None


def seconds() -> float:
    """A monotonic clock that does not stand still while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
