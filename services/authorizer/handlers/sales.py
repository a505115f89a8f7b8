"""Sales: takes sale.requested, sale.recorded and sale.cancelled from pos.sales; answers
sale.approved, sale.declined, sale.reversed and sale.reversal_refused on pos.decisions; changes the
accounts' sums and remembers each answer byte for byte, for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from prometheus_client import Counter

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.content import digest
from schemas.malformed import Malformed
from schemas.pos import DeclineReason, SaleCancelled, SaleRecorded, SaleRequested
from schemas.values import account_key
from services.authorizer.domain import cancellations, sales
from services.authorizer.handlers import wording
from services.authorizer.store import sales as store
from services.authorizer.store.sales import Book, CancellationRow, Kind, Reused, SaleRow

TOPIC = "pos.decisions"
DECISIONS = Counter("onaccount_decisions", "Decisions on sales and cancellations", ["outcome"])

Sale = SaleRequested | SaleRecorded


async def handle(batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Answer a batch in the log's order; sales on one account see one another."""
    asked = [(i, _digest(i.message)) for i in batch]
    book = await store.lock(tx, (_account(i.message) for i in batch))
    await _recall(tx, book, asked)
    answers = [_answer(incoming, content, book, tx.now) for incoming, content in asked]
    await store.record(tx, book)
    return answers


async def not_processed(batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """A dead letter was made of this sale: its till is told so, and told the same ever after.

    A cancellation has no such answer (contract part 3).
    """
    incoming = batch[0]
    message = incoming.message
    if not isinstance(message, Sale):
        return []
    book = await store.lock(tx, [(message.environment, message.account)])
    await store.recall_sales(tx, book, [(message.environment, message.sale_id)])
    row = book.sales.get((message.environment, message.sale_id))
    if row is None or row.forbidden:
        declined = wording.declined(DeclineReason.NOT_PROCESSED, book, message.environment)
        row = _decline(message, digest(message), declined, row, book, tx.now)
        await store.record(tx, book)
    return [_sale_answer(row, incoming.trace)]


# -- lock and recall ---------------------------------------------------------------------------


def _account(message: Any) -> store.Id:
    if isinstance(message, Malformed):
        return int(message.ids["environment"]), str(message.ids.get("account", ""))
    return message.environment, message.account


def _digest(message: Any) -> bytes:
    """The content's digest; of a message that can't be read, what is wrong with it."""
    if isinstance(message, Malformed):
        said = repr((message.type, sorted(message.ids.items()), message.field, message.message))
        return sha256(b"malformed:" + said.encode()).digest()
    return digest(message)


async def _recall(tx: Tx, book: Book, asked: Sequence[tuple[Incoming, bytes]]) -> None:
    sale_ids: list[store.Id] = []
    cancellation_ids: list[store.Id] = []
    moved: list[store.Id] = []
    for incoming, _ in asked:
        message = incoming.message
        if isinstance(message, Malformed):
            environment = int(message.ids["environment"])
            if message.type == "sale.cancelled":
                cancellation_ids.append((environment, str(message.ids["cancellation_id"])))
            else:
                sale_ids.append((environment, str(message.ids["sale_id"])))
            continue
        sale_ids.append((message.environment, message.sale_id))
        if isinstance(message, SaleCancelled):
            cancellation_ids.append((message.environment, message.cancellation_id))
        elif isinstance(message, SaleRecorded) and message.moved_from is not None:
            moved.append((message.environment, message.moved_from))
    await store.recall_sales(tx, book, sale_ids)
    await store.recall_cancellations(tx, book, cancellation_ids)
    await store.recall_booked(tx, book, moved)
    await store.recall_reused(tx, book, _reused(book, asked))


def _reused(book: Book, asked: Sequence[tuple[Incoming, bytes]]) -> list[tuple[Kind, int, str]]:
    """Ids that stand with another content than this batch brings, or that the batch has twice."""
    seen: dict[tuple[Kind, int, str], bytes] = {}
    found: dict[tuple[Kind, int, str], None] = {}
    for incoming, content in asked:
        kind, environment, id_ = _name(incoming.message)
        known: SaleRow | CancellationRow | None
        if kind == "sale":
            known = book.sales.get((environment, id_))
        else:
            known = book.cancellations.get((environment, id_))
        first = seen.setdefault((kind, environment, id_), content)
        if first != content or (known is not None and known.digest not in (b"", content)):
            found[kind, environment, id_] = None
    return list(found)


def _name(message: Any) -> tuple[Kind, int, str]:
    if isinstance(message, Malformed):
        kind: Kind = "cancellation" if message.type == "sale.cancelled" else "sale"
        return kind, int(message.ids["environment"]), str(message.ids[f"{kind}_id"])
    if isinstance(message, SaleCancelled):
        return "cancellation", message.environment, message.cancellation_id
    return "sale", message.environment, message.sale_id


# -- decide and answer -------------------------------------------------------------------------


def _answer(incoming: Incoming, content: bytes, book: Book, now: datetime) -> Answer:
    message = incoming.message
    kind, environment, id_ = _name(message)
    if kind == "cancellation":
        known = book.cancellations.get((environment, id_))
        if known is None:
            return _cancel(incoming, content, book, now)
        if known.digest != content:
            return _reuse(incoming, content, book, now)
        return _cancellation_answer(known, message, incoming.trace)
    row = book.sales.get((environment, id_))
    if row is not None and not row.forbidden:
        if row.digest != content:
            return _reuse(incoming, content, book, now)
        if row.approved or row.recorded or not isinstance(message, SaleRecorded):
            return _sale_answer(row, incoming.trace)
    if isinstance(message, Malformed):
        declined = wording.malformed(message, book, environment)
        row = _decline(message, content, declined, row, book, now)
    else:
        row = _decide(message, content, row, book, incoming.time, now)
    return _sale_answer(row, incoming.trace)


def _decide(
    sale: Sale, content: bytes, row: SaleRow | None, book: Book, time: datetime, now: datetime
) -> SaleRow:
    """Decide a sale that is new, forbidden, or was declined as a request and is now recorded."""
    key = sale.environment, sale.sale_id
    moved_from = sale.moved_from if isinstance(sale, SaleRecorded) else None
    cancelled = row is not None and (row.forbidden or row.reason == "already_cancelled")
    outcome = sales.decide(
        sale,
        venue=book.venues.get(sale.environment),
        standing=book.standings.get((sale.environment, sale.account)),
        cancelled=cancelled,
        record_time=time,
        now=now,
        moved_booked_at=book.booked.get((sale.environment, moved_from)) if moved_from else None,
    )
    if isinstance(outcome, sales.Declined):
        if row is not None and row.digest == content and row.reason == outcome.reason:
            row.recorded = row.changed = True  # the same answer, and a person must clear it
            return row
        return _decline(sale, content, outcome, row, book, now)
    DECISIONS.labels("approved").inc()
    approved = SaleRow(
        environment=sale.environment,
        sale_id=sale.sale_id,
        digest=content,
        account=sale.account,
        approved=True,
        recorded=not outcome.online,
        total=sale.total,
        taken=None,
        booked_at=outcome.booked_at,
        decided_at=now,
        reason=None,
        answer=wording.approved(sale, outcome, now),
        new=row is None or row.new,
        changed=True,
    )
    book.sales[key] = approved
    return approved


def _decline(
    message: Sale | Malformed, content: bytes, declined: sales.Declined,
    row: SaleRow | None, book: Book, now: datetime,
) -> SaleRow:  # fmt: skip
    DECISIONS.labels(declined.reason.value).inc()
    _, environment, sale_id = _name(message)
    malformed = isinstance(message, Malformed)
    account = message.ids.get("account") if isinstance(message, Malformed) else message.account
    made = SaleRow(
        environment=environment,
        sale_id=sale_id,
        digest=content,
        account=None if account is None else str(account),
        approved=False,
        recorded=message.type == "sale.recorded",
        total=0 if malformed else message.total,  # type: ignore[union-attr]
        taken=None,
        booked_at=None,
        decided_at=now,
        reason=declined.reason.value,
        answer=wording.sale_declined(message, declined, now),
        new=row is None or row.new,
        changed=True,
    )
    book.sales[environment, sale_id] = made
    return made


def _cancel(incoming: Incoming, content: bytes, book: Book, now: datetime) -> Answer:
    message = incoming.message
    _, environment, id_ = _name(message)
    outcome: cancellations.Reversed | cancellations.Refused
    if isinstance(message, Malformed):
        outcome = cancellations.Refused(reason=cancellations.R.INVALID_MESSAGE)
        sale_id, account = str(message.ids["sale_id"]), message.ids.get("account")
    else:
        sale_id, account = message.sale_id, message.account
        row = book.sales.get((environment, sale_id))
        # A second cancellation before the sale finds it forbidden already: it takes nothing off.
        known = row is not None and not row.forbidden
        sale = row.sold() if row is not None and known else None
        standing = book.standings.get((environment, account))
        outcome = cancellations.decide(
            message, venue=book.venues.get(environment), standing=standing, sale=sale
        )
        if isinstance(outcome, cancellations.Reversed):
            if row is not None and sale is not None and outcome.amount:
                row.taken, row.changed = sale.taken, True
            if outcome.early and row is None:
                book.sales[environment, sale_id] = _forbid(message, now)
    refused = isinstance(outcome, cancellations.Refused)
    reason = outcome.reason.value if isinstance(outcome, cancellations.Refused) else None
    DECISIONS.labels(reason or "reversed").inc()
    made = CancellationRow(
        environment=environment,
        cancellation_id=id_,
        digest=content,
        sale_id=sale_id,
        account=None if account is None else str(account),
        amount=0 if isinstance(outcome, cancellations.Refused) else outcome.amount,
        decided_at=now,
        reason=reason,
        answer=wording.cancellation(message, outcome, book, now),
    )
    if not (refused and not outcome.remembered):  # type: ignore[union-attr]
        book.cancellations[environment, id_] = made
        book.new_cancellations.append(made)
    return _cancellation_answer(made, message, incoming.trace)


def _forbid(message: SaleCancelled, now: datetime) -> SaleRow:
    return SaleRow(
        environment=message.environment, sale_id=message.sale_id, digest=b"",
        account=message.account, approved=False, recorded=False, total=0, taken=None,
        booked_at=None, decided_at=now, reason="already_cancelled", answer=b"",
    )  # fmt: skip


def _reuse(incoming: Incoming, content: bytes, book: Book, now: datetime) -> Answer:
    """The id stands for another content: refused, and the first answer stands."""
    message = incoming.message
    kind, environment, id_ = _name(message)
    key = kind, environment, id_, content
    known = book.reused.get(key)
    if known is None:
        DECISIONS.labels(f"{kind}_id_reused").inc()
        known = Reused(decided_at=now, answer=wording.reused(message, book, now))
        book.reused[key] = known
        book.new_reused.append(key)
    type_ = "sale.declined" if kind == "sale" else "sale.reversal_refused"
    return Answer(
        TOPIC, account_key(*_account(message)), f"{type_}/{environment}/{id_}/{content.hex()[:16]}",
        type_, known.decided_at, known.answer, incoming.trace,
    )  # fmt: skip


def _sale_answer(row: SaleRow, trace: str | None) -> Answer:
    type_ = "sale.approved" if row.approved else "sale.declined"
    return Answer(
        TOPIC, account_key(row.environment, row.account or ""),
        f"{type_}/{row.environment}/{row.sale_id}", type_, row.decided_at, row.answer, trace,
    )  # fmt: skip


def _cancellation_answer(row: CancellationRow, message: Any, trace: str | None) -> Answer:
    type_ = "sale.reversal_refused" if row.reason else "sale.reversed"
    return Answer(
        TOPIC, account_key(*_account(message)), f"{type_}/{row.environment}/{row.cancellation_id}",
        type_, row.decided_at, row.answer, trace,
    )  # fmt: skip
