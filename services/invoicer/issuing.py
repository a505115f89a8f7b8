"""Making invoices and credit notes: numbers, rows, events, and the jobs that follow.

All of it happens in the caller's transaction, under the locks of the accounts concerned (taken by
the caller) and then of the series: whatever is rolled back was never numbered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from runtime.answers import Answer, answer
from runtime.transaction import Tx
from schemas.base import Message
from schemas.billing import (
    CreditNoteIssued,
    InvoiceDrafted,
    InvoicedSale,
    InvoiceIssued,
    InvoicePaid,
    InvoiceUndeliverable,
)
from schemas.registry import CustomerState, EnvironmentState
from schemas.values import account_key
from services.invoicer import parties
from services.invoicer.documents.model import Address, Buyer
from services.invoicer.documents.parties import lacking
from services.invoicer.domain import Bill, Item, due_on, status_after
from services.invoicer.store import invoices, issuing, mails, register
from services.invoicer.store.invoices import Invoice, vat_lines
from services.invoicer.store.mails import NewMail

EVENTS = "invoices.events"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvoice:
    """An invoice to be made. `invoice_id` of a draft that is approved is the draft's own."""

    invoice_id: str
    account: str
    bill: Bill
    customer: CustomerState
    run_id: str | None = None
    send: bool = False
    supplementary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredit:
    """A credit note to be made of some of an invoice's items; amounts are what is taken back."""

    credit_note_id: str
    invoice: Invoice
    items: tuple[Item, ...]
    frees: bool
    reason: str
    run_id: str | None = None
    send: bool = False

    @property
    def bill(self) -> Bill:
        return Bill(period=self.invoice.period, items=self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What to tell, and how many invoices were handed to the mailer."""

    events: tuple[Answer, ...]
    handed_over: int = 0


def missing(environment: EnvironmentState) -> tuple[str, ...]:
    """What a lawful invoice needs of the venue and its settings lack: fields of the contract."""
    nobody = Buyer(address=Address())
    return lacking(parties.seller(environment), nobody)


def event(message: Message, environment: int, account: str, tx: Tx, *of: object) -> Answer:
    """An event on invoices.events; its id is made from what it is of."""
    return answer(
        EVENTS,
        account_key(environment, account),
        message,
        id="/".join(map(str, (message.type, environment, *of))),
        time=tx.now,
    )


async def draft(tx: Tx, environment: EnvironmentState, wanted: Sequence[NewInvoice]) -> Made:
    """Write drafts. They claim nothing and have no number."""
    today = tx.now.astimezone(ZoneInfo(environment.time_zone)).date()
    letterhead = await _letterhead(tx, environment)
    rows = [_row(environment, new, letterhead, today) for new in wanted]
    await issuing.put_invoices(tx, environment.environment, rows)
    return Made(
        events=tuple(
            event(
                InvoiceDrafted(
                    invoice_id=new.invoice_id,
                    environment=environment.environment,
                    account=new.account,
                    period=new.bill.period,
                    currency=environment.currency,
                    total=new.bill.total,
                    vat=vat_lines(new.bill.vat),
                ),
                environment.environment,
                new.account,
                tx,
                new.invoice_id,
            )
            for new in wanted
        )
    )


async def issue(
    tx: Tx,
    environment: EnvironmentState,
    wanted: Sequence[NewInvoice],
    credits: Sequence[NewCredit] = (),
) -> Made:
    """Issue credit notes and invoices, numbered in that order.

    Raises register.NumberTaken. The caller made sure that nothing is `missing`.
    """
    if not wanted and not credits:
        return Made(events=())
    given = await register.give(
        tx,
        environment,
        [
            *(("credit_note", c.credit_note_id) for c in credits),
            *(("invoice", n.invoice_id) for n in wanted),
        ],
    )
    letterhead = await _letterhead(tx, environment)
    events = await _credit(tx, environment, credits, given, letterhead)
    number = environment.environment
    rows = [_row(environment, new, letterhead, given.issued_on, given=given) for new in wanted]
    await issuing.put_invoices(tx, number, rows)
    for new in wanted:
        events.append(_issued(tx, environment, new, given))
        await tx.add_job(
            "document",
            f"{number}/{new.invoice_id}",
            {"environment": number, "kind": "invoice", "id": new.invoice_id},
        )
    handed_over, told = await _mail(tx, environment, wanted)
    return Made(events=(*events, *told), handed_over=handed_over)


def _row(
    environment: EnvironmentState,
    new: NewInvoice,
    letterhead: bytes,
    today: date,
    *,
    given: register.Given | None = None,
) -> issuing.InvoiceRow:
    return issuing.InvoiceRow(
        invoice_id=new.invoice_id,
        account=new.account,
        bill=new.bill,
        status="draft" if given is None else "issued",
        drafted_on=today,
        currency=environment.currency,
        letterhead=letterhead,
        buyer=parties.buyer_json(parties.buyer(new.customer)),
        language=parties.language(new.customer, environment),
        run_id=new.run_id,
        send=new.send,
        supplementary=new.supplementary,
        number=None if given is None else given.numbers[new.invoice_id],
        issued_at=None if given is None else given.issued_at,
        issued_on=None if given is None else given.issued_on,
        due_on=None if given is None else due_on(given.issued_on, environment.payment_days),
    )


def _issued(
    tx: Tx, environment: EnvironmentState, new: NewInvoice, given: register.Given
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
        ),
        environment.environment,
        new.account,
        tx,
        new.invoice_id,
    )


def _sales(bill: Bill) -> tuple[InvoicedSale, ...]:
    return tuple(InvoicedSale(sale_id=s, amount=a) for s, a in bill.sales.items())


async def _credit(
    tx: Tx,
    environment: EnvironmentState,
    credits: Sequence[NewCredit],
    given: register.Given,
    letterhead: bytes,
) -> list[Answer]:
    number = environment.environment
    rows = [
        issuing.CreditRow(
            credit_note_id=c.credit_note_id,
            invoice_id=c.invoice.invoice_id,
            account=c.invoice.account,
            number=given.numbers[c.credit_note_id],
            issued_at=given.issued_at,
            issued_on=given.issued_on,
            currency=c.invoice.currency,
            bill=c.bill,
            frees=c.frees,
            reason=c.reason,
            letterhead=letterhead,
            run_id=c.run_id,
        )
        for c in credits
    ]
    await issuing.add_credit_notes(tx, number, rows)
    events: list[Answer] = []
    for new, row in zip(credits, rows, strict=True):
        events.append(_credited(tx, row, number))
        events += await settle(tx, new.invoice, credited=new.invoice.credited + row.bill.total)
        if new.send:
            await _mail_credit(tx, environment, new)
        await tx.add_job(
            "document",
            f"{number}/{row.credit_note_id}",
            {"environment": number, "kind": "credit_note", "id": row.credit_note_id},
        )
    return events


def _credited(tx: Tx, row: issuing.CreditRow, environment: int) -> Answer:
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


async def settle(
    tx: Tx, invoice: Invoice, *, credited: int | None = None, paid: int | None = None
) -> list[Answer]:
    """Put new sums on an issued invoice; tells when that makes it a paid one."""
    credited = invoice.credited if credited is None else credited
    paid = invoice.paid if paid is None else paid
    status = status_after(invoice.status, total=invoice.total, credited=credited, paid=paid)
    await invoices.set_status(tx, invoice, status, credited=credited, paid=paid)
    if status != "paid" or invoice.status == "paid" or invoice.number is None:
        return []
    said = InvoicePaid(
        invoice_id=invoice.invoice_id,
        number=invoice.number,
        environment=invoice.environment,
        account=invoice.account,
        total=invoice.total,
        at=tx.now,
    )
    return [event(said, invoice.environment, invoice.account, tx, invoice.invoice_id)]


# -- what goes to the mailer -------------------------------------------------------------------


async def _mail(
    tx: Tx, environment: EnvironmentState, wanted: Iterable[NewInvoice]
) -> tuple[int, list[Answer]]:
    """Record the mails of issued invoices; tell at once where there is no address to mail to."""
    new_mails: list[NewMail] = []
    told: list[Answer] = []
    handed_over = 0
    for new in wanted:
        if not new.send:
            continue
        address, why_not = parties.mail_address(new.customer)
        new_mails += copies(environment, "invoice", new.invoice_id, "issue")
        if address is None:
            told += await undeliverable(tx, environment.environment, new, why_not)
        else:
            handed_over += 1
            new_mails.append(
                NewMail(kind="invoice", ref=new.invoice_id, recipient=address, cause="issue")
            )
    await mails.add(tx, environment.environment, new_mails)
    return handed_over, told


async def undeliverable(tx: Tx, environment: int, new: NewInvoice, why_not: str) -> list[Answer]:
    """There is no address: finance must act."""
    await invoices.mailed(tx, environment, new.invoice_id, "undeliverable", ("issued",))
    said = InvoiceUndeliverable(
        invoice_id=new.invoice_id,
        environment=environment,
        account=new.account,
        reason=why_not,
        permanent=True,
    )
    return [event(said, environment, new.account, tx, new.invoice_id, why_not)]


def copies(environment: EnvironmentState, kind: mails.Kind, ref: str, cause: str) -> list[NewMail]:
    """Finance's own copy of each document, where it wants one."""
    if environment.finance_copy != "each" or not environment.finance_email:
        return []
    return [
        NewMail(kind=kind, ref=ref, recipient=environment.finance_email, cause=cause, copy=True)
    ]


async def _mail_credit(tx: Tx, environment: EnvironmentState, new: NewCredit) -> None:
    address = parties.buyer_from(new.invoice.buyer).email
    wanted = copies(environment, "credit_note", new.credit_note_id, "issue")
    if address and new.invoice.status != "undeliverable":
        wanted.append(
            NewMail(kind="credit_note", ref=new.credit_note_id, recipient=address, cause="issue")
        )
    await mails.add(tx, environment.environment, wanted)


async def _letterhead(tx: Tx, environment: EnvironmentState) -> bytes:
    sha256, content = parties.seller_json(parties.seller(environment))
    await issuing.add_letterhead(tx, environment.environment, sha256, content)
    return sha256
