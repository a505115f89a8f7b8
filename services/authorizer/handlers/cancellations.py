"""Cancellations: one sale.cancelled against what is known of its sale.

Decided within a batch of sales (handlers/sales.py), for the two are locked and recalled together
and either may come first.
"""

from __future__ import annotations

from datetime import datetime

from runtime.answers import Answer
from schemas.content import digest
from schemas.pos import ReversalRefusal, SaleCancelled
from services.authorizer import answers
from services.authorizer.domain.book import Book, KnownCancellation, KnownSale, RefusalKey
from services.authorizer.domain.reversals import NOTHING, Refused, Taken, take_back
from services.authorizer.domain.sales import House
from services.authorizer.domain.standing import Standing


def answer_cancellation(wanted: SaleCancelled, book: Book, now: datetime) -> Answer | RefusalKey:
    """sale.reversed or sale.reversal_refused; remembered under its id, but for sale_unknown."""
    key = (wanted.environment, wanted.cancellation_id)
    content = digest(wanted)
    known = book.cancellations.get(key)
    if known is not None:
        return (
            known.answer if known.digest == content else _refuse_reused(wanted, content, book, now)
        )
    house = book.houses.get(wanted.environment)
    standing = book.standings.get((wanted.environment, wanted.account))
    sale = book.sales.get((wanted.environment, wanted.sale_id))
    if standing is None and sale is not None:
        _clear_unbooked(wanted, sale, book)
    if house is None:
        found: Taken | Refused = Refused(reason=ReversalRefusal.ENVIRONMENT_UNKNOWN)
    elif standing is None:
        found = Refused(reason=ReversalRefusal.ACCOUNT_UNKNOWN)
    else:
        found = _take(wanted, book, standing)
    answer = _said(wanted, content, found, house, standing, now)
    if not isinstance(found, Refused) or found.reason is not ReversalRefusal.SALE_UNKNOWN:
        book.cancellations[key] = KnownCancellation(
            sale_id=wanted.sale_id,
            account=wanted.account,
            digest=content,
            amount=found.amount if isinstance(found, Taken) else 0,
            answer=answer,
            new=True,
        )
    return answer


def _take(wanted: SaleCancelled, book: Book, standing: Standing) -> Taken | Refused:
    """Take it off the sale, or note that the sale is not to be made any more."""
    key = (wanted.environment, wanted.sale_id)
    sale = book.sales.get(key)
    if sale is None or sale.state == "awaited":
        if wanted.amount is not None:
            return Refused(reason=ReversalRefusal.SALE_UNKNOWN)
        if sale is None:
            sale = book.sales[key] = KnownSale("awaited", wanted.account, stored="awaited")
        # It may have come and not been readable: then it waits for nobody any more.
        book.clear(key, wanted.cancellation_id, taken_back=True)
        # On which account the sale will come is not known yet: each that was named is kept.
        sale.called_off |= {wanted.account}
        return NOTHING
    if sale.account != wanted.account:
        return Refused(reason=ReversalRefusal.NOT_THIS_ACCOUNT)
    if sale.state == "declined" or sale.answer is None:
        _clear_unbooked(wanted, sale, book)
        if wanted.amount is None and not sale.recorded:
            # Its till may have made it all the same, and that message may be the later one.
            sale.called_off |= {wanted.account}
            sale.called_off_now = True
        return Refused(reason=ReversalRefusal.SALE_DECLINED)
    lines = answers.lines_of(sale.answer.value)
    before = sale.reversed_lines or (0,) * len(lines)
    found = take_back(wanted, lines, before)
    if isinstance(found, Taken) and found.lines:
        sale.reversed_lines = [a + b for a, b in zip(before, found.of_lines, strict=True)]
        sale.taken_back = True
        standing.take_back(found.amount)
    return found


def _clear_unbooked(wanted: SaleCancelled, sale: KnownSale, book: Book) -> None:
    """What was never booked, and all of it is taken back, waits for nobody.

    Of what is taken back in part the rest was drunk; and under a reused id another sale may wait.
    """
    whole = wanted.amount is None or wanted.amount >= sale.total
    if whole and sale.state == "declined" and sale.account == wanted.account:
        key = (wanted.environment, wanted.sale_id)
        book.clear(key, wanted.cancellation_id, sale.digest, taken_back=True)


def _said(
    wanted: SaleCancelled,
    content: bytes,
    found: Taken | Refused,
    house: House | None,
    standing: Standing | None,
    now: datetime,
) -> Answer:
    if isinstance(found, Refused):
        # Not remembered, so told again with another time, or of other content at the same time:
        # then it is another event, too.
        unremembered = found.reason is ReversalRefusal.SALE_UNKNOWN
        suffix = f"/{content.hex()[:16]}/{now.isoformat()}" if unremembered else ""
        return answers.reversal_refused(wanted, found.reason, now, field=found.field, suffix=suffix)
    assert house is not None and standing is not None  # noqa: PT018
    return answers.reversed_(
        wanted, found, now, currency=house.currency, available=standing.available
    )


def _refuse_reused(wanted: SaleCancelled, content: bytes, book: Book, now: datetime) -> RefusalKey:
    key = RefusalKey(wanted.environment, "cancellation", wanted.cancellation_id, content)
    book.refusals[key] = answers.reversal_refused(
        wanted,
        ReversalRefusal.CANCELLATION_ID_REUSED,
        now,
        suffix=f"/{content.hex()[:16]}",
    )
    return key
