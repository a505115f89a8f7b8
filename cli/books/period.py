"""The period of an export: a year, a month, or from a day to a day, in the venue's time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from cli.amounts import Misuse

ONE_DAY = timedelta(days=1)
YEARS = frozenset(range(1000, 3000))  # near its ends the calendar has no day before, or after
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `first` to `last`, both days included."""

    first: date
    last: date

    def __str__(self) -> str:
        first, last = self.first.isoformat(), self.last.isoformat()
        for length in (7, 4):
            if Period.read(first[:length]) == self:
                return first[:length]
        return f"{first}_{last}"

    @classmethod
    def read(cls, text: str) -> Period:
        """`2026`, `2026-07` or `2026-07-01..2026-07-15`; raises Misuse for anything else."""
        try:
            if re.fullmatch("[12][0-9]{3}", text):
                return cls(first=date(int(text), 1, 1), last=date(int(text), 12, 31))
            if re.fullmatch("[12][0-9]{3}-[0-9]{2}", text):
                first = date.fromisoformat(f"{text}-01")
                following = (first + timedelta(days=31)).replace(day=1)
                return cls(first=first, last=following - ONE_DAY)
            begin, _, end = text.partition("..")
            found = cls(first=date.fromisoformat(begin), last=date.fromisoformat(end))
        except ValueError:
            raise _no_period(text) from None
        if not {found.first.year, found.last.year} <= YEARS:
            raise _no_period(text)
        if found.last < found.first:
            raise Misuse(f"The period {text} ends before it begins.")
        return found

    def begins(self, zone: tzinfo) -> int:
        """Its first moment, in microseconds since 1970."""
        return microseconds(datetime.combine(self.first, datetime.min.time(), zone))

    def ends(self, zone: tzinfo) -> int:
        """The moment after its last."""
        return microseconds(datetime.combine(self.last + ONE_DAY, datetime.min.time(), zone))

    def year_begins(self, zone: tzinfo) -> int:
        """The first moment of the year in which it begins."""
        return microseconds(datetime(self.first.year, 1, 1, tzinfo=zone))

    def months(self) -> Iterator[tuple[int, date, date]]:
        """Its months, each with its number and its days within the period."""
        first = self.first
        while first <= self.last:
            following = (first.replace(day=1) + timedelta(days=31)).replace(day=1)
            yield first.month, first, min(following - ONE_DAY, self.last)
            first = following


def _no_period(text: str) -> Misuse:
    return Misuse(
        f"{text!r} is not a period: write a year (2026), a month (2026-07), or two days "
        "(2026-07-01..2026-07-15), both included."
    )


def microseconds(moment: datetime) -> int:
    """Since 1970, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(text: str) -> datetime:
    """A message's time."""
    return datetime.fromisoformat(text)


def day_of(at: int, zone: tzinfo) -> date:
    """The day of a moment in a time zone."""
    return (EPOCH + timedelta(microseconds=at)).astimezone(zone).date()
