"""Making invoices and credit notes: numbers, rows, events, and the jobs that follow.

All of it happens in the caller's transaction, under the locks of the accounts concerned (taken by
the caller) and then of the series: whatever is rolled back was never numbered.
"""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from runtime.answers import Answer
from runtime.transaction import Tx
from schemas.billing import InvoiceDrafted, InvoicePaid
from schemas.registry import EnvironmentState
from services.invoicer import euros, mailing, parties
from services.invoicer.documents.model import Address, Buyer
from services.invoicer.documents.parties import lacking
from services.invoicer.domain import due_on, status_after
from services.invoicer.events import credited as credited_event
from services.invoicer.events import event
from services.invoicer.events import issued as issued_event
from services.invoicer.making import NewCredit, NewInvoice
from services.invoicer.store import invoices, issuing, register
from services.invoicer.store.invoices import Invoice, vat_lines


def missing(environment: EnvironmentState) -> tuple[str, ...]:
    """What a lawful invoice needs of the venue and its settings lack: fields of the contract.

    A venue of no country is Dutch, unless its VAT number is another country's.
    """
    nobody = Buyer(address=Address())
    prefix = (environment.vat_number or "").strip()[:2].upper()
    somewhere = environment.country or prefix == "NL" or not prefix.isalpha()
    return lacking(parties.seller(environment), nobody) + (() if somewhere else ("country",))


async def draft(
    tx: Tx, environment: EnvironmentState, wanted: Sequence[NewInvoice]
) -> list[Answer]:
    """Write drafts; gives what to tell. They claim nothing and have no number; their rate is that
    of their day."""
    today = tx.now.astimezone(ZoneInfo(environment.time_zone)).date()
    letterhead = await _letterhead(tx, environment)
    rate = await euros.rate_on(tx, environment, today)
    rows = [_row(environment, new, letterhead, today, rate=rate) for new in wanted]
    await issuing.put_invoices(tx, environment.environment, rows)
    return [
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
    ]


async def issue(
    tx: Tx,
    environment: EnvironmentState,
    wanted: Sequence[NewInvoice],
    credits: Sequence[NewCredit] = (),
) -> list[Answer]:
    """Issue credit notes and invoices, numbered in that order; gives what to tell.

    Raises register.NumberTaken. The caller made sure that nothing is `missing`.
    """
    if not wanted and not credits:
        return []
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
    rate = await euros.rate_on(tx, environment, given.issued_on)
    rows = [
        _row(environment, new, letterhead, given.issued_on, given=given, rate=rate)
        for new in wanted
    ]
    replaced: dict[str, list[invoices.Replaced]] = {}
    if await issuing.put_invoices(tx, number, rows):
        replaced = await invoices.replaced(tx, number, [new.invoice_id for new in wanted])
    for new in wanted:
        its = replaced.get(new.invoice_id, ())
        events.append(issued_event(tx, environment, new, given, its))
    await tx.add_jobs(
        "document",
        {
            f"{number}/{new.invoice_id}": {
                "environment": number, "kind": "invoice", "id": new.invoice_id,
            }
            for new in wanted
        },
    )  # fmt: skip
    return [*events, *await mailing.mail(tx, environment, wanted)]


def _row(
    environment: EnvironmentState,
    new: NewInvoice,
    letterhead: bytes,
    today: date,
    *,
    given: register.Given | None = None,
    rate: str | None = None,
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
        vat_euro=euros.vat_euro(new.bill.vat, environment.currency, rate),
        exchange_rate=rate,
        holder=None if given is None else new.customer.customer_id,
    )


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
            vat_euro=euros.vat_euro(c.bill.vat, c.invoice.currency, c.invoice.exchange_rate),
            exchange_rate=c.invoice.exchange_rate,
        )
        for c in credits
    ]
    await issuing.add_credit_notes(tx, number, rows)
    events: list[Answer] = []
    for new, row in zip(credits, rows, strict=True):
        events.append(credited_event(tx, row, number))
        events += await settle(tx, new.invoice, credited=new.invoice.credited + row.bill.total)
        await mailing.mail_credit(tx, environment, new)
        await tx.add_job(
            "document",
            f"{number}/{row.credit_note_id}",
            {"environment": number, "kind": "credit_note", "id": row.credit_note_id},
        )
    return events


async def settle(
    tx: Tx, invoice: Invoice, *, credited: int | None = None, paid: int | None = None
) -> list[Answer]:
    """Put new sums on an issued invoice; tells when that makes it a paid one."""
    credited = invoice.credited if credited is None else credited
    paid = invoice.paid if paid is None else paid
    fallback = await invoices.delivery(tx, invoice) if invoice.status == "paid" else "issued"
    status = status_after(
        invoice.status, total=invoice.total, credited=credited, paid=paid, delivery=fallback
    )
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
    # Paid a second time is another event: the first one's id stands for what it said.
    again = (invoice.version,) if await invoices.was_reversed(tx, invoice) else ()
    return [event(said, invoice.environment, invoice.account, tx, invoice.invoice_id, *again)]


async def _letterhead(tx: Tx, environment: EnvironmentState) -> bytes:
    sha256, content = parties.seller_json(parties.seller(environment))
    await issuing.add_letterhead(tx, environment.environment, sha256, content)
    return sha256
