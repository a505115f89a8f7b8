"""May this be sold on account? The decision on one sale, and what its answer says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from schemas.pos import DeclineReason, Sale, SaleRecorded, SaleRequested
from schemas.values import is_vat_rate, line_total
from services.authorizer.domain.standing import Release, Standing

A_DAY: Final = timedelta(hours=24)
LONGEST_OFFLINE: Final = timedelta(days=45)
"""How long a till may have kept a sale to itself and still be believed about its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a decision needs to know of the environment."""

    gdpr_accepted: bool
    active: bool
    currency: str
    language: str
    release: Release


class Approved(NamedTuple):
    """The sale stands. `used` and `available` are as they are with it.

    A tuple, for one is made for every sale.
    """

    booked_at: datetime
    clock_off: bool
    online: bool
    over_limit: bool
    limit: int | None
    used: int
    available: int | None


class Declined(NamedTuple):
    """The sale does not stand. The numbers are as they are without it; None: nothing to tell."""

    reason: DeclineReason
    field: str | None = None
    limit: int | None = None
    used: int | None = None
    available: int | None = None


def decide(
    sale: Sale,
    *,
    house: House | None,
    standing: Standing | None,
    cancelled: bool,
    record_time: datetime,
    now: datetime,
    moved_booked_at: datetime | None = None,
) -> Approved | Declined:
    """Answer one sale against what its account may still spend.

    `standing` is read under the account's row lock and is not changed: charge it with what was
    approved. `cancelled`: a cancellation of all of it came before, or what it is to book was seen
    to. `record_time` is the broker's, `now` is PostgreSQL's. `moved_booked_at` is that of the sale
    that this one is moved from.
    A sale.recorded was drunk already: neither limit nor status turns it down. Never raises: a
    refusal is an answer, the first reason of the contract's order that applies.
    """
    recorded = type(sale) is SaleRecorded
    if house is None:
        return Declined(DeclineReason.ENVIRONMENT_UNKNOWN)
    if not recorded:
        if not house.gdpr_accepted:
            return Declined(DeclineReason.GDPR_NOT_ACCEPTED)
        if not house.active:
            return Declined(DeclineReason.MODULE_INACTIVE)
    if standing is None:
        return Declined(DeclineReason.ACCOUNT_UNKNOWN)
    reason, field = _wrong_with(sale, house, cancelled)
    if reason is None and not recorded:
        reason = _turned_down(sale, standing, record_time, now)
    limit, open_, total = standing.limit, standing.open, sale.total
    if reason is not None:
        return Declined(reason, field, limit, standing.used, standing.available)
    if moved_booked_at is not None:
        booked_at, clock_off = moved_booked_at, False
    else:
        booked_at, clock_off = booking(sale.at, record_time, recorded=recorded)
    used = open_ + total if open_ + total > 0 else 0
    over_limit = recorded and not standing.has_room_for(total)
    available = None if limit is None else limit - used
    return Approved(booked_at, clock_off, not recorded, over_limit, limit, used, available)


_NOTHING: Final = (None, None)


def _wrong_with(
    sale: Sale, house: House, cancelled: bool
) -> tuple[DeclineReason | None, str | None]:
    """What turns down a requested and a recorded sale alike."""
    if sale.currency != house.currency:
        return DeclineReason.CURRENCY_MISMATCH, "currency"
    if field := wrong_amount(sale):
        return DeclineReason.INVALID_TOTAL, field
    if field := wrong_rate(sale):
        return DeclineReason.INVALID_VAT_RATE, field
    return (DeclineReason.ALREADY_CANCELLED, None) if cancelled else _NOTHING


def _turned_down(
    sale: Sale, standing: Standing, record_time: datetime, now: datetime
) -> DeclineReason | None:
    """What turns down only a sale that is still to be made."""
    valid_s = sale.valid_s if type(sale) is SaleRequested else None
    if valid_s is not None and now - record_time > timedelta(seconds=valid_s):
        return DeclineReason.EXPIRED
    if standing.barred is not None:
        return standing.barred
    return None if standing.has_room_for(sale.total) else DeclineReason.OVER_LIMIT


def wrong_amount(sale: Sale) -> str | None:
    """The first amount that does not add up, as a dotted path; None where all do."""
    total = 0
    for line in sale.lines:
        if line.total != line_total(line.quantity, line.unit_price):
            return next(
                f"lines.{n}.total"
                for n, each in enumerate(sale.lines)
                if each.total != line_total(each.quantity, each.unit_price)
            )
        total += line.total
    return "total" if total != sale.total or total < 0 else None


_known_rates: set[str] = set()


def wrong_rate(sale: Sale) -> str | None:
    """The first VAT rate that is none, as a dotted path; None where all are right."""
    for number, line in enumerate(sale.lines):
        rate = line.vat_rate
        if rate not in _known_rates:
            if not is_vat_rate(rate):
                return f"lines.{number}.vat_rate"
            # There are 10,001 rates at most: this stays small.
            _known_rates.add(rate)
    return None


def booking(at: datetime, record_time: datetime, *, recorded: bool) -> tuple[datetime, bool]:
    """When a sale counts as made (its month and VAT date), and whether the till's clock was off.

    The till's own time if it lies within 24 hours of the record's, or for a recorded sale from
    45 days before it; else the record's.
    """
    behind = record_time - at
    if -A_DAY <= behind <= (LONGEST_OFFLINE if recorded else A_DAY):
        return at, False
    return record_time, True
