"""Decides one sale against its account's standing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.pos import DeclineReason, SaleRecorded, SaleRequested
from schemas.values import is_vat_rate, line_total
from services.authorizer.domain.booking import booked_at, has_expired
from services.authorizer.domain.explanations import explain
from services.authorizer.domain.standing import Standing, Venue

R = DeclineReason
DEFAULT_LANGUAGE = "nl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """The sale stands. `used` and `available` hold after it."""

    booked_at: datetime
    clock_off: bool
    online: bool
    over_limit: bool
    limit: int | None
    used: int
    available: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The sale does not stand. The numbers are those the decision was made on."""

    reason: DeclineReason
    explanation: str
    field: str | None = None
    limit: int | None = None
    used: int | None = None
    available: int | None = None


def decide(
    sale: SaleRequested | SaleRecorded,
    *,
    venue: Venue | None,
    standing: Standing | None,
    cancelled: bool,
    record_time: datetime,
    now: datetime,
    moved_booked_at: datetime | None = None,
) -> Approved | Declined:
    """Answer one sale, and count it in `standing` where it is approved.

    `standing` is read under the account's row lock; None: there is no such account. `cancelled`:
    a cancellation came before it. A sale that was already made (sale.recorded) is booked whatever
    limit, status, on_account, module and terms say (contract part 3). Never raises: a refusal is
    an answer; the first reason of the contract's order is given.
    """
    recorded = isinstance(sale, SaleRecorded)
    if venue is None:
        return _declined(R.ENVIRONMENT_UNKNOWN, None, environment=sale.environment)
    if not recorded and not venue.gdpr_accepted:
        return _declined(R.GDPR_NOT_ACCEPTED, venue, environment=sale.environment)
    if not recorded and not venue.active:
        return _declined(R.MODULE_INACTIVE, venue, environment=sale.environment)
    if standing is None:
        return _declined(R.ACCOUNT_UNKNOWN, venue, account=sale.account)
    if sale.currency != venue.currency:
        return _declined(
            R.CURRENCY_MISMATCH, venue, field="currency",
            currency=sale.currency, expected=venue.currency,
        )  # fmt: skip
    if wrong := _wrong_amount(sale, venue):
        return wrong
    if cancelled:
        return _declined(R.ALREADY_CANCELLED, venue)
    if isinstance(sale, SaleRequested):
        if has_expired(record_time, now, sale.valid_s):
            return _declined(R.EXPIRED, venue, valid_s=sale.valid_s)
        if refused := _refused(sale, standing):
            return refused
    standing.approve(sale.total)
    booked, clock_off = booked_at(sale.at, record_time, recorded=recorded)
    if moved_booked_at is not None:
        booked, clock_off = moved_booked_at, False
    available = standing.available
    return Approved(
        booked_at=booked,
        clock_off=clock_off,
        online=not recorded,
        over_limit=available is not None and available < 0,
        limit=standing.limit,
        used=standing.used,
        available=available,
    )


def _wrong_amount(sale: SaleRequested | SaleRecorded, venue: Venue) -> Declined | None:
    """Whether lines, total and rates agree: invalid_total before invalid_vat_rate."""
    total = 0
    for number, line in enumerate(sale.lines):
        expected = line_total(line.quantity, line.unit_price)
        if line.total != expected:
            return _declined(
                R.INVALID_TOTAL, venue, field=f"lines.{number}.total",
                given=line.total, expected=expected,
            )  # fmt: skip
        total += line.total
    if sale.total != total or total < 0:
        return _declined(
            R.INVALID_TOTAL, venue, field="total", given=sale.total, expected=max(total, 0)
        )
    for number, line in enumerate(sale.lines):
        if not is_vat_rate(line.vat_rate):
            return _declined(R.INVALID_VAT_RATE, venue, field=f"lines.{number}.vat_rate")
    return None


def _refused(sale: SaleRequested, standing: Standing) -> Declined | None:
    """Whether the account may be charged this much now."""
    venue = standing.venue
    if standing.status != "active":
        return _declined(R.ACCOUNT_INACTIVE, venue, account=sale.account, status=standing.status)
    if not standing.on_account:
        return _declined(R.NOT_ALLOWED_ON_ACCOUNT, venue, account=sale.account)
    limit = standing.limit
    if limit is None:
        return None
    used = standing.used
    if used + sale.total <= limit:
        return None
    available = limit - used
    text = explain(
        R.OVER_LIMIT, venue.language, venue.currency,
        limit=limit, used=used, available=available, total=sale.total,
    )  # fmt: skip
    return Declined(
        reason=R.OVER_LIMIT, explanation=text, limit=limit, used=used, available=available
    )


def _declined(
    reason: DeclineReason, venue: Venue | None, /, *, field: str | None = None, **numbers: object
) -> Declined:
    language = DEFAULT_LANGUAGE if venue is None else venue.language
    default_currency = "" if venue is None else venue.currency
    text = explain(reason, language, default_currency, field=field, **numbers)
    return Declined(reason=reason, explanation=text, field=field)
