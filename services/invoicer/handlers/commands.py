"""invoices.commands: recall, decide, record, answer, one command at a time.

All accounts that the batch is about are locked first, in order. Each command changes things once:
the same id with the same content gets the same bytes again, with other content it is refused.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from runtime.answers import Answer
from runtime.incoming import Incoming, traced
from runtime.transaction import Tx
from schemas.base import Message
from schemas.commands import INVALID, TOO_EARLY, too_early
from schemas.content import digest
from schemas.exchange import ExchangeRateSet
from schemas.invoices import (
    DocumentRequest,
    InvoiceApprove,
    InvoiceCorrect,
    InvoiceDelete,
    InvoiceSend,
    InvoicesRepublish,
    InvoicesRun,
    PaymentRecord,
    PaymentRefund,
    PendingRequest,
    StatementRequest,
)
from schemas.malformed import Malformed
from services.invoicer.handlers import (
    corrections,
    documents,
    drafts,
    payments,
    pending,
    rates,
    republish,
    runs,
    sending,
)
from services.invoicer.handlers import statements as statement_requests
from services.invoicer.replies import Done, Refusal, applied, refused, refused_once
from services.invoicer.store import invoices, registry, requests

Decide = Callable[..., Awaitable[Done | Refusal]]

_DECIDES: dict[type[Message], tuple[requests.Kind, str, Decide]] = {
    InvoiceApprove: ("command", "command_id", drafts.approve),
    InvoiceDelete: ("command", "command_id", drafts.delete),
    InvoiceCorrect: ("command", "command_id", corrections.correct),
    InvoiceSend: ("command", "command_id", sending.send),
    ExchangeRateSet: ("command", "command_id", rates.set_rate),
    InvoicesRepublish: ("command", "command_id", republish.ask),
    PaymentRecord: ("payment", "payment_id", payments.record),
    PaymentRefund: ("payment", "refund_id", payments.refund),
    StatementRequest: ("statement", "statement_id", statement_requests.request),
}
"""Message -> kind of its id, the id's field, who decides."""

TAKES: tuple[type[Message], ...] = (InvoicesRun, DocumentRequest, PendingRequest, *_DECIDES)


async def handle(messages: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Lock, then each in turn."""
    await _lock(messages, tx)
    answers: list[Answer] = []
    for incoming in messages:
        answers += [traced(answer, incoming) for answer in await _handle(incoming, tx)]
    return answers


async def _handle(incoming: Incoming, tx: Tx) -> Iterable[Answer]:
    match incoming.message:
        case InvoicesRun() as message:
            return await runs.run(incoming, message, tx)
        case DocumentRequest() as message:
            return await documents.request(incoming, message, tx)
        case PendingRequest() as message:
            return await pending.request(incoming, message, tx)
        case Malformed() as message:
            return [await _malformed(incoming, message, tx)]
        case message:
            return await _decide(incoming, message, tx)


async def _lock(messages: Sequence[Incoming], tx: Tx) -> None:
    given = [incoming.message for incoming in messages]
    named = [
        (m.environment, getattr(m, "invoice_id", None), getattr(m, "number", None))
        for m in given
        if hasattr(m, "invoice_id")
    ]
    asked = [m for m in given if isinstance(m, StatementRequest)]
    found = await invoices.accounts_of(tx, named) if named else set()
    # A statement's too: until whoever forgets a customer has the lock, its job is recorded.
    found |= {(m.environment, m.account) for m in asked if m.account is not None}
    await registry.lock_accounts(tx, found)


async def _decide(incoming: Incoming, message: Message, tx: Tx) -> Sequence[Answer]:
    kind, field, decide = _DECIDES[type(message)]
    number: int = message.environment  # type: ignore[attr-defined]
    name: str = getattr(message, field)
    content = digest(message)
    recalled = await requests.recall(tx, number, kind, name)
    if recalled is not None:
        if recalled.digest != content:
            return [await refused_once(tx, incoming, number, name, _reused(field), content)]
        for invoice_id in recalled.touched:
            tx.touch("invoice", number, invoice_id)
        if isinstance(message, StatementRequest):
            return [*recalled.answers, *await documents.statement_parts(tx, message, recalled)]
        return recalled.answers
    if isinstance(message, PaymentRecord | PaymentRefund) and too_early(message.at, incoming.time):
        # As what can't be read: it takes no id's place, and `at` is no content of it.
        return [await refused_once(tx, incoming, number, name, _TOO_EARLY, content)]
    done = await decide(message, tx)
    if isinstance(done, Refusal):
        answers = [*done.events, refused(incoming, number, name, done, content)]
    else:
        answers = [*done.events, applied(tx, number, name, done.changes)]
    await requests.remember(tx, number, kind, name, content, answers, done.touched)
    return answers


_TOO_EARLY = Refusal(reason=INVALID, field="at", message=f"at {TOO_EARLY}.")


def _reused(field: str) -> Refusal:
    return Refusal(
        reason=f"{field}_reused", message=f"This {field} was used before, with other content."
    )


async def _malformed(incoming: Incoming, message: Malformed, tx: Tx) -> Answer:
    """The sender is told which field is wrong. Whoever mends it may keep its id."""
    refusal = Refusal(
        reason=INVALID, field=message.field, message=f"{message.field} {message.message}"
    )
    return await _told(tx, incoming, message.ids, refusal, message.type)


async def not_processed(messages: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Our own code failed on this record: its sender hears so. Nothing was changed."""
    refusal = Refusal(
        reason="not_processed",
        message="This could not be processed; it was set aside for the operators.",
    )
    return [
        await _told(
            tx,
            incoming,
            incoming.message.ids
            if isinstance(incoming.message, Malformed)
            else incoming.message.model_dump(),
            refusal,
            incoming.message.type,
        )
        for incoming in messages
    ]


async def _told(
    tx: Tx, incoming: Incoming, ids: Mapping[str, Any], refusal: Refusal, kind: str
) -> Answer:
    name = next(field for field in _IDS if field in ids)
    content = sha256(repr((kind, refusal.field, refusal.message)).encode()).digest()
    number = int(ids["environment"])
    return await refused_once(tx, incoming, number, str(ids[name]), refusal, content)


_IDS = ("command_id", "payment_id", "refund_id", "statement_id", "request_id", "run_id")
