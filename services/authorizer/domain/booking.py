"""When a sale counts: which month, which VAT rate (contract part 1, Clocks)."""

from __future__ import annotations

from datetime import datetime, timedelta

NEAR = timedelta(hours=24)
OFFLINE = timedelta(days=45)


def booked_at(at: datetime, record_time: datetime, *, recorded: bool) -> tuple[datetime, bool]:
    """The time that every service takes, and whether the till's clock was off.

    The till's `at` counts where it lies within 24 hours of the record's time; for a sale that
    was already made (offline) from 45 days before it.
    """
    earliest = record_time - (OFFLINE if recorded else NEAR)
    if earliest <= at <= record_time + NEAR:
        return at, False
    return record_time, True


def has_expired(record_time: datetime, now: datetime, valid_s: int | None) -> bool:
    """Whether an answer would come later than the till waits for it."""
    return valid_s is not None and now > record_time + timedelta(seconds=valid_s)
