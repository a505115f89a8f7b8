"""Sales at the till: pos.sales -> pos.decisions.

Takes sale.requested, sale.recorded and sale.cancelled. Answers each with sale.approved,
sale.declined, sale.reversed or sale.reversal_refused. Changes the sums of accounts, remembers
every answer, and notes what could not be booked though it was sold.

A batch is decided in the order of its records: two sales on one account see each other, and the
same id twice is one decision and two answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256

from runtime.answers import Answer
from runtime.breath import Breath
from runtime.glance import Glance
from runtime.incoming import Incoming, traced
from runtime.transaction import Tx
from schemas.content import digest
from schemas.malformed import Malformed
from schemas.pos import DeclineReason, Sale, SaleCancelled, SaleRecorded, SaleRequested
from services.authorizer import answers
from services.authorizer.domain.book import Book, KnownSale, RefusalKey, Unbooked
from services.authorizer.domain.explanations import DEFAULT_LANGUAGE
from services.authorizer.domain.sales import Approved, Declined, decide
from services.authorizer.handlers.cancellations import answer_cancellation
from services.authorizer.handlers.unbooked import tell_unbooked
from services.authorizer.metrics import DECISIONS
from services.authorizer.store import at_once
from services.authorizer.store import sales as store
from services.authorizer.store.recent import Recent
from services.authorizer.store.unbooked import KIND as UNBOOKED

Said = Answer | RefusalKey
"""An answer, or the name of a refusal that is still to be compared with what was said before."""


async def decide_sales(recent: Recent, incoming: Sequence[Incoming], tx: Tx) -> list[Answer]:
    """Lock, recall, decide, record, answer."""
    book = await _open(incoming, tx)
    said: list[Said] = []
    breath = Breath()
    for record in incoming:
        message = record.message
        # By its very type: of a model isinstance takes ten times as long.
        if type(message) is SaleRequested or type(message) is SaleRecorded:
            said.append(_answer_sale(message, record.time, book, tx.now))
        elif isinstance(message, SaleCancelled):
            said.append(answer_cancellation(message, book, tx.now))
            await breath.take()  # it may name five hundred lines of five hundred
        else:
            said.append(_answer_unreadable(message, book, tx.now))
    await store.record(tx, book)
    if tx.alone:
        tx.when_committed(partial(recent.recorded, book))
    spoken = await _speak(said, book, tx)
    tell_unbooked(incoming, spoken, tx)
    return [traced(answer, record) for answer, record in zip(spoken, incoming, strict=True)]


async def decide_at_once(
    recent: Recent, incoming: Sequence[Incoming], glance: Glance
) -> list[Answer] | None:
    """As `decide_sales`, for sales that are all new: look, decide, record, if they are few; without
    the look, where `recent` has all that they need.

    None where something was said before or is to be taken back, noted or refused by its id: that
    needs the locks.
    """
    # One that was made already clears what waits under its id, whatever it is answered.
    if any(type(r.message) is not SaleRequested for r in incoming):
        return None
    answers = await _without_a_look(recent, incoming, glance)
    if answers is None and glance.few:
        answers = await _after_a_look(recent, incoming, glance)
    if answers is None:
        return None
    return [traced(answer, record) for answer, record in zip(answers, incoming, strict=True)]


async def _without_a_look(
    recent: Recent, incoming: Sequence[Incoming], glance: Glance
) -> list[Answer] | None:
    now = glance.without_a_look()
    book = None if now is None else recent.recall([r.message for r in incoming])
    if now is None or book is None:
        return None
    answers = _answers(incoming, book, now)
    if answers is None:
        return None
    try:
        await at_once.record(glance, book, now, remembered=True)
    except Exception as error:
        recent.forget(book)
        glance.in_vain(error)
        return None
    recent.recorded(book)
    _count(answers, now)
    return answers


async def _after_a_look(
    recent: Recent, incoming: Sequence[Incoming], glance: Glance
) -> list[Answer] | None:
    book = await at_once.look(glance, [r.message for r in incoming])
    answers = None if book is None else _answers(incoming, book, glance.now)
    if book is None or answers is None:
        return None
    await at_once.record(glance, book, glance.now)
    recent.recorded(book)
    _count(answers, glance.now)
    return answers


def _answers(incoming: Sequence[Incoming], book: Book, now: datetime) -> list[Answer] | None:
    """None where a refusal is to be compared with what was said before."""
    said = [_answer_sale(r.message, r.time, book, now) for r in incoming]
    answers = [one for one in said if isinstance(one, Answer)]
    return answers if len(answers) == len(said) else None


async def refuse_poison(incoming: Sequence[Incoming], tx: Tx) -> list[Answer]:
    """Decline a sale that is a dead letter by our own fault, unless it was answered before.

    A cancellation is left unanswered: the contract has no word for it, and its till asks again.
    """
    book = await _open(incoming, tx)
    said: list[Said] = []
    for record in incoming:
        sale = record.message
        if isinstance(sale, Sale):
            said += _decline_poison(sale, book, tx.now)
    await store.record(tx, book)
    for record in incoming:
        if isinstance(record.message, SaleRecorded):
            tx.touch(UNBOOKED, record.message.environment, record.message.sale_id)
    return await _speak(said, book, tx)


async def _open(incoming: Sequence[Incoming], tx: Tx) -> Book:
    messages = [r.message for r in incoming if not isinstance(r.message, Malformed)]
    unreadable = [r.message for r in incoming if isinstance(r.message, Malformed)]
    others = {int(given.ids["environment"]) for given in unreadable}
    made = [
        (int(given.ids["environment"]), str(given.ids["sale_id"]))
        for given in unreadable
        if given.type == "sale.recorded"
    ]
    return await store.open_book(tx, messages, others, made)


async def _speak(said: Iterable[Said], book: Book, tx: Tx) -> list[Answer]:
    first = await store.remember_refusals(tx, book.refusals) if book.refusals else {}
    spoken = [first[one] if isinstance(one, RefusalKey) else one for one in said]
    tx.when_committed(partial(_count, spoken, tx.now))
    return spoken


def _count(answers: Iterable[Answer], now: datetime) -> None:
    for outcome, count in Counter(a.type for a in answers if a.time == now).items():
        DECISIONS.labels(outcome).inc(count)


def _answer_sale(sale: Sale, record_time: datetime, book: Book, now: datetime) -> Said:
    key = (sale.environment, sale.sale_id)
    content = digest(sale)
    recorded = type(sale) is SaleRecorded
    known = book.sales.get(key)
    if known is not None and known.answer is not None:
        if known.digest != content:
            return _refuse_reused(sale, content, book, now)
        if known.state == "approved" or known.recorded or not recorded:
            if recorded and known.state == "approved":
                # Its till may have said so before, in a way that could not be read.
                book.clear(key, sale.sale_id, content)
            return known.answer
    standing = book.standings.get((sale.environment, sale.account))
    cancelled = known is not None and sale.account in known.called_off
    decision = decide(
        sale,
        house=book.houses.get(sale.environment),
        standing=standing,
        cancelled=cancelled or (type(sale) is SaleRecorded and book.was_seen_to(sale, content)),
        record_time=record_time,
        now=now,
        moved_booked_at=_booked_before(sale, book) if recorded else None,
    )
    if known is None:
        known = book.sales[key] = KnownSale("declined", sale.account, stored="new")
    if isinstance(decision, Approved):
        assert standing is not None
        standing.charge(sale.total)
        known.state = "approved"
        known.answer = answer = answers.approved(sale, decision, now)
        if type(sale) is SaleRecorded:
            book.clear(key, sale.sale_id, content)
            book.clear_origin(sale)
    else:
        known.state = "declined"
        known.answer = answer = _declined(
            sale,
            decision,
            book,
            now,
            answers.declined_id(sale.environment, sale.sale_id, recorded=recorded),
        )
        if recorded:
            _note_unbooked(sale, content, decision.reason, book)
    known.account, known.digest, known.total = sale.account, content, sale.total
    known.recorded, known.decided = recorded, True
    return answer


def _declined(sale: Sale, decision: Declined, book: Book, now: datetime, ce_id: str) -> Answer:
    house = book.houses.get(sale.environment)
    return answers.declined(
        sale,
        decision,
        now,
        language=book.language(sale.environment, DEFAULT_LANGUAGE),
        house_currency=None if house is None else house.currency,
        id=ce_id,
    )


def _booked_before(sale: Sale, book: Book) -> datetime | None:
    """When the sale that this one is moved from counted as made."""
    if not isinstance(sale, SaleRecorded) or sale.moved_from is None:
        return None
    origin = book.sales.get((sale.environment, sale.moved_from))
    if origin is None or origin.state != "approved" or origin.answer is None:
        return None
    if sale.moved_content not in (None, (origin.digest or b"").hex()):
        return None  # another sale, that came under its id
    return answers.booked_at_of(origin.answer.value)


def _refuse_reused(sale: Sale, content: bytes, book: Book, now: datetime) -> RefusalKey:
    """Another sale under a known id: the first answer stands, this one is refused beside it."""
    key = RefusalKey(sale.environment, "sale", sale.sale_id, content)
    decision = Declined(DeclineReason.SALE_ID_REUSED)
    ce_id = f"{answers.DECLINED}/{sale.environment}/{sale.sale_id}/{content.hex()[:16]}"
    book.refusals[key] = _declined(sale, decision, book, now, ce_id)
    if isinstance(sale, SaleRecorded):
        _note_unbooked(sale, content, decision.reason, book)
    return key


def _note_unbooked(sale: Sale, content: bytes, reason: DeclineReason, book: Book) -> None:
    book.note(
        Unbooked(
            environment=sale.environment,
            sale_id=sale.sale_id,
            digest=content,
            account=sale.account,
            reason=reason,
            sale=sale,
        )
    )


def _answer_unreadable(given: Malformed, book: Book, now: datetime) -> RefusalKey:
    """What is wrong in itself takes no id's place: a till that mends it may keep the id."""
    environment = int(given.ids["environment"])
    is_sale = given.answered_by == answers.DECLINED
    # Of the field too, which the answer names: what is not counted may be what is wrong.
    content = sha256(given.digest + given.field.encode()).digest()
    key = RefusalKey(
        environment,
        "sale" if is_sale else "cancellation",
        str(given.ids["sale_id" if is_sale else "cancellation_id"]),
        content,
    )
    book.refusals[key] = answers.unreadable(
        given,
        now,
        language=book.language(environment, DEFAULT_LANGUAGE),
        suffix=f"/{content.hex()[:16]}",
    )
    if given.type == "sale.recorded":
        account = given.ids.get("account")
        known = book.sales.get((environment, key.id))
        mended = known is not None and known.state == "approved" and known.recorded
        book.note(
            Unbooked(
                environment=environment,
                sale_id=key.id,
                digest=content,
                account=None if account is None else str(account),
                reason=DeclineReason.INVALID_MESSAGE,
                sale=None,
                cleared_by=key.id if mended else None,
            )
        )
    return key


def _decline_poison(sale: Sale, book: Book, now: datetime) -> list[Said]:
    key = (sale.environment, sale.sale_id)
    content = digest(sale)
    recorded = isinstance(sale, SaleRecorded)
    known = book.sales.get(key)
    decision = Declined(DeclineReason.NOT_PROCESSED)
    booked = known is not None and known.state == "approved" and known.digest == content
    if recorded and not booked:
        _note_unbooked(sale, content, decision.reason, book)
    if known is not None and known.answer is not None:
        return [known.answer] if known.digest == content else []
    if known is None:
        known = book.sales[key] = KnownSale("declined", sale.account, stored="new")
    ce_id = answers.declined_id(sale.environment, sale.sale_id, recorded=recorded)
    known.state, known.account, known.digest = "declined", sale.account, content
    known.total, known.recorded, known.decided = sale.total, recorded, True
    known.answer = _declined(sale, decision, book, now, ce_id)
    return [known.answer]
