"""When a month's run is due by itself: pure, on plain values."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.invoicer.domain import month_of, previous

_PREFIX = "schedule:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A run that is to be asked for. `at` is when it fell due."""

    run_id: str
    period: str
    at: datetime


def is_scheduled(run_id: str) -> bool:
    """Whether a run's id is one that a schedule makes."""
    return run_id.startswith(_PREFIX)


def due(
    environment: int, *, day: int, hour: int, zone: ZoneInfo, now: datetime, since: datetime
) -> Due | None:
    """The latest run that the schedule asks for, None where it fell due before `since`.

    On `day` of a month, at `hour` in the venue's time zone, the month before is run. Its id is
    made from what is due, so that two that watch the clock ask for one run.
    """
    local = now.astimezone(zone)
    month = month_of(now, zone)
    at = datetime(local.year, local.month, day, hour, tzinfo=zone).astimezone(UTC)
    if at > now:
        month = previous(month)
        year, number = map(int, month.split("-"))
        at = datetime(year, number, day, hour, tzinfo=zone).astimezone(UTC)
    if at < since:
        return None
    period = previous(month)
    return Due(run_id=f"{_PREFIX}{environment}:{period}", period=period, at=at)
