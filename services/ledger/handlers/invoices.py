"""What the invoicer did (invoices.events).

Takes invoice.issued, credit_note.issued, payment.received and payment.refunded, answers
entry.posted, and changes the journal and the account's unbilled and billed amounts. The rest of
the topic moves no money.
"""

from collections.abc import Iterable
from typing import assert_never

from schemas.billing import (
    CreditNoteIssued,
    InvoiceIssued,
    PaymentReceived,
    PaymentRefunded,
    VatLine,
)
from services.ledger import domain
from services.ledger.domain import Event, Journal, RateTotal
from services.ledger.handlers.posting import posts

TAKES = (InvoiceIssued, CreditNoteIssued, PaymentReceived, PaymentRefunded)


def journal_of(
    message: InvoiceIssued | CreditNoteIssued | PaymentReceived | PaymentRefunded,
) -> Journal:
    """The journal of an invoice, a credit note, a payment or a refund."""
    match message:
        case InvoiceIssued():
            event = Event(
                environment=message.environment,
                account=message.account,
                source_id=message.invoice_id,
                at=message.issued_at,
                currency=message.currency,
            )
            return domain.invoice(event, message.total, _rates(message.vat))
        case CreditNoteIssued():
            event = Event(
                environment=message.environment,
                account=message.account,
                source_id=message.credit_note_id,
                refers_to=message.invoice_id,
                at=message.issued_at,
                currency=message.currency,
            )
            return domain.credit_note(event, message.total, _rates(message.vat))
        case PaymentReceived():
            event = Event(
                environment=message.environment,
                account=message.account,
                source_id=message.payment_id,
                refers_to=message.invoice_id,
                at=message.at,
                currency=message.currency,
            )
            return domain.payment(event, message.amount)
        case PaymentRefunded():
            event = Event(
                environment=message.environment,
                account=message.account,
                source_id=message.refund_id,
                refers_to=message.invoice_id,
                at=message.at,
                currency=message.currency,
            )
            return domain.refund(event, message.amount)
        case _:
            assert_never(message)


def _rates(lines: Iterable[VatLine]) -> list[RateTotal]:
    return [RateTotal(line.rate, line.base, line.vat, line.gross) for line in lines]


handle = posts(journal_of)
