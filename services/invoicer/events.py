"""The events of invoices and credit notes, as invoices.events tells them."""

from collections.abc import Sequence
from dataclasses import asdict

from runtime.answers import Answer, answer
from runtime.transaction import Tx
from schemas.base import Message
from schemas.billing import CreditNoteIssued, InvoicedSale, InvoiceIssued, ReplacedInvoice
from schemas.registry import EnvironmentState
from schemas.values import account_key
from services.invoicer.domain import Bill, due_on
from services.invoicer.making import NewInvoice
from services.invoicer.replies import EVENTS
from services.invoicer.store import issuing, register
from services.invoicer.store.invoices import Replaced, vat_lines


def event(message: Message, environment: int, account: str, tx: Tx, *of: object) -> Answer:
    """An event on invoices.events; its id is made from what it is of."""
    return answer(
        EVENTS,
        account_key(environment, account),
        message,
        id="/".join(map(str, (message.type, environment, *of))),
        time=tx.now,
    )


def issued(
    tx: Tx,
    environment: EnvironmentState,
    new: NewInvoice,
    given: register.Given,
    replaced: Sequence[Replaced],
) -> Answer:
    return event(
        InvoiceIssued(
            invoice_id=new.invoice_id,
            number=given.numbers[new.invoice_id],
            environment=environment.environment,
            account=new.account,
            period=new.bill.period,
            issued_at=given.issued_at,
            due_on=due_on(given.issued_on, environment.payment_days),
            currency=environment.currency,
            total=new.bill.total,
            vat=vat_lines(new.bill.vat),
            sales=_sales(new.bill),
            replaces=tuple(ReplacedInvoice(**asdict(one)) for one in replaced) or None,
        ),
        environment.environment,
        new.account,
        tx,
        new.invoice_id,
    )


def _sales(bill: Bill) -> tuple[InvoicedSale, ...]:
    return tuple(InvoicedSale(sale_id=s, amount=a) for s, a in bill.sales.items())


def credited(tx: Tx, row: issuing.CreditRow, environment: int) -> Answer:
    return event(
        CreditNoteIssued(
            credit_note_id=row.credit_note_id,
            number=row.number,
            invoice_id=row.invoice_id,
            environment=environment,
            account=row.account,
            issued_at=row.issued_at,
            currency=row.currency,
            total=row.bill.total,
            vat=vat_lines(row.bill.vat),
            sales=_sales(row.bill),
            frees=row.frees,
            reason=row.reason,
        ),
        environment,
        row.account,
        tx,
        row.credit_note_id,
    )
