"""Turns decisions on sales into the contract's messages, as bytes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.malformed import Malformed
from schemas.pos import (
    DeclineReason,
    ReversalRefusal,
    ReversedLine,
    SaleApproved,
    SaleCancelled,
    SaleDeclined,
    SaleRecorded,
    SaleRequested,
    SaleReversalRefused,
    SaleReversed,
)
from schemas.wire import encode
from services.authorizer.domain import cancellations, sales
from services.authorizer.domain.explanations import explain
from services.authorizer.store.sales import Book

Sale = SaleRequested | SaleRecorded
SALE_FIELDS = ("sale_id", "environment", "terminal", "account", "at", "currency", "total")
CANCELLATION_FIELDS = ("cancellation_id", "sale_id", "environment", "terminal", "account", "at")


def approved(sale: Sale, outcome: sales.Approved, now: datetime) -> bytes:
    """sale.approved. The lines are the request's own: their rates were judged."""
    return encode(
        SaleApproved(
            sale_id=sale.sale_id,
            environment=sale.environment,
            terminal=sale.terminal,
            account=sale.account,
            at=sale.at,
            booked_at=outcome.booked_at,
            decided_at=now,
            currency=sale.currency,
            total=sale.total,
            lines=sale.lines,
            online=outcome.online,
            over_limit=outcome.over_limit,
            limit=outcome.limit,
            used=outcome.used,
            available=outcome.available,
            clock_off=outcome.clock_off,
        )
    )


def sale_declined(message: Sale | Malformed, declined: sales.Declined, now: datetime) -> bytes:
    """sale.declined; of a message that can't be read, whatever of it could be."""
    return encode(
        SaleDeclined(
            **_of(message, SALE_FIELDS),
            decided_at=now,
            reason=declined.reason,
            explanation=declined.explanation,
            field=declined.field,
            limit=declined.limit,
            used=declined.used,
            available=declined.available,
        )
    )  # fmt: skip


def cancellation(
    message: SaleCancelled | Malformed,
    outcome: cancellations.Reversed | cancellations.Refused,
    book: Book,
    now: datetime,
) -> bytes:
    """sale.reversed or sale.reversal_refused."""
    if isinstance(outcome, cancellations.Refused):
        return _reversal_refused(message, outcome.reason, now)
    assert isinstance(message, SaleCancelled)
    row = book.sales[message.environment, message.sale_id]
    lines = row.sold().lines if outcome.taken else ()
    standing = book.standings[message.environment, message.account]
    return encode(
        SaleReversed(
            cancellation_id=message.cancellation_id,
            sale_id=message.sale_id,
            environment=message.environment,
            terminal=message.terminal,
            account=message.account,
            at=message.at,
            decided_at=now,
            currency=standing.venue.currency,
            amount=outcome.amount,
            lines=tuple(
                ReversedLine(
                    description=lines[index].description,
                    product=lines[index].product,
                    quantity=lines[index].quantity if share == lines[index].total else None,
                    unit_price=lines[index].unit_price,
                    vat_rate=lines[index].vat_rate,
                    total=share,
                )
                for index, share in outcome.taken
            ),
            reason=message.reason,
            available=standing.available,
        )
    )


def _reversal_refused(
    message: SaleCancelled | Malformed, reason: ReversalRefusal, now: datetime
) -> bytes:
    return encode(
        SaleReversalRefused(
            **_of(message, CANCELLATION_FIELDS),
            decided_at=now,
            reason=reason,
            field=message.field if isinstance(message, Malformed) else None,
        )
    )  # fmt: skip


def reused(message: Any, book: Book, now: datetime) -> bytes:
    """The answer to an id that stands for another content."""
    if isinstance(message, SaleCancelled) or (
        isinstance(message, Malformed) and message.type == "sale.cancelled"
    ):
        return _reversal_refused(message, ReversalRefusal.CANCELLATION_ID_REUSED, now)
    environment = int(_of(message, ("environment",))["environment"])
    return sale_declined(message, declined(DeclineReason.SALE_ID_REUSED, book, environment), now)


def declined(
    reason: DeclineReason, book: Book, environment: int, *, field: str | None = None, **said: Any
) -> sales.Declined:
    """A decline without numbers, in the environment's language."""
    venue = book.venues.get(environment)
    language = venue.language if venue else sales.DEFAULT_LANGUAGE
    text = explain(reason, language, venue.currency if venue else "", field=field, **said)
    return sales.Declined(reason=reason, explanation=text, field=field)


def malformed(message: Malformed, book: Book, environment: int) -> sales.Declined:
    """The decline of a sale that can't be read."""
    return declined(
        DeclineReason.INVALID_MESSAGE,
        book,
        environment,
        field=message.field,
        detail=message.message,
    )


def _of(message: Any, names: tuple[str, ...]) -> dict[str, Any]:
    if isinstance(message, Malformed):
        known = {**message.ids, **message.fields}
        return {name: known[name] for name in names if name in known}
    return {name: getattr(message, name) for name in names}
