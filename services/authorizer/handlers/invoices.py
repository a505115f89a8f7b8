"""Invoices, credit notes and payments: invoices.events -> the sums of accounts.

Takes invoice.issued, credit_note.issued, payment.received and payment.refunded. Answers nothing.
Each event counts once, whatever is delivered and in whatever order; what comes before its account
is kept, and counted when the account is opened.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.billing import CreditNoteIssued, InvoiceIssued, PaymentReceived, PaymentRefunded
from services.authorizer.store import invoices as store

TAKES = (InvoiceIssued, CreditNoteIssued, PaymentReceived, PaymentRefunded)


async def add_up(incoming: Sequence[Incoming], tx: Tx) -> list[Answer]:
    """Lock, recall and record; nothing is decided and nobody answered."""
    await store.record(tx, [_effect(record.message) for record in incoming])
    return []


def _effect(
    said: InvoiceIssued | CreditNoteIssued | PaymentReceived | PaymentRefunded,
) -> store.Effect:
    match said:
        case InvoiceIssued():
            kind, id_, amount = "issued", said.invoice_id, said.total
        case CreditNoteIssued():
            kind, id_, amount = "credited", said.credit_note_id, said.total
        case PaymentReceived():
            kind, id_, amount = "paid", said.payment_id, said.amount
        case PaymentRefunded():
            kind, id_, amount = "refunded", said.refund_id, said.amount
    return store.Effect(said.environment, kind, id_, said.account, amount)
